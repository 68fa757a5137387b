// The switches of a branch ablation.
import { withDrawing } from "../common/drawing.js";

// The head of a row or a column switches all in it, and shows whether all, some or none of them are off.
export function mount({ element, trigger }) {
  element.addEventListener("change", ({ target }) => {
    const boxes = [...element.querySelectorAll("input[value]")];
    const under = (head) => boxes.filter((box) => box.value.split("/").includes(head.dataset.all));
    if (target.dataset.all) for (const box of under(target)) box.checked = target.checked;
    for (const head of element.querySelectorAll("input[data-all]")) {
      const off = under(head).filter((box) => box.checked).length;
      head.checked = off === under(head).length;
      head.indeterminate = off > 0 && !head.checked;
    }
    trigger("input");
  });
}

const switchesOf = (grid) => [...document.querySelectorAll(`#${grid} input`)];

// The functions below give the inputs of events. The time of a request is that of this page, as requests overtake each other.
export const time = () => performance.now();

export const withTime = ([network, , ...drawing]) => withDrawing([network, time(), ...drawing]);

// The network, the parts of a grid that are off, the time and the drawing.
export function withParts([network, , , ...drawing], grid) {
  const off = switchesOf(grid).filter((box) => box.checked && !box.dataset.all);
  return withDrawing([network, off.map((box) => box.value).join(), time(), ...drawing]);
}

// The same where a page is the chosen one of the Learn tab, else without a data set: there may be another drawing when
// that page is opened again.
export function withPartsIfOpen(inputs, grid, page) {
  const open = document.querySelector("#learn [role=tab][aria-selected=true]");
  return open?.dataset.text === `learn.${page}` ? withParts(inputs, grid) : [...inputs.slice(0, -1), ""];
}

// For an event that chooses another network, whose grid gradio makes of the one that is there: nothing is off in it.
export function withNoneOff([network], grid) {
  for (const box of switchesOf(grid)) box.checked = box.indeterminate = false;
  return [network, time()];
}
