// A map on a canvas: a dot for each test image, the names of the classes, and the drawing.
export const MARGIN = 6; // CSS pixels around the dots
const SIZE = 1.7; // CSS pixels, the radius of a dot
const FAINT = 0.08; // opacity of the classes that are not emphasised
const HALO = 3; // CSS pixels around a name
const LINE = 13; // CSS pixels from a name to the next below

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

// Names at the medians of their classes, moved down where they would overlap: [{ name, x, y }].
function labelled(pen, names, groups) {
  const found = [];
  const spots = groups.map((points, label) => ({ label, x: median(points.map(([x]) => x)), y: median(points.map(([, y]) => y)) }));
  for (const { label, x, y } of spots.filter((each) => each.x !== undefined).toSorted((a, b) => a.y - b.y)) {
    const half = pen.measureText(names[label]).width / 2 + 1;
    const middle = Math.min(Math.max(x, half), pen.canvas.clientWidth - half);
    let top = y;
    for (const other of found)
      if (Math.abs(other.x - middle) < half + other.half && Math.abs(other.y - top) < LINE) top = other.y + LINE;
    found.push({ name: names[label], label, x: middle, y: top, half });
  }
  return found;
}

function circle(pen, [x, y], radius) {
  pen.moveTo(x + radius, y);
  pen.arc(x, y, radius, 0, 2 * Math.PI);
}

function stroke(pen, colour, width, path) {
  pen.beginPath();
  path();
  Object.assign(pen, { strokeStyle: colour, lineWidth: width });
  pen.stroke();
}

// Draws places from 0 to 1 with their labels; returns a function that marks the one of an index, none for -1, without
// drawing all again. `predicted` is a text of digits, or empty.
export function draw(canvas, { places, drawing, nearest, predicted, labels, names, emphasised }) {
  const side = canvas.clientWidth;
  if (!side) return () => {};
  canvas.width = canvas.height = Math.round(side * devicePixelRatio);
  const pen = canvas.getContext("2d");
  pen.scale(canvas.width / side, canvas.width / side);
  const style = getComputedStyle(canvas);
  const [ink, paper] = ["--map-ink", "--map-paper"].map((name) => style.getPropertyValue(name));
  const onMap = (place) => place.map((each) => MARGIN + each * (side - 2 * MARGIN));
  const points = places.map(onMap);
  const groups = names.map((_, label) => points.filter((_, index) => labels[index] === label));
  const isShown = (label) => emphasised < 0 || label === emphasised;
  groups.forEach((group, label) => {
    pen.globalAlpha = isShown(label) ? 1 : FAINT;
    pen.fillStyle = style.getPropertyValue(`--class-${label}`);
    pen.beginPath();
    for (const point of group) circle(pen, point, SIZE);
    pen.fill();
  });
  pen.globalAlpha = 1;
  const wrong = points.filter((_, index) => predicted && +predicted[index] !== labels[index] && isShown(labels[index]));
  stroke(pen, ink, 0.75, () => wrong.forEach((point) => circle(pen, point, SIZE + 1.5)));
  pen.font = `600 12px ${style.fontFamily}`;
  Object.assign(pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: HALO, strokeStyle: paper, fillStyle: ink });
  for (const { name, label, x, y } of labelled(pen, names, groups)) {
    pen.globalAlpha = isShown(label) ? 1 : 2 * FAINT;
    pen.strokeText(name, x, y);
    pen.fillText(name, x, y);
  }
  pen.globalAlpha = 1;
  if (drawing) drawCross(pen, onMap(drawing), nearest.map((index) => points[index]), [ink, paper]);
  const drawn = new OffscreenCanvas(canvas.width, canvas.height);
  drawn.getContext("2d").drawImage(canvas, 0, 0);
  return (index) => {
    pen.clearRect(0, 0, side, side);
    pen.drawImage(drawn, 0, 0, side, side);
    if (index >= 0) for (const [colour, width] of [[paper, 4], [ink, 2]]) stroke(pen, colour, width, () => circle(pen, points[index], 6));
  };
}

// The drawing, joined to its nearest test images.
function drawCross(pen, [x, y], nearest, [ink, paper]) {
  stroke(pen, ink, 0.75, () =>
    nearest.forEach((point) => {
      pen.moveTo(x, y);
      pen.lineTo(...point);
    }),
  );
  for (const [colour, width] of [[paper, 6], [ink, 2.5]])
    stroke(pen, colour, width, () => {
      pen.moveTo(x - 7, y);
      pen.lineTo(x + 7, y);
      pen.moveTo(x, y - 7);
      pen.lineTo(x, y + 7);
    });
}
