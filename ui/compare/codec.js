// Drawings as short codes for the address: "t" and strokes, or "p" and a 28 × 28 grey image of 4 bits; in base64url.
import { UNREADABLE, isReadable } from "../common/readable.js";

const APART = 3; // distance between the points that are kept of a stroke, of 255 units
const MOST_BYTES = 18_000; // of a drawing
const SIDE = 28;
const MARGIN = 0.25; // around the sheet, as a share of its side: strokes are kept there too

const toText = (bytes) =>
  btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join("")).replace(
    /[+/=]/g,
    (sign) => ({ "+": "-", "/": "_" })[sign] ?? "",
  );
const toBytes = (text) => [...atob(text.replaceAll("-", "+").replaceAll("_", "/"))].map((each) => each.charCodeAt(0));
const byte = (number) => Math.min(255, Math.max(0, Math.round(number)));
const pack = (x, side) => ((x / side + MARGIN) / (1 + 2 * MARGIN)) * 255;
const unpack = (byte, side) => ((byte / 255) * (1 + 2 * MARGIN) - MARGIN) * side;

// For each stroke: width, number of points (2 bytes), then x, y and pressure of each; empty if it takes too many bytes.
export function encodeStrokes(strokes, side, most = MOST_BYTES) {
  for (let apart = APART; apart < 255; apart *= 2) {
    const bytes = strokes.flatMap((each) => thinned(each, apart, side));
    if (bytes.length <= most) return `t${toText(bytes)}`;
  }
  return "";
}

// A stroke as bytes, without points that are closer than `apart` to the one before.
function thinned({ width, points }, apart, side) {
  const [first, ...rest] = points.map(([x, y, pressure]) => [pack(x, side), pack(y, side), pressure * 100].map(byte));
  const far = [first];
  for (const point of rest)
    if (point === rest.at(-1) || Math.hypot(point[0] - far.at(-1)[0], point[1] - far.at(-1)[1]) >= apart) far.push(point);
  return [width, far.length >> 8, far.length & 255, ...far.flat()];
}

// The code of a 28 × 28 <img>.
export function encodeImage(image) {
  const copy = document.createElement("canvas").getContext("2d");
  copy.drawImage(image, 0, 0, SIDE, SIDE);
  const all = copy.getImageData(0, 0, SIDE, SIDE).data;
  const grey = (index) => Math.round(all[4 * index] / 17);
  return `p${toText(Array.from({ length: (SIDE * SIDE) / 2 }, (_, index) => (grey(2 * index) << 4) | grey(2 * index + 1)))}`;
}

// The entries of a sheet of this side, which encode to the same code again; throws if the code is invalid.
export function decode(code, side) {
  const bytes = toBytes(code.slice(1));
  if (code[0] === "p" && bytes.length === (SIDE * SIDE) / 2) return [decodeImage(bytes, code)];
  if (code[0] === "t" && bytes.length <= MOST_BYTES) return decodeStrokes(bytes, side);
  throw new Error("not a drawing");
}

function decodeImage(bytes, code) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const image = new ImageData(SIDE, SIDE);
  const greys = bytes.flatMap((two) => [(two >> 4) * 17, (two & 15) * 17]);
  greys.forEach((grey, index) => image.data.set([grey, grey, grey, 255], 4 * index));
  canvas.getContext("2d").putImageData(image, 0, 0);
  const src = canvas.toDataURL("image/png");
  return { fresh: true, value: isReadable() ? src : UNREADABLE, src, crisp: true, code };
}

function decodeStrokes(bytes, side) {
  const entries = [];
  for (let start = 0; start < bytes.length; ) {
    const [width, high, low] = bytes.slice(start, start + 3);
    const end = start + 3 + 3 * (high * 256 + low);
    const points = [];
    for (start += 3; start < end; start += 3)
      points.push([unpack(bytes[start], side), unpack(bytes[start + 1], side), bytes[start + 2] / 100]);
    if (!points.length || points.flat().some(Number.isNaN)) throw new Error("cut short");
    entries.push({ fresh: !entries.length, width: Math.min(40, Math.max(8, width)), points });
  }
  return entries;
}
