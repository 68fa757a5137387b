// The sketchpad: draw, upload, paste or drop. `element` and `upload` come from gr.HTML. Whoever listens for `draw` on
// the canvas gets { value, drawing }: the value is "" (empty), a PNG as a data URL, or "upload:" and the path the server
// gave; `drawing` says that the pen is down.
const { say } = window.lineup;
const canvas = element.querySelector("#sketchpad canvas");
const hint = element.querySelector(".sketchpad-hint");
const cursor = element.querySelector(".sketchpad-cursor");
const file = element.querySelector("#sketchpad input[type=file]");
const brush = element.querySelector("#sketchpad input[type=range]");
const spoken = element.querySelector(".sketchpad-spoken");
const pen = canvas.getContext("2d");
const small = document.createElement("canvas");
const SIDE = canvas.width;
const PAUSE = 70; // milliseconds between two answers while the pen is down
const MOST = 1500; // characters of a drawing and of brought networks' names: an update stays under 2 KB with the rest
const STEP = 7; // pixels for a press of an arrow key

// What was done, oldest first; each is a stroke { width, points: [[x, y, pressure]] } or a picture { value, src, crisp },
// and a `fresh` one starts on a white sheet (`{ fresh: true }` alone is a sheet that was cleared).
let done = [];
let undone = [];
let stroke = null; // the one that is being drawn
let keys = null; // where the keyboard's pen is: { x, y, down }
let sent = 0;
let trailing = 0; // the timer of the next answer while the pen is down
let taking = null; // the upload that was last begun
let turn = 0; // uploads that were overtaken by something newer are dropped

const sheet = () => done.slice(Math.max(0, done.findLastIndex((each) => each.fresh)));
const isEmpty = () => !sheet().some((each) => each.points || each.src);

function hintAt(key, values = {}) {
  hint.dataset.values = JSON.stringify(values);
  hint.dataset.text = key;
  hint.textContent = key && say(key, values);
  hint.hidden = !key;
}

function segment({ width, points }, index) {
  const [x, y, pressure] = points[index];
  pen.lineWidth = width * pressure;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#111";
  pen.beginPath();
  pen.moveTo(...points[Math.max(0, index - 1)].slice(0, 2));
  pen.lineTo(x + 0.01, y); // of a line without length, nothing would be seen
  pen.stroke();
}

function picture({ src, crisp }) {
  const image = new Image();
  const mine = turn;
  image.onload = () => {
    if (mine !== turn) return;
    const scale = Math.min(SIDE / image.width, SIDE / image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    pen.imageSmoothingEnabled = !crisp;
    pen.drawImage(image, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  };
  image.onerror = () => hintAt("pad.unseen");
  image.src = src;
}

function paint() {
  turn += 1;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, SIDE, SIDE);
  for (const each of sheet()) {
    if (each.src) picture(each);
    each.points?.forEach((_, index) => segment(each, index));
  }
  hintAt(isEmpty() ? "pad.hint" : "");
  element.querySelector(".sketchpad-undo").disabled = !done.length;
  element.querySelector(".sketchpad-redo").disabled = !undone.length;
}

function value() {
  const shown = sheet();
  if (shown[0]?.src) return shown[0].value;
  if (isEmpty()) return "";
  const most = MOST - chosen("model").filter((name) => name.includes("/")).join().length;
  let text = "";
  for (const side of [112, 84, 56, 42, 28, 20, 16]) {
    small.width = small.height = side;
    const copy = small.getContext("2d");
    copy.imageSmoothingQuality = "high";
    copy.drawImage(canvas, 0, 0, side, side);
    text = small.toDataURL("image/png");
    if (text.length <= most) break;
  }
  return text;
}

function tell(drawing = false) {
  trailing = clearTimeout(trailing);
  sent = performance.now();
  canvas.dispatchEvent(new CustomEvent("draw", { detail: { value: value(), drawing }, bubbles: true }));
}

// While the pen is down, also for the last ink before it rests.
function follow() {
  trailing ||= setTimeout(tell, sent + PAUSE - performance.now(), true);
}

function add(entry) {
  done.push(entry);
  undone = [];
  paint();
}

function put(entry) {
  add({ fresh: true, ...entry });
  tell();
}

function move(from, to) {
  if (!from.length) return;
  to.push(from.pop());
  paint();
  tell();
}

function begin(point) {
  stroke = { fresh: !!sheet()[0]?.src || isEmpty(), width: Number(brush.value), points: [point] };
  add(stroke);
}

function extend(point) {
  stroke.points.push(point);
  segment(stroke, stroke.points.length - 1);
}

const take = (chosen) => (taking = send(chosen));

async function send(chosen) {
  const mine = ++turn;
  hintAt("pad.sending");
  try {
    const { path } = await upload(chosen);
    if (mine !== turn) return;
    put({ value: "upload:" + path, src: URL.createObjectURL(chosen), crisp: false });
  } catch {
    if (mine === turn) hintAt("pad.unsent", { most: file.dataset.most });
  }
}

function at(event) {
  const box = canvas.getBoundingClientRect();
  const pressure = event.pointerType === "pen" && event.pressure ? 0.5 + event.pressure : 1;
  return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height, pressure];
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button || !event.isPrimary) return;
  lift();
  canvas.setPointerCapture(event.pointerId);
  begin(at(event));
});
canvas.addEventListener("pointermove", (event) => {
  if (!stroke || keys?.down || !event.isPrimary) return;
  const events = event.getCoalescedEvents?.() ?? [];
  for (const each of events.length ? events : [event]) extend(at(each));
  follow();
});
for (const end of ["pointerup", "pointercancel"])
  canvas.addEventListener(end, (event) => {
    if (!stroke || keys?.down || !event.isPrimary) return;
    stroke = null;
    tell();
  });

