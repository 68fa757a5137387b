// The checkboxes of a branch ablation, and the inputs of its events.
import { withDrawing } from "../common/drawing.js";

// The head of a row or a column checks all in it, and shows whether all, some or none of them are checked.
export function mount({ element, trigger }) {
  element.addEventListener("change", ({ target }) => {
    const boxes = [...element.querySelectorAll("input[value]")];
    const under = (head) => boxes.filter((box) => box.value.split("/").includes(head.dataset.all));
    if (target.dataset.all) for (const box of under(target)) box.checked = target.checked;
    for (const head of element.querySelectorAll("input[data-all]")) {
      const checked = under(head).filter((box) => box.checked).length;
      head.checked = checked === under(head).length;
      head.indeterminate = checked > 0 && !head.checked;
    }
    trigger("input");
  });
}

const boxesOf = (grid) => [...document.querySelectorAll(`#${grid} input`)];

// When a request is sent, by the clock of this page: requests may arrive out of order.
export const time = () => performance.now();

export const withTime = ([network, , ...drawing]) => withDrawing([network, time(), ...drawing]);

// The network, the checked parts of a grid, the time and the drawing.
export function withParts([network, , , ...drawing], grid) {
  const off = boxesOf(grid).filter((box) => box.checked && !box.dataset.all);
  return withDrawing([network, off.map((box) => box.value).join(), time(), ...drawing]);
}

// As `withParts` if the page is the open one of the Learn tab; else without a data set, so that the server does nothing.
export function withPartsIfOpen(inputs, grid, page) {
  const open = document.querySelector("#learn [role=tab][aria-selected=true]");
  return open?.dataset.text === `learn.${page}` ? withParts(inputs, grid) : [...inputs.slice(0, -1), ""];
}

// For a change of the network: gradio makes its grid from the present one, which would keep the checks.
export function withNoneOff([network], grid) {
  for (const box of boxesOf(grid)) box.checked = box.indeterminate = false;
  return [network, time()];
}
