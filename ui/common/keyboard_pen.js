// A pen for the keyboard: arrow keys move it, Space lowers and lifts it.
import { say } from "./texts.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 7; // pixels for each press of an arrow key
const within = (side, position) => Math.min(side, Math.max(0, position));

// Calls `begin` and `extend` with the points of a stroke, and `end`. Returns `lift`.
export function keyboardPen(canvas, cursor, status, { begin, extend, end }) {
  const side = canvas.width;
  let pen = null; // { x, y, down }; null until a key is pressed

  function show() {
    cursor.hidden = !pen;
    if (!pen) return;
    cursor.style.left = `${(pen.x / side) * 100}%`;
    cursor.style.top = `${(pen.y / side) * 100}%`;
    cursor.classList.toggle("sketchpad-down", pen.down);
  }

  function lift() {
    if (pen) pen.down = false;
    show();
  }

  function move([right, down]) {
    Object.assign(pen, { x: within(side, pen.x + right * STEP), y: within(side, pen.y + down * STEP) });
    if (pen.down) extend([pen.x, pen.y, 1]);
  }

  function press() {
    pen.down = !pen.down;
    if (pen.down) begin([pen.x, pen.y, 1]);
    else end();
    status.textContent = say(pen.down ? "pad.down" : "pad.up");
  }

  canvas.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow && event.key !== " ") return;
    event.preventDefault();
    if (event.key === " " && event.repeat) return;
    pen ??= { x: side / 2, y: side / 2, down: false };
    if (arrow) move(arrow);
    else press();
    show();
  });
  canvas.addEventListener("blur", () => {
    const wasDown = pen?.down;
    pen = null;
    show();
    if (wasDown) end();
  });
  return { lift };
}
