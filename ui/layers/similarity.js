// The fold "Do they think alike?": requested when it is opened and when something is chosen; values of its heat maps.
import { call, sentence } from "../common/server.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const within = (index, count) => Math.min(Math.max(index, 0), count - 1);

// Marks a cell of a heat map and shows its layers and its value below the map; none for null.
function read(table, cell) {
  for (const each of table.querySelectorAll(".heat-read")) each.classList.remove("heat-read");
  cell?.classList.add("heat-read");
  const column = cell && table.tHead.rows[0].cells[cell.cellIndex].textContent;
  const row = cell?.parentElement.cells[0].textContent;
  table.parentElement.querySelector("output").textContent = cell ? `${row} × ${column}: ${cell.textContent}` : "";
}

function step(event) {
  const table = event.target.closest(".heat table");
  if (!table || !STEPS[event.key]) return;
  event.preventDefault();
  const [down, right] = STEPS[event.key];
  const rows = [...table.tBodies[0].rows];
  const now = table.querySelector(".heat-read");
  const row = now ? within(rows.indexOf(now.parentElement) + down, rows.length) : 0;
  const column = now ? within(now.cellIndex - 1 + right, rows[0].cells.length - 1) : 0;
  read(table, rows[row].cells[column + 1]);
}

export function mount({ element }) {
  const fold = element.querySelector("details");
  const [shown, progress] = [fold.querySelector(".similarity-shown"), fold.querySelector("progress")];
  let latest = null; // the newest request, as responses may arrive out of order

  // `focused` is the name of the chooser that keeps the focus.
  async function request(chosen, focused) {
    const response = call("similarity", chosen);
    latest = response;
    progress.hidden = false;
    const { html, failed } = await response.then(
      (html) => ({ html }),
      (error) => ({ failed: sentence(error) }),
    );
    if (latest !== response) return;
    progress.hidden = true;
    if (failed) {
      shown.textContent = failed;
      latest = null; // requested again when the fold is opened again
    } else shown.innerHTML = html;
    if (focused) shown.querySelector(`select[name=${focused}]`)?.focus();
  }

  const open = () => fold.open && !latest && request({});
  fold.addEventListener("toggle", open);
  open(); // an address may have opened it before
  element.addEventListener("change", ({ target }) => {
    const choosers = [...shown.querySelectorAll("select")];
    request(Object.fromEntries(choosers.map(({ name, value }) => [name, value])), target.name);
  });
  for (const type of ["pointerover", "pointerdown"])
    element.addEventListener(type, ({ target }) => {
      const cell = target.closest(".heat td[style]");
      if (cell) read(cell.closest("table"), cell);
    });
  element.addEventListener("keydown", step);
  for (const type of ["pointerout", "focusout"])
    element.addEventListener(type, ({ target, pointerType }) => {
      const table = target.closest(".heat table");
      if (table && pointerType !== "touch") read(table, null);
    });
}
