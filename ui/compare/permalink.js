// The button that copies a link to the drawing.
import { copy } from "../common/clipboard.js";
import { say } from "../common/texts.js";

const SHOWN = 3000; // milliseconds for which a message is shown

// Returns a function that shows a message for a while.
export function permalink({ element, pad, board, address }) {
  const [link, status] = [".keep-link", ".keep-spoken"].map((each) => element.querySelector(each));

  function inform(text) {
    status.textContent = text;
    status.classList.remove("visually-hidden");
    setTimeout(() => status.classList.add("visually-hidden"), SHOWN);
  }

  link.addEventListener("click", async () => {
    await pad.uploaded();
    while (pad.sheet.entries[0]?.src && !board.isStepped())
      await new Promise((go) => element.addEventListener("answered", go, { once: true }));
    address.write();
    await copy(location.href).then(
      () => inform(say("keep.copied")),
      () => inform(say("keep.uncopied")),
    );
  });
  return inform;
}
