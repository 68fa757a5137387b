// Copies a link, or shows it selected in a field where the browser lets only the visitor copy it.
import { copy } from "../common/clipboard.js";
import { say } from "../common/texts.js";

const SHOWN = 3000; // milliseconds for which a message is shown

// `inform` shows a message for a while.
export function linkCopier(field, status) {
  function inform(text) {
    status.textContent = text;
    status.classList.remove("visually-hidden");
    setTimeout(() => status.classList.add("visually-hidden"), SHOWN);
  }

  function offer(text) {
    Object.assign(field, { value: text, hidden: false });
    field.focus();
    field.select();
    inform(say("keep.uncopied"));
  }

  async function give(text) {
    field.hidden = true;
    await copy(text).then(
      () => inform(say("keep.copied")),
      () => offer(text),
    );
  }
  return { inform, give };
}
