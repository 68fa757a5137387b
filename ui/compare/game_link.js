// Games as texts for a link: data set, networks and rounds, then the drawings, or the points alone where they are too long.
import { decode } from "./codec.js";

export const ROUNDS = 10;
const LONGEST = 20_000; // characters of a text that is read
const MOST = 1900; // characters of one that is written: some programs cut a link of more than 2,000
const DRAWING = /^(t[\w-]{1,2000})?$/;
const POINTS = /^\d{1,3}(-\d{1,3}){9}$/;
const SIDE = 280; // any, for the check

const PLAYED = /^[\da-z]{40}$/; // ROUNDS of four digits

const fours = (text) => text.match(/.{4}/g);
const digit = (index) => index.toString(36);
const largest = (text) => Math.max(parseInt(text[0], 36), parseInt(text[1], 36)); // index of a network

// { names, labels }: two networks, and the class that each has to predict. Throws for any other text.
function roundOf(text, { networks, classes }) {
  const [first, second, label, other] = Array.from(text, (each) => parseInt(each, 36));
  const round = { names: [networks[first], networks[second]], labels: [classes[label], classes[other]] };
  const isWhole = [...round.names, ...round.labels].every((each) => each !== undefined);
  if (!isWhole || round.names[0] === round.names[1] || label === other) throw new Error("not a round");
  return round;
}

function textOf({ names, labels }, { networks, classes }) {
  return [...names.map((name) => networks.indexOf(name)), ...labels.map((label) => classes.indexOf(label))].map(digit).join("");
}

// Ten rounds by chance, no two with the same classes where there are enough; those of small networks are first.
export function draw({ rounds, ...table }) {
  const shuffled = fours(rounds).map((each) => [Math.random(), each]).toSorted(([a], [b]) => a - b);
  const [fresh, others, seen] = [[], [], new Set()];
  for (const [, text] of shuffled) {
    const pair = [text[2], text[3]].toSorted().join("");
    (seen.has(pair) ? others : fresh).push(text);
    seen.add(pair);
  }
  const chosen = [...fresh, ...others].slice(0, ROUNDS).toSorted((a, b) => largest(a) - largest(b));
  return chosen.map((text) => roundOf(text, table));
}

// The ten rounds; with a result, the drawings too, or the points alone.
export function encode({ dataset, rounds, codes, points }, table, hasResult) {
  const head = [dataset, table.networks.join("-"), rounds.map((each) => textOf(each, table)).join("")].join(".");
  if (!hasResult) return head;
  const whole = [head, ...codes].join(".");
  const isWhole = codes.every((code, index) => code || !points[index]);
  return isWhole && whole.length <= MOST ? whole : `${head}.${points.map((each) => each ?? 0).join("-")}`;
}

// The game of an untrusted text: `codes` are the drawings, `points` those that are reported; neither without a result. Throws.
export function parse(text, tables) {
  const [dataset, names, digits, ...rest] = text.slice(0, LONGEST).split(".");
  const table = Object.hasOwn(tables, dataset) ? tables[dataset] : null;
  const networks = names.split("-");
  if (!table || !networks.every((name) => table.networks.includes(name))) throw new Error("unknown");
  if (!PLAYED.test(digits)) throw new Error("not ten rounds");
  const rounds = fours(digits).map((each) => roundOf(each, { ...table, networks }));
  const game = { dataset, rounds, codes: Array(ROUNDS).fill(""), points: Array(ROUNDS).fill(0) };
  if (!rest.length) return { ...game, kind: "rounds" };
  if (rest.length === 1 && POINTS.test(rest[0]))
    return { ...game, kind: "points", points: rest[0].split("-").map((each) => Math.min(100, Number(each))) };
  return { ...game, kind: "drawings", codes: checked(rest) };
}

// The codes of ten drawings, empty where there is none. Throws for anything else.
export function checked(codes) {
  const areCodes = codes.length === ROUNDS && codes.every((code) => typeof code === "string" && DRAWING.test(code));
  if (!areCodes) throw new Error("not ten drawings");
  codes.filter(Boolean).forEach((code) => decode(code, SIDE));
  return codes;
}
