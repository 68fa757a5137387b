// Whether an element takes text, and so has keys and an undo of its own.
export const isField = (element) =>
  element.matches("input:not([type=checkbox], [type=radio], [type=range]), select, textarea");

// Ticks or unticks an input, with the event of a click.
export function tick(input, checked) {
  input.checked = checked;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
