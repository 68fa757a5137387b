// Copies a text; throws if the browser does not allow it.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copySelected(text); // there is no clipboard without https, and frames are often refused it
  }
}

function copySelected(text) {
  const focused = document.activeElement;
  const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
  area.style.cssText = "position: fixed; top: 0; opacity: 0"; // so that the page does not scroll to it
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus({ preventScroll: true });
  if (!isCopied) throw new Error("the browser does not allow to copy");
}
