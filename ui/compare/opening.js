// The opening: a drawing that writes itself, or a test image, until the visitor draws, uploads or chooses something. It is
// no drawing of the visitor's: not in the history, the address or the other tabs.
import { isReadable } from "../common/readable.js";
import { parameters } from "../common/place.js";

const DURATION = 1500; // milliseconds
const UPDATES = 5; // of the board meanwhile
const GARMENT = 9; // class of the test image of clothing
const DIGIT = 3; // that of digits, where no drawing can be read
// A 3 in one stroke, of two arcs: centre and radii as shares of the side, first and last angle in degrees.
const ARCS = [
  { x: 0.49, y: 0.335, right: 0.19, down: 0.165, from: -155, to: 90 },
  { x: 0.485, y: 0.665, right: 0.22, down: 0.17, from: -90, to: 155 },
];
const POINTS = 60; // of an arc
const WIDTH = 21;

function pointsOf({ x, y, right, down, from, to }, side) {
  const angles = Array.from({ length: POINTS }, (_, index) => ((from + ((to - from) * index) / (POINTS - 1)) * Math.PI) / 180);
  return angles.map((angle) => [(x + right * Math.cos(angle)) * side, (y + down * Math.sin(angle)) * side, 1]);
}

export function opening({ element, settings, pad }) {
  const { sheet } = pad;
  const isOpen = () => !!sheet.entries[0]?.opening;

  function testImage(label, hint) {
    const { src } = element.querySelectorAll(`.samples[data-dataset=${settings.dataset}] img`)[label];
    return { fresh: true, opening: hint, value: src, src, crisp: true };
  }

  // The points are sent at the same places in every visit, so that the server has the predictions in its cache. The first
  // are there at once, and so is the first answer.
  function write({ points, ...stroke }) {
    const entry = { ...stroke, points: points.slice(0, points.length / UPDATES) };
    const begin = performance.now() - DURATION / UPDATES;
    let sent = 1;
    sheet.add(entry);
    pad.send(true);
    requestAnimationFrame(function step(now) {
      if (sheet.entries[0] !== entry) return;
      const due = Math.min(points.length, Math.ceil(((now - begin) / DURATION) * points.length));
      while (entry.points.length < due) {
        sheet.extend(entry, points[entry.points.length]);
        const update = Math.floor((entry.points.length / points.length) * UPDATES);
        if (update > sent && update < UPDATES) pad.send(true);
        sent = update;
      }
      if (due < points.length) requestAnimationFrame(step);
      else pad.send();
    });
  }

  function show(isStill) {
    if (settings.dataset !== "mnist") return pad.put(testImage(GARMENT, "opening.clothing"));
    if (!isReadable()) return pad.put(testImage(DIGIT, "opening.digits"));
    const points = ARCS.flatMap((arc) => pointsOf(arc, sheet.side));
    const stroke = { fresh: true, opening: "opening.digits", width: WIDTH, points };
    if (isStill) pad.put(stroke);
    else write(stroke);
  }

  // Before the board requests the old image for the new data set.
  function other({ target }) {
    if (target.name !== "dataset" || !isOpen()) return;
    settings.showDataset();
    settings.keepOrder();
    show(true);
  }
  element.addEventListener("change", other, { capture: true });
  pad.canvas.addEventListener("keydown", ({ key }) => key.startsWith("Arrow") && pad.drop());
  if (!sheet.isEmpty || parameters().get("p")) return;
  element.querySelector("#verdict").replaceChildren(); // it says that the canvas is empty
  show(document.hidden || !pad.isShown() || matchMedia("(prefers-reduced-motion: reduce)").matches);
}
