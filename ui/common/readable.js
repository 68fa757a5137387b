// Whether this browser lets the page read a canvas: some return white or random pixels, or refuse, to prevent fingerprinting.
const SIDE = 8;
const TOLERANCE = 8; // Brave changes the lowest bits, which no network notices
let readable = false; // once it is, it stays; else it may be allowed meanwhile

export const UNREADABLE = "unreadable"; // the value of a drawing that cannot be read

// Grey squares from black to white, or from white to black.
function pattern(isInverse) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const pen = canvas.getContext("2d");
  const greys = Array.from({ length: SIDE * SIDE }, (_, index) => (isInverse ? 255 - 4 * index : 4 * index));
  greys.forEach((grey, index) => {
    pen.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    pen.fillRect(index % SIDE, Math.floor(index / SIDE), 1, 1);
  });
  return { canvas, pen, greys };
}

function isRead() {
  const [{ canvas, pen, greys }, other] = [pattern(false), pattern(true)];
  const { data } = pen.getImageData(0, 0, SIDE, SIDE);
  const isTrue = greys.every((grey, index) => Math.abs(data[4 * index] - grey) <= TOLERANCE);
  return isTrue && canvas.toDataURL() !== other.canvas.toDataURL();
}

export function isReadable() {
  try {
    return (readable ||= isRead());
  } catch {
    return false;
  }
}
