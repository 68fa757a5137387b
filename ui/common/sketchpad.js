// The sketchpad: draw, upload, paste or drop.
import { isField } from "./inputs.js";
import { keyboardPen } from "./keyboard_pen.js";
import { redrawn } from "./redrawn.js";
import { Sheet } from "./sheet.js";
import { say } from "./texts.js";

const PAUSE = 70; // milliseconds between two `draw` events while the pen is down
const LARGE = 20e6; // bytes: larger files are sent as the browser draws them, which takes less time than sending them
const MOST = 1500; // characters of a drawing and of third-party ids, so that a request has less than 2 KB

// Sends `draw` from the canvas with { value, drawing }: the value is "" (empty), a PNG as a data URL, or "upload:" and
// the path on the server; `drawing` is true while the pen is down. `taken()` is the number of characters of ids.
export function sketchpad(element, upload, taken) {
  const pad = element.querySelector("#sketchpad");
  const [canvas, file, brush] = ["canvas", "input[type=file]", "input[type=range]"].map((each) => pad.querySelector(each));
  const [hint, cursor, status, undoButton, redoButton, turnButton] = ["hint", "cursor", "spoken", "undo", "redo", "turn"].map(
    (name) => pad.querySelector(`.sketchpad-${name}`),
  );
  const sheet = new Sheet(canvas, whenPainted, () => showHint("pad.unseen"));
  const keyboard = keyboardPen(canvas, cursor, status, {
    begin(point) {
      begin(point);
      send(true);
    },
    extend(point) {
      sheet.extend(stroke, point);
      sendSoon();
    },
    end,
  });
  let stroke = null; // while it is drawn
  let sent = 0;
  let trailing = 0; // the timer of the next event while the pen is down
  let uploading = null; // the last upload

  function showHint(key, values = {}) {
    hint.dataset.values = JSON.stringify(values);
    hint.dataset.text = key;
    hint.textContent = key && say(key, values);
    hint.hidden = !key;
  }

  function whenPainted() {
    showHint(sheet.isEmpty ? "pad.hint" : "");
    undoButton.disabled = !sheet.canUndo;
    redoButton.disabled = !sheet.canRedo;
    turnButton.hidden = !sheet.entries[0]?.src;
  }

  function value() {
    const [first] = sheet.entries;
    if (first?.src) return first.value;
    return sheet.isEmpty ? "" : sheet.png(MOST - taken());
  }

  function send(drawing = false) {
    trailing = clearTimeout(trailing);
    sent = performance.now();
    canvas.dispatchEvent(new CustomEvent("draw", { detail: { value: value(), drawing }, bubbles: true }));
  }

  // In steps of PAUSE; the last point before the pen rests is sent too.
  function sendSoon() {
    trailing ||= setTimeout(send, sent + PAUSE - performance.now(), true);
  }

  function put(...entries) {
    sheet.add(...entries);
    send();
  }

  function begin(point) {
    const fresh = !!sheet.entries[0]?.src || sheet.isEmpty;
    stroke = { fresh, width: Number(brush.value), points: [point] };
    sheet.add(stroke);
  }

  function end() {
    stroke = null;
    send();
  }

  // Ends the stroke of the pointer or the keyboard.
  function lift() {
    stroke = null;
    keyboard.lift();
  }

  async function take(chosen) {
    const version = ++sheet.version;
    const src = URL.createObjectURL(chosen);
    showHint("pad.sending");
    try {
      const small = chosen.size > LARGE && (await redrawn(src, chosen.type).catch(() => null));
      const { path } = await upload(small || chosen);
      if (version !== sheet.version) return;
      put({ fresh: true, value: `upload:${path}`, src, crisp: false, again: small ? null : () => redrawn(src, chosen.type) });
    } catch {
      if (version === sheet.version) showHint("pad.unsent", { most: file.dataset.most });
    }
  }

  // Sends an upload that the server refused as the browser draws it. False if that was done before, or is impossible.
  async function redraw(value) {
    const [image] = sheet.entries;
    if (image?.value !== value || !image.again) return false;
    return (image.redrawing ??= sendRedrawn(image));
  }

  async function sendRedrawn(image) {
    try {
      const { path } = await upload(await image.again());
      Object.assign(image, { value: `upload:${path}`, again: null });
    } catch {
      return false;
    }
    if (sheet.entries[0] === image) send();
    return true;
  }

  function pointOf(event) {
    const box = canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure ? 0.5 + event.pressure : 1;
    const { side } = sheet;
    return [((event.clientX - box.left) * side) / box.width, ((event.clientY - box.top) * side) / box.height, pressure];
  }

  const isDrawing = (event) => stroke && !keyboard.isDown() && event.isPrimary;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    lift();
    canvas.setPointerCapture(event.pointerId);
    begin(pointOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!isDrawing(event)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) sheet.extend(stroke, pointOf(each));
    sendSoon();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => isDrawing(event) && end());

  function clear() {
    if (sheet.isEmpty) return;
    lift();
    put({ fresh: true });
  }

  function undo() {
    lift();
    if (sheet.undo()) send();
  }

  function redo() {
    lift();
    if (sheet.redo()) send();
  }

  function turn(quarters) {
    lift();
    sheet.turn(quarters);
    send();
  }

  pad.querySelector(".sketchpad-clear").addEventListener("click", clear);
  undoButton.addEventListener("click", undo);
  redoButton.addEventListener("click", redo);
  turnButton.addEventListener("click", () => turn(1));
  // For the whole tab: after its own click, a disabled button has lost the focus.
  document.addEventListener("keydown", (event) => {
    if (isField(event.target) || !canvas.offsetParent) return;
    const isZ = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (event.key === "Escape") clear();
    else if (isZ && event.shiftKey) redo();
    else if (isZ) undo();
    else return;
    event.preventDefault();
  });

  const startUpload = (chosen) => (uploading = take(chosen));
  pad.querySelector(".sketchpad-upload").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    if (file.files[0]) startUpload(file.files[0]);
    file.value = "";
  });
  // For the whole tab: the browser would open an image that is dropped beside the canvas.
  element.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
  element.addEventListener("drop", (event) => {
    const [dropped] = event.dataTransfer.files;
    if (!dropped) return;
    event.preventDefault();
    startUpload(dropped);
  });
  document.addEventListener("paste", (event) => {
    const [pasted] = event.clipboardData?.files ?? [];
    if (pasted && canvas.offsetParent) startUpload(pasted);
  });
  // The bytes of a sample are sent, so that the input is exactly the test image.
  element.querySelector("#samples").addEventListener("click", (event) => {
    const src = event.target.closest("button")?.querySelector("img").src;
    if (src) put({ fresh: true, value: src, src, crisp: true });
  });

  sheet.add(); // paints the white paper
  const [isShown, focus] = [() => !!canvas.offsetParent, () => canvas.focus({ preventScroll: true })];
  return { sheet, put, turn, redraw, isShown, focus, uploaded: () => uploading };
}
