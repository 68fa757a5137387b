// Copies a text; throws if the browser does not allow it.
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text }); // without https
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
