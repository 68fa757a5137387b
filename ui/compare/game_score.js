// The points of a drawing, by the server's predictions for it.
import { isReadable } from "../common/readable.js";
import { Failure } from "../common/server.js";
import { Sheet } from "../common/sheet.js";
import { MOST } from "../common/sketchpad.js";
import { language } from "../common/texts.js";
import { decode, encodeStrokes } from "./codec.js";

const SHORT = 130; // bytes of a drawing of which ten fit into a link
const LONG = 600; // of one that loses too much as a short one; ten of them do not fit
const CLOSE = 5; // points that a short one may lose

// What the two networks of a round predict, and the points: the smaller probability of the two that are wanted, in
// percent, less one for every percent of the input that is inked beyond what is usual for these classes. Null while one
// of the predictions is missing.
export function judge({ names, labels }, { answers, probabilities, ink }, table) {
  if (!names.every((name) => probabilities[name])) return null;
  const sides = names.map((name, index) => {
    const [label, wanted] = [answers[name], labels[index]];
    return { name, wanted, label, share: probabilities[name][wanted], isRight: label === wanted };
  });
  const usual = Math.max(...labels.map((label) => table.ink[table.classes.indexOf(label)]));
  const margin = Math.round(100 * Math.min(...sides.map(({ share }) => share)));
  const cost = Math.max(0, Math.round(100 * (ink - usual)));
  const isSplit = sides.every(({ isRight }) => isRight);
  return { sides, margin, cost, isSplit, points: isSplit ? Math.max(1, margin - cost) : 0 };
}

const nothing = () => {};

// A drawing on a sheet of its own, of this side.
export function sheetOf(code, side) {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const sheet = new Sheet(canvas, nothing, nothing);
  sheet.add(...decode(code, side));
  return { canvas, sheet };
}

// What `judge` says of a code, by a request of its own: with all steps, and calibrated. Throws Failure.
export async function measure(call, { dataset, round, table }, { code, side }) {
  if (!isReadable()) throw new Failure("image.unreadable");
  const image = sheetOf(code, side).sheet.png(MOST);
  const found = judge(round, await call("predict", { image, dataset, models: round.names, language }), table);
  return found && { ...found, code };
}

// The codes as which strokes can be kept, the shorter one first; none if there are too many strokes.
export const codesOf = (strokes, side) => [
  ...new Set([SHORT, LONG].map((most) => encodeStrokes(strokes, side, most)).filter(Boolean)),
];

// What `measure` says of the shorter of two codes, unless that loses points; null if neither splits the networks.
export async function measureCodes(call, task, { codes, side }) {
  const found = [];
  for (const code of codes) found.push(await measure(call, task, { code, side }));
  const split = found.filter((each) => each?.isSplit);
  const best = Math.max(...split.map(({ points }) => points));
  return split.find(({ points }) => best - points <= CLOSE) ?? null;
}
