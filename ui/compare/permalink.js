// The button that copies a link to the drawing.
import { link } from "../common/place.js";
import { say } from "../common/texts.js";
import { linkCopier } from "./link_copier.js";

// Returns a function that shows a message for a while.
export function permalink({ element, pad, board, address }) {
  const [button, field, status] = [".keep-link", ".keep-address", ".keep-spoken"].map((each) => element.querySelector(each));
  const { inform, give } = linkCopier(field, status);

  button.addEventListener("click", async () => {
    await pad.uploaded();
    while (pad.sheet.entries[0]?.src && !board.isStepped())
      await new Promise((go) => element.addEventListener("answered", go, { once: true }));
    address.write();
    if (!pad.sheet.isEmpty && !pad.sheet.entries[0].opening && !address.code()) inform(say("image.unreadable"));
    else await give(link());
  });
  for (const type of ["draw", "change"]) element.addEventListener(type, () => (field.hidden = true)); // it is out of date
  return inform;
}
