// The drawings that split the networks: each is measured again from the strokes that a link would hold, one at a time, also
// while the pen is down, and the best of a round is kept.
import { measureStrokes } from "./game_score.js";

const REMEMBERED = 8; // drawings that were sent and may not be answered yet

// `kept` is called with each { code, points } that was measured, and with the `task` that it was added with.
export function attempts({ element, call, pad }, kept) {
  const strokes = new Map(); // by the image that was sent
  let waiting = null; // the best that is not measured yet
  let isBusy = false;

  element.addEventListener("draw", ({ detail: { value, opening } }) => {
    const drawn = opening ? [] : pad.sheet.entries.filter((each) => each.points);
    strokes.delete(value);
    if (drawn.length) strokes.set(value, drawn.map(({ width, points }) => ({ width, points: [...points] })));
    if (strokes.size > REMEMBERED) strokes.delete(strokes.keys().next().value);
  });

  async function measureWaiting() {
    if (isBusy) return;
    isBusy = true;
    while (waiting) {
      const { task, drawn } = waiting;
      waiting = null;
      const found = await measureStrokes(call, task, { strokes: drawn, side: pad.sheet.side }).catch(() => null);
      if (found) kept(found, task);
    }
    isBusy = false;
  }

  // A drawing, by the image that was sent, that has so many points in a round.
  return function add(image, points, task) {
    const drawn = strokes.get(image);
    if (!drawn || (waiting?.task.index === task.index && waiting.points >= points)) return;
    waiting = { drawn, points, task };
    measureWaiting();
  };
}
