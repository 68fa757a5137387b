// The drawings that split the networks: each is measured again from the strokes that a link would hold, one at a time, also
// while the pen is down, and the best of a round is kept.
import { codesOf, measureCodes } from "./game_score.js";

const REMEMBERED = 64; // drawings that were sent and may not be answered yet: large networks answer late
const TRIES = 3; // to measure a drawing, if requests fail

// `kept` is called with each { code, points } that was measured, and with the `task` that it was added with; `refused` with
// the image, the key of the reason and the task of a drawing that cannot be kept.
export function attempts({ element, call, pad }, { kept, refused }) {
  const drawings = new Map(); // { strokes, why, codes } by the image that was sent
  let waiting = []; // { image, drawing, points, task }: the best of each round that is not measured yet
  let isBusy = false;

  element.addEventListener("draw", ({ detail: { value, opening } }) => {
    const drawn = opening ? [] : pad.sheet.entries.filter((each) => each.points);
    drawings.delete(value);
    const strokes = drawn.map(({ width, points }) => ({ width, points: [...points] }));
    if (drawn.length) drawings.set(value, { strokes, failures: 0 });
    if (drawings.size > REMEMBERED) drawings.delete(drawings.keys().next().value);
  });

  function codes(drawing) {
    return (drawing.codes ??= codesOf(drawing.strokes, pad.sheet.side));
  }

  // Why the drawing of an image cannot be kept, as a key.
  function problem(image) {
    const drawing = drawings.get(image);
    return drawing && !codes(drawing).length ? "game.long" : (drawing?.why ?? "");
  }

  // One of a round, unless a better one waits.
  function push(attempt) {
    const other = waiting.find(({ task }) => task.codes === attempt.task.codes && task.index === attempt.task.index);
    if (other?.points >= attempt.points) return;
    waiting = [...waiting.filter((each) => each !== other), attempt];
  }

  function refuse({ image, drawing, task }, why) {
    drawing.why = why;
    waiting = waiting.filter((each) => each.drawing !== drawing);
    refused(image, why, task);
  }

  // One that fails is tried again after the next answer of the server.
  async function measureWaiting() {
    if (isBusy) return;
    isBusy = true;
    while (waiting.length) {
      const attempt = waiting.shift();
      try {
        const found = await measureCodes(call, attempt.task, { codes: codes(attempt.drawing), side: pad.sheet.side });
        if (found) kept(found, attempt.task);
        else refuse(attempt, "game.unkept");
      } catch {
        attempt.drawing.failures += 1;
        if (attempt.drawing.failures < TRIES) push(attempt);
        else refuse(attempt, "game.unmeasured");
        break;
      }
    }
    isBusy = false;
  }

  // Measures a drawing, by the image that was sent, that has so many points in a round.
  function measure(image, points, task) {
    const drawing = drawings.get(image);
    if (drawing) push({ image, drawing, points, task });
    measureWaiting();
  }

  element.addEventListener("answered", measureWaiting);
  return { measure, problem };
}
