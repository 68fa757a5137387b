// The sketchpad: draw, upload, paste or drop.
import { isField } from "./inputs.js";
import { keyboardPen } from "./keyboard_pen.js";
import { UNREADABLE, isReadable } from "./readable.js";
import { redrawn } from "./redrawn.js";
import { Failure, sentence, upload } from "./server.js";
import { Sheet } from "./sheet.js";
import { say } from "./texts.js";

const PAUSE = 70; // milliseconds between two `draw` events while the pen is down
const PALM = 1000; // milliseconds after a pen in which a touch is that of a palm
const LARGE = 20e6; // bytes: larger files are sent as the browser draws them, which takes less time than sending them
const LOST = ["image.unknown", "image.nofile"]; // the server was restarted, or needed the space
const RESENT = 3; // times at most
export const MOST = 1500; // characters of a drawing and of third-party ids, so that a request has less than 2 KB

// Sends `draw` from the canvas with { value, drawing, opening }: the value is "" (empty), a PNG as a data URL, UNREADABLE, or
// "upload:" and the path on the server; `drawing` is true while the pen is down, `opening` if it is not the visitor's.
// `taken()` is the number of characters of ids.
export function sketchpad(element, taken) {
  const pad = element.querySelector("#sketchpad");
  const [canvas, file, brush] = ["canvas", "input[type=file]", "input[type=range]"].map((each) => pad.querySelector(each));
  const [hint, cursor, status, undoButton, redoButton, turnButton] = ["hint", "cursor", "spoken", "undo", "redo", "turn"].map(
    (name) => pad.querySelector(`.sketchpad-${name}`),
  );
  const [hintText, again] = ["span", "button"].map((each) => hint.querySelector(each));
  const sheet = new Sheet(canvas, whenPainted, () => showHint("pad.unseen"));
  const keyboard = keyboardPen(canvas, cursor, status, {
    begin(point) {
      pointer = null;
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
  let pointer = null; // the id and type of the one that draws it
  let penSeen = -Infinity; // when a pen was last on or over the canvas, in milliseconds
  let touched = { stroke: null, at: 0 }; // the last stroke of a touch, and when it ended
  let sent = 0;
  let trailing = 0; // the timer of the next event while the pen is down
  let uploading = null; // the last upload
  let unsent = null; // the file of an upload that failed

  // With a file that could not be sent, it has a button to try again.
  function showHint(key, values = {}, failed = null) {
    hint.classList.toggle("sketchpad-note", !sheet.isEmpty && key !== "pad.sending");
    hintText.dataset.values = JSON.stringify(values);
    hintText.dataset.text = key;
    hintText.textContent = key && say(key, values);
    hint.hidden = !key;
    unsent = failed;
    again.hidden = !failed;
  }

  function whenPainted() {
    showHint(sheet.isEmpty ? "pad.hint" : (sheet.entries[0].opening ?? ""));
    undoButton.disabled = !sheet.canUndo;
    redoButton.disabled = !sheet.canRedo;
    turnButton.hidden = !sheet.entries[0]?.src || !!sheet.entries[0].opening;
  }

  function value() {
    const [first] = sheet.entries;
    if (first?.src) return first.value;
    if (sheet.isEmpty) return "";
    return isReadable() ? sheet.png(MOST - taken()) : UNREADABLE;
  }

  function send(drawing = false) {
    trailing = clearTimeout(trailing);
    sent = performance.now();
    const detail = { value: value(), drawing, opening: !!sheet.entries[0]?.opening };
    if (detail.value === UNREADABLE) showHint("image.unreadable");
    canvas.dispatchEvent(new CustomEvent("draw", { detail, bubbles: true }));
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
    sheet.drop();
    const fresh = !!sheet.entries[0]?.src || sheet.isEmpty;
    stroke = { fresh, width: Number(brush.value), points: [point] };
    sheet.add(stroke);
  }

  function end() {
    stroke = pointer = null;
    send();
  }

  // Ends the stroke of the pointer or the keyboard.
  function lift() {
    stroke = pointer = null;
    keyboard.lift();
  }

  // Removes the opening.
  function drop() {
    if (sheet.drop()) send();
  }

  async function take(chosen) {
    drop();
    const version = ++sheet.version;
    const src = URL.createObjectURL(chosen);
    showHint("pad.sending");
    try {
      const sent = await sendFile(chosen, src);
      if (version === sheet.version) put({ fresh: true, src, crisp: false, ...sent });
    } catch (error) {
      const why = error instanceof Failure ? error : { key: "failed.said", values: { why: sentence(error) } };
      if (version === sheet.version) showHint("pad.unsent", { why: { key: why.key, values: why.values } }, chosen);
    }
  }

  // Sends a file, or what the browser draws of it if it is large or its size is refused; the result is part of an entry.
  async function sendFile(chosen, src) {
    await chosen.slice(0, 1).arrayBuffer().catch(() => {
      throw new Failure("pad.unread");
    });
    const redraw = (format) => redrawn(src, chosen.type, format);
    const drawn = (format) => redraw(format).catch(() => null);
    let small = chosen.size > LARGE && (await drawn());
    const most = Number(file.dataset.most);
    if (!small && chosen.size > most * 1e6) throw new Failure("image.bytes", { most });
    const send = async (sent) => ({ value: `upload:${await upload(sent)}`, sent, again: sent === chosen ? redraw : null });
    try {
      return await send(small || chosen);
    } catch (error) {
      small = error.status === 413 && !small && (await drawn("image/webp"));
      if (!small) throw error;
      return send(small);
    }
  }

  // Sends the image again if the server lost it, or as the browser draws it if the server cannot decode it. False if that
  // is impossible, or was done before.
  async function resend(value, code) {
    const [image] = sheet.entries;
    if (image?.value !== value || !image.sent) return false;
    const isLost = LOST.includes(code);
    if (isLost ? image.resent >= RESENT : !image.again) return false;
    return (image.sending ??= sendAgain(image, isLost).finally(() => delete image.sending));
  }

  async function sendAgain(image, isLost) {
    try {
      const sent = isLost ? image.sent : await image.again();
      const resent = isLost ? (image.resent ?? 0) + 1 : 0;
      Object.assign(image, { value: `upload:${await upload(sent)}`, sent, resent, again: isLost ? image.again : null });
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

  const isPalm = ({ pointerType, timeStamp }) => pointerType === "touch" && timeStamp - penSeen < PALM;
  // Whether the last stroke is that of a palm, which touched the canvas just before the pen.
  const isOfPalm = ({ timeStamp }) => touched.stroke && sheet.entries.at(-1) === touched.stroke && timeStamp - touched.at < PALM;
  const isDrawing = (event) => stroke && event.pointerId === pointer?.id;
  for (const name of ["pointerdown", "pointermove", "pointerup"])
    canvas.addEventListener(name, ({ pointerType, timeStamp }) => pointerType === "pen" && (penSeen = timeStamp));
  canvas.addEventListener("pointerdown", (event) => {
    const { pointerId: id, pointerType: type } = event;
    const isTaken = stroke && pointer && !(type === "pen" && pointer.type === "touch");
    if (event.button || isTaken || isPalm(event)) return;
    if ((stroke && pointer) || (type === "pen" && isOfPalm(event))) sheet.undo(); // the stroke of the palm
    lift();
    pointer = { id, type };
    canvas.setPointerCapture(id);
    begin(pointOf(event));
    send(true);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!isDrawing(event)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) sheet.extend(stroke, pointOf(each));
    sendSoon();
  });
  // A capture that is lost ends the stroke too, else no other pointer could draw.
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
    canvas.addEventListener(name, (event) => {
      if (!isDrawing(event)) return;
      if (pointer.type === "touch") touched = { stroke, at: event.timeStamp };
      end();
    });

  function clear() {
    if (sheet.isEmpty) return;
    lift();
    if (sheet.entries[0].opening) drop();
    else put({ fresh: true });
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
  again.addEventListener("click", () => startUpload(unsent));
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

  // The hint of a failed upload goes with the next option that is chosen, as with the next stroke.
  element.addEventListener("change", () => unsent && whenPainted());

  sheet.add(); // paints the white paper
  const [isShown, focus] = [() => !!canvas.offsetParent, () => canvas.focus({ preventScroll: true })];
  return { canvas, sheet, put, send, drop, turn, resend, isShown, focus, uploaded: () => uploading };
}