// The keyboard's pen: arrows move it, Space lowers and lifts it.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function showCursor() {
  cursor.hidden = !keys;
  if (!keys) return;
  cursor.style.left = `${(keys.x / SIDE) * 100}%`;
  cursor.style.top = `${(keys.y / SIDE) * 100}%`;
  cursor.classList.toggle("sketchpad-down", keys.down);
}

// Ends the stroke, whoever draws it.
function lift() {
  stroke = null;
  if (keys) keys.down = false;
  showCursor();
}

canvas.addEventListener("keydown", (event) => {
  const arrow = ARROWS[event.key];
  if (arrow) {
    keys ??= { x: SIDE / 2, y: SIDE / 2, down: false };
    keys.x = Math.min(SIDE, Math.max(0, keys.x + arrow[0] * STEP));
    keys.y = Math.min(SIDE, Math.max(0, keys.y + arrow[1] * STEP));
    if (keys.down) {
      extend([keys.x, keys.y, 1]);
      follow();
    }
  } else if (event.key === " " && !event.repeat) {
    keys ??= { x: SIDE / 2, y: SIDE / 2, down: false };
    keys.down = !keys.down;
    if (keys.down) begin([keys.x, keys.y, 1]);
    else stroke = null;
    spoken.textContent = say(keys.down ? "pad.down" : "pad.up");
    tell(keys.down);
  } else if (event.key !== " ") return;
  event.preventDefault();
  showCursor();
});
canvas.addEventListener("blur", () => {
  const wasDown = keys?.down;
  if (wasDown) lift();
  keys = null;
  showCursor();
  if (wasDown) tell();
});

const clear = () => !isEmpty() && (lift(), put({}));
const undo = () => (lift(), move(done, undone));
const redo = () => (lift(), move(undone, done));
element.querySelector(".sketchpad-clear").addEventListener("click", clear);
element.querySelector(".sketchpad-undo").addEventListener("click", undo);
element.querySelector(".sketchpad-redo").addEventListener("click", redo);
const isField = (target) => target.matches("input:not([type=checkbox], [type=radio], [type=range]), select, textarea");
// Of the whole tab: a button that is disabled by what it did leaves the focus to nobody.
document.addEventListener("keydown", (event) => {
  if (isField(event.target) || !canvas.offsetParent) return; // a field has an undo of its own
  const isZ = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
  if (event.key === "Escape") clear();
  else if (isZ && event.shiftKey) redo();
  else if (isZ) undo();
  else return;
  event.preventDefault();
});
element.querySelector(".sketchpad-upload").addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  if (file.files[0]) take(file.files[0]);
  file.value = "";
});
// Anywhere on the tab: beside the canvas the browser would leave the page for the picture.
element.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
element.addEventListener("drop", (event) => {
  const [dropped] = event.dataTransfer.files;
  if (!dropped) return;
  event.preventDefault();
  take(dropped);
});
document.addEventListener("paste", (event) => {
  const pasted = [...(event.clipboardData?.files ?? [])][0];
  if (pasted && canvas.offsetParent) take(pasted);
});
// A sample's bytes are the picture, so the networks get exactly the test picture.
element.querySelector("#samples").addEventListener("click", (event) => {
  const src = event.target.closest("button")?.querySelector("img").src;
  if (src) put({ value: src, src, crisp: true });
});

paint();
