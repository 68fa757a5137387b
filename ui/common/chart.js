// The values of a chart at the pointer, the finger or the arrow keys; legends that emphasise lines and switch them off.
const NEAR = 6; // units of a chart beyond the ends of a line in which it still has a value
const off = new Set();

const chartOf = ({ target }) => target.closest?.(".chart > svg");
const placeOf = (svg) => +svg.querySelector(".chart-pointer").getAttribute("x1");
const nearest = (points, x) => points.reduce((a, b) => (Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a));

// The rows of a chart's values, each with the points of its line: where they are, and the texts for x and for them.
function rowsOf(svg) {
  const rows = svg.parentElement.querySelectorAll(".chart-values li");
  return [...svg.querySelectorAll("[data-texts]")].map((line, index) => {
    const row = rows[index];
    const points = off.has(row.dataset.switch) ? [] : [...line.points];
    const texts = JSON.parse(line.dataset.texts);
    return { row, points: points.map(({ x }, point) => ({ x, at: texts[point][0], text: texts[point][1] })) };
  });
}

function show(svg, from) {
  const rows = rowsOf(svg);
  const all = rows.flatMap(({ points }) => points);
  if (!all.length) return;
  const { x, at } = nearest(all, from);
  for (const { row, points } of rows) {
    row.hidden = !points.length || x < points[0].x - NEAR || x > points.at(-1).x + NEAR;
    if (!row.hidden) row.querySelector("b").textContent = nearest(points, x).text;
  }
  for (const name of ["x1", "x2"]) svg.querySelector(".chart-pointer").setAttribute(name, x);
  toggle(svg, at);
}

function toggle({ parentElement: figure }, at) {
  figure.querySelector("small b").textContent = at;
  figure.classList.toggle("chart-read", at !== "");
  const { top, bottom } = figure.getBoundingClientRect();
  const { offsetHeight, classList } = figure.querySelector(".chart-values");
  classList.toggle("chart-above", bottom + offsetHeight > window.innerHeight && top > offsetHeight);
}

function point(event) {
  const svg = chartOf(event);
  const { left, width } = svg?.getBoundingClientRect() ?? {};
  if (svg) show(svg, ((event.clientX - left) / width) * svg.viewBox.baseVal.width);
}

function step(event) {
  const svg = chartOf(event);
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!svg || !way) return;
  event.preventDefault();
  const ahead = rowsOf(svg).flatMap(({ points }) => points.filter(({ x }) => (x - placeOf(svg)) * way > 0));
  if (ahead.length) show(svg, nearest(ahead, placeOf(svg)).x);
}

function leave({ type, target, relatedTarget }) {
  const svg = chartOf({ target });
  const stays = svg?.contains(relatedTarget) || (type === "pointerout" && svg === document.activeElement);
  if (svg && !stays) toggle(svg, "");
}

// Switches off again what is off in the legends, in charts that were drawn anew.
export function switchLines() {
  const lines = document.querySelectorAll("[data-switch]");
  for (const line of lines) line.classList.toggle("chart-off", off.has(line.dataset.switch));
  for (const input of document.querySelectorAll(".chart-legend input")) input.checked = !off.has(input.value);
}

// The lines of the legend's entry at the pointer or with the focus stand out in all charts.
function emphasise(entry) {
  for (const line of document.querySelectorAll(".chart g[data-switch]"))
    line.classList.toggle("chart-faint", entry !== null && line.dataset.switch !== entry.dataset.lines);
}

const entryOf = (element) => element?.closest?.(".chart-legend [data-lines]") ?? null;
const isFocused = (entry) => entry?.querySelector("input:focus-visible");

document.addEventListener("pointerover", ({ target }) => {
  if (entryOf(target)) emphasise(entryOf(target));
});
document.addEventListener("pointerout", ({ target, relatedTarget }) => {
  const focused = entryOf(document.activeElement);
  if (entryOf(target) && !entryOf(relatedTarget)) emphasise(isFocused(focused) ? focused : null);
});
document.addEventListener("focusin", ({ target }) => {
  if (isFocused(entryOf(target))) emphasise(entryOf(target));
});
document.addEventListener("focusout", ({ target }) => {
  if (entryOf(target)) emphasise(null);
});
for (const type of ["pointerdown", "pointermove"]) document.addEventListener(type, point);
for (const type of ["pointerout", "focusout"]) document.addEventListener(type, leave);
document.addEventListener("focusin", (event) => chartOf(event) && show(chartOf(event), placeOf(chartOf(event))));
document.addEventListener("keydown", step);
document.addEventListener("change", ({ target }) => {
  if (!target.matches(".chart-legend input")) return;
  off[target.checked ? "delete" : "add"](target.value);
  switchLines();
});

// Of a component whose legend has switches: lines that are off stay so when its charts are drawn anew.
export const mount = ({ watch }) => watch("value", switchLines);
