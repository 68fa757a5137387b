// The drawing on a canvas, with undo and redo.

const INK = "#111";
const PAPER = "#fff";

export class Sheet {
  // Entries, oldest first: a stroke { width, points: [[x, y, pressure]] } or an image { value, src, crisp, turn }, turned by
  // so many quarters clockwise; an upload has the file that was `sent`, and can be drawn `again()`. A `fresh` one begins on
  // a white sheet, and `{ fresh: true }` is a cleared sheet. `all` are entries added at once. One with `opening`, the
  // key of its hint, is not the visitor's: the next one takes its place.
  #done = [];
  #undone = [];
  #canvas;
  #pen;
  #small = document.createElement("canvas");
  #whenPainted;
  #whenBroken;
  version = 0; // grows with every change; older uploads and images are dropped

  constructor(canvas, whenPainted, whenBroken) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    this.#whenPainted = whenPainted;
    this.#whenBroken = whenBroken;
  }

  get side() {
    return this.#canvas.width;
  }

  // The visible entries.
  get entries() {
    const visible = this.#done.slice(Math.max(0, this.#done.findLastIndex((each) => each.fresh)));
    return visible.flatMap((each) => each.all ?? [each]);
  }

  get isEmpty() {
    return !this.entries.some((each) => each.points || each.src);
  }

  get #isOpening() {
    return !!this.#done.at(-1)?.opening;
  }

  get canUndo() {
    return this.#done.length > 0 && !this.#isOpening;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  add(...entries) {
    if (this.#isOpening) this.#done.pop();
    this.#done.push(...entries);
    this.#undone = [];
    this.#paint();
  }

  // Turns all that is visible clockwise by so many quarters, as one entry to undo.
  turn(quarters) {
    this.add({ fresh: true, all: this.entries.map((each) => turned(each, quarters, this.side)) });
  }

  // Removes an opening entry. False if there was none.
  drop() {
    if (!this.#isOpening) return false;
    this.#done.pop();
    this.#paint();
    return true;
  }

  // False if there was nothing to undo.
  undo() {
    return this.canUndo && this.#move(this.#done, this.#undone);
  }

  redo() {
    return this.#move(this.#undone, this.#done);
  }

  // Adds a point to the last stroke.
  extend(stroke, point) {
    stroke.points.push(point);
    this.#drawSegment(stroke, stroke.points.length - 1);
  }

  // A PNG as a data URL of at most so many characters.
  png(most) {
    const small = this.#small;
    let text = "";
    for (const side of [112, 84, 56, 42, 28, 20, 16]) {
      small.width = small.height = side;
      const copy = small.getContext("2d");
      copy.imageSmoothingQuality = "high";
      copy.drawImage(this.#canvas, 0, 0, side, side);
      text = small.toDataURL("image/png");
      if (text.length <= most) break;
    }
    return text;
  }

  #move(from, to) {
    if (!from.length) return false;
    to.push(from.pop());
    this.#paint();
    return true;
  }

  #paint() {
    this.version += 1;
    this.#pen.fillStyle = PAPER;
    this.#pen.fillRect(0, 0, this.side, this.side);
    for (const each of this.entries) {
      if (each.src) this.#drawImage(each);
      each.points?.forEach((_, index) => this.#drawSegment(each, index));
    }
    this.#whenPainted();
  }

  #drawSegment({ width, points }, index) {
    const [x, y, pressure] = points[index];
    this.#pen.lineWidth = width * pressure;
    this.#pen.lineCap = this.#pen.lineJoin = "round";
    this.#pen.strokeStyle = INK;
    this.#pen.beginPath();
    this.#pen.moveTo(...points[Math.max(0, index - 1)].slice(0, 2));
    this.#pen.lineTo(x + 0.01, y); // a line without length would be invisible
    this.#pen.stroke();
  }

  #drawImage({ src, crisp, turn = 0 }) {
    const image = new Image();
    const { version } = this;
    image.addEventListener("load", () => {
      if (version !== this.version) return;
      const scale = Math.min(this.side / image.width, this.side / image.height);
      const [width, height] = [image.width * scale, image.height * scale];
      this.#pen.imageSmoothingEnabled = !crisp;
      this.#pen.save();
      this.#pen.translate(this.side / 2, this.side / 2);
      this.#pen.rotate((turn * Math.PI) / 2);
      this.#pen.drawImage(image, -width / 2, -height / 2, width, height);
      this.#pen.restore();
    });
    image.addEventListener("error", this.#whenBroken);
    image.src = src;
  }
}

// A copy of an entry, without what holds of the image as it was: its code, the digit chosen on it, and a new upload of it.
function turned(entry, quarters, side) {
  const copy = { ...entry, opening: undefined, code: undefined, digit: undefined, sending: undefined };
  if (copy.src) return { ...copy, turn: ((copy.turn ?? 0) + quarters) % 4 };
  for (let count = 0; count < quarters; count += 1)
    copy.points = copy.points.map(([x, y, pressure]) => [side - y, x, pressure]);
  return copy;
}
