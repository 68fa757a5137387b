// The button that copies a link to the drawing.
import { copy } from "../common/clipboard.js";
import { link } from "../common/place.js";
import { say } from "../common/texts.js";

const SHOWN = 3000; // milliseconds for which a message is shown

// Returns a function that shows a message for a while.
export function permalink({ element, pad, board, address }) {
  const [button, field, status] = [".keep-link", ".keep-address", ".keep-spoken"].map((each) => element.querySelector(each));

  function inform(text) {
    status.textContent = text;
    status.classList.remove("visually-hidden");
    setTimeout(() => status.classList.add("visually-hidden"), SHOWN);
  }

  // The link, selected, where the browser lets only the visitor copy it.
  function offer(text) {
    Object.assign(field, { value: text, hidden: false });
    field.focus();
    field.select();
    inform(say("keep.uncopied"));
  }

  button.addEventListener("click", async () => {
    await pad.uploaded();
    while (pad.sheet.entries[0]?.src && !board.isStepped())
      await new Promise((go) => element.addEventListener("answered", go, { once: true }));
    address.write();
    field.hidden = true;
    await copy(link()).then(
      () => inform(say("keep.copied")),
      () => offer(link()),
    );
  });
  for (const type of ["draw", "change"]) element.addEventListener(type, () => (field.hidden = true)); // it is out of date
  return inform;
}
