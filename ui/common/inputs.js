// Whether keys, and their undo, belong to an element.
export const isField = (element) =>
  element.matches("input:not([type=checkbox], [type=radio], [type=range]), select, textarea");

// Ticks an input or not, as a visitor does.
export function tick(input, checked) {
  input.checked = checked;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
