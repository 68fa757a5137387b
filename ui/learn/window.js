// The window of a convolution or of pooling: played, stepped or dragged over the input, while it fills in the output.
import { say } from "../common/texts.js";

const WHOLE = 9000; // milliseconds of all steps together
const [SHORTEST, LONGEST] = [150, 600]; // of a step
const still = matchMedia("(prefers-reduced-motion: reduce)");

const numberOf = (cell) => Number(cell.textContent.replace("−", "-"));
const written = (value) => String(value).replace("-", "−");
const signed = (value) => (value < 0 ? `(${written(value)})` : written(value));
const sum = (values) => values.reduce((a, b) => a + b, 0);
const cellsOf = (grid) => [...grid.children];
const isWithin = (at, start, length) => at >= start && at < start + length;

export function mount({ element, watch }) {
  let chosen; // the window that was asked for; undefined for the middle one
  let isWhole = true; // whether the output is shown beyond the window, too
  let timer = 0; // 0 while nothing is played

  const sideOf = () => Number(element.querySelector(".window").dataset.side);
  const last = () => sideOf() ** 2 - 1;
  const middle = () => Math.floor(sideOf() / 2) * (sideOf() + 1);
  const now = () => Math.min(chosen ?? middle(), last()); // there may be fewer windows than when it was asked for

  function show() {
    const frame = element.querySelector(".window");
    if (!frame) return pause(); // the settings do not fit each other
    const [side, step] = [sideOf(), now()];
    const sums = covered(frame, step, isWhole);
    frame.querySelector(".window-sums").replaceChildren(...sums.map(line));
    const place = { number: step + 1, count: last() + 1, row: Math.floor(step / side) + 1, column: (step % side) + 1 };
    frame.querySelector(".window-place").textContent = say("lesson.window", place);
    const range = frame.querySelector("input");
    [range.max, range.value] = [last(), step];
    range.setAttribute("aria-valuetext", say("lesson.window", place));
    const play = frame.querySelector("[data-play]");
    play.classList.toggle("player-plays", timer > 0);
    const text = play.querySelector("span");
    text.dataset.text = timer ? "lesson.pause" : "lesson.play";
    text.textContent = say(text.dataset.text);
  }

  function pause() {
    clearTimeout(timer);
    timer = 0;
  }

  function go(next, whole) {
    pause();
    [chosen, isWhole] = [Math.min(Math.max(next, 0), last()), whole];
    show();
  }

  function later() {
    timer = setTimeout(advance, Math.min(Math.max(WHOLE / last(), SHORTEST), LONGEST));
    show();
  }

  function advance() {
    const isSeen = element.offsetParent && !still.matches && element.querySelector(".window");
    if (!isSeen || now() >= last()) {
      pause();
      return show();
    }
    chosen = now() + 1;
    later();
  }

  function play() {
    if (isWhole || now() >= last()) chosen = 0;
    isWhole = false;
    later();
  }

  element.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const cell = target.closest("[data-grid^=output] i");
    if (button?.dataset.move) go(now() + Number(button.dataset.move), false);
    else if (button && timer) go(now(), false);
    else if (button) play();
    else if (cell) go(cellsOf(cell.parentElement).indexOf(cell), isWhole);
  });
  element.addEventListener("input", ({ target }) => go(Number(target.value), false));
  document.addEventListener("lineup:language", show);
  watch("value", show);
  show();
}

// Marks the window in all grids, empties the output beyond it, and returns the lines of its arithmetic.
function covered(frame, step, isWhole) {
  const [kernel, stride, side] = ["kernel", "stride", "side"].map((name) => Number(frame.dataset[name]));
  const [top, left] = [Math.floor(step / side) * stride, (step % side) * stride];
  const grids = (role) => [...frame.querySelectorAll(`[data-grid=${role}]`)].map(cellsOf);
  const windows = grids("input").map((cells) => {
    const width = Math.sqrt(cells.length);
    return cells.filter((cell, index) => {
      const isMarked = isWithin(Math.floor(index / width), top, kernel) && isWithin(index % width, left, kernel);
      cell.classList.toggle("lesson-marked", isMarked);
      return isMarked;
    });
  });
  const outputs = grids("output");
  for (const cells of outputs) cells.forEach((cell, index) => cell.classList.toggle("lesson-marked", index === step));
  for (const cells of [...outputs, ...grids("output-other")])
    cells.forEach((cell, index) => cell.classList.toggle("lesson-todo", !isWhole && index > step));
  const results = outputs.map((cells) => cells[step].textContent);
  const weights = grids("weights").map((cells) => cells.map(numberOf));
  return weights.length ? convolved(windows, weights, frame.dataset.bias, results[0]) : pooled(windows[0], results);
}

function convolved(windows, weights, bias, result) {
  const products = windows.map((cells, channel) =>
    cells.map((cell, index) => [numberOf(cell), weights[channel][index]]),
  );
  const sums = products.map((pairs) => sum(pairs.map(([a, b]) => a * b)));
  const lines = products.map(
    (pairs, channel) => `${pairs.map(([a, b]) => `${a}·${signed(b)}`).join(" + ")} = ${written(sums[channel])}`,
  );
  return [...lines, `${sums.map(signed).join(" + ")} + ${bias} ${say("lesson.bias")} = ${result}`];
}

// The padding, which is empty, is never the maximum and enters the average as zeros.
function pooled(cells, [most, mean]) {
  const inside = cells.filter((cell) => cell.textContent);
  return [
    `max(${inside.map((cell) => cell.textContent).join(", ")}) = ${most}`,
    `(${cells.map(numberOf).join(" + ")}) / ${cells.length} = ${mean}`,
  ];
}

function line(text) {
  const element = document.createElement("p");
  element.className = "lesson-formula";
  element.textContent = text;
  return element;
}
