// Keep and share: a link to the drawing, and the strip of this visit's drawings.
import { copy } from "../common/clipboard.js";
import { say } from "../common/texts.js";
import { address } from "./address.js";
import { strip } from "./strip.js";

const SHOWN = 3000; // milliseconds that a message can be seen

export function keep(tab) {
  const { element, pad, board } = tab;
  const [link, status] = [".keep-link", ".keep-spoken"].map((each) => element.querySelector(each));
  const found = address(tab);

  // For all to see, for a while.
  function inform(text) {
    status.textContent = text;
    status.classList.remove("visually-hidden");
    setTimeout(() => status.classList.add("visually-hidden"), SHOWN);
  }

  link.addEventListener("click", async () => {
    await pad.uploaded();
    while (pad.sheet.entries[0]?.src && !board.isStepped())
      await new Promise((go) => element.addEventListener("answered", go, { once: true }));
    found.write();
    await copy(location.href).then(
      () => inform(say("keep.copied")),
      () => inform(say("keep.uncopied")),
    );
  });
  strip(tab, found, inform);
  found.open();
}
