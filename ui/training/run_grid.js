// The grid of runs: networks by recipes. The head of a row or a column checks all in it.
const boxesIn = (grid, head) =>
  [...grid.querySelectorAll("input[name]")].filter((box) => !head || box.name.split("/").includes(head));
const namesOf = (boxes) => boxes.map((box) => box.value);

function showHeads(grid) {
  for (const head of grid.querySelectorAll("input[data-head]")) {
    const boxes = boxesIn(grid, head.dataset.head);
    const checked = boxes.filter((box) => box.checked).length;
    head.checked = checked === boxes.length;
    head.indeterminate = checked > 0 && !head.checked;
  }
}

// The runs in the grid of a data set, and the chosen ones; null where it is not shown yet.
export function runsIn(dataset) {
  const grid = document.querySelector(`.run-grid[data-dataset="${dataset}"]`);
  return grid && { shown: namesOf(boxesIn(grid)), chosen: namesOf(boxesIn(grid).filter((box) => box.checked)) };
}

export function mount({ element, trigger, watch }) {
  element.addEventListener("change", ({ target }) => {
    if (target.dataset.head) for (const box of boxesIn(element, target.dataset.head)) box.checked = target.checked;
    showHeads(element);
    trigger("input");
  });
  // gradio makes a new grid from the present one, which would keep its checks.
  watch("value", () => {
    for (const box of boxesIn(element)) box.checked = box.defaultChecked;
    showHeads(element);
  });
}
