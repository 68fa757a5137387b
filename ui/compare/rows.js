// The order of the classes on the board: their own, or by the ensemble's probability.
const together = (row) => row.querySelector("td.board-together");
// The class of a row; of a row of figures, undefined.
export const labelOf = (row) => row.querySelector("th [data-class]")?.dataset.class;

// Sorts the rows of `young`, a board that will replace `shown`. They keep their places while `isDrawing`, and while the
// ensemble is pending.
export function rank(young, shown, isDrawing) {
  const rows = [...young.querySelectorAll("tbody tr")].filter(labelOf);
  if (!rows.length) return;
  const isWaiting = isDrawing || "pending" in together(rows[0]).dataset;
  const before = [...shown.querySelectorAll("tbody tr")].map(labelOf);
  const place = (row) => (isWaiting ? before.indexOf(labelOf(row)) : -together(row).style.getPropertyValue("--p"));
  const ranked = rows.toSorted((a, b) => place(a) - place(b));
  moveTall(rows[0], ranked[0]);
  rows[0].parentElement.prepend(...ranked);
  young.querySelector("thead [aria-sort]").removeAttribute("aria-sort");
  young.querySelector("thead .board-together").setAttribute("aria-sort", "descending");
}

// Cells across all rows belong to the first one.
function moveTall(from, to) {
  if (from === to) return;
  const tall = [...from.cells].filter((cell) => cell.rowSpan > 1).map((cell) => [cell, cell.cellIndex]);
  for (const [cell, index] of tall) to.insertBefore(cell, to.cells[index]);
}
