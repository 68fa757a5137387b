// Tables and charts as CSV (RFC 4180), which spreadsheets open as text and numbers, and never as formulas.
import { say } from "../common/texts.js";

const MARK = "\ufeff"; // so that spreadsheets read the file as UTF-8
const HEADS = ["chart", "line", "x", "y"];
const HIDDEN = "small, .visually-hidden, button:empty";

const isNumber = (text) => text !== "" && Number.isFinite(Number(text));

function field(text) {
  const safe = isNumber(text) ? text : text.replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function textOf(element, left = HIDDEN) {
  const copy = element.cloneNode(true);
  for (const each of copy.querySelectorAll(left)) each.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

// The columns of networks are named by their ids, as two networks can have the same title. `data-csv` replaces the text
// of a cell, `data-also` is the text of one more after it.
function tableRows(table) {
  const rows = [...table.rows].map(() => []);
  for (const [top, row] of [...table.rows].entries()) {
    for (const cell of row.cells) {
      const column = Array.from({ length: rows[top].length + 1 }, (_, at) => at).find((at) => rows[top][at] === undefined);
      const { model, csv, also } = cell.dataset;
      const named = row.parentElement === table.tHead && model;
      const text = named || (csv ?? (textOf(cell) || textOf(cell, ".visually-hidden")));
      for (let below = 0; below < cell.rowSpan; below++) rows[top + below][column] = below ? "" : text;
      if (also !== undefined) rows[top][column + 1] = also;
    }
  }
  return rows;
}

// The points of the lines that are not switched off, with the values that the chart shows.
function chartRows(chart) {
  const title = textOf(chart.querySelector("figcaption"));
  const names = [...chart.querySelectorAll(".chart-values li")].map((row) => textOf(row, "b"));
  return [...chart.querySelectorAll("[data-texts]")].flatMap((line, index) =>
    line.closest(".chart-off") ? [] : JSON.parse(line.dataset.texts).map((point) => [title, names[index], ...point]),
  );
}

const within = (elements, selector) =>
  elements.flatMap((each) => (each.matches(selector) ? [each] : [...each.querySelectorAll(selector)]));

// The file of the tables and charts in these elements.
export function csvOf(elements) {
  const charts = within(elements, ".chart").flatMap(chartRows);
  const rows = within(elements, "table").flatMap(tableRows);
  if (charts.length) rows.push(HEADS.map((name) => say(`save.head.${name}`)), ...charts);
  return new Blob([MARK, ...rows.map((row) => `${row.map(field).join()}\r\n`)], { type: "text/csv" });
}
