// The sketchpad: draw, upload, paste or drop. Runs once, when the component appears; `element`, `props`, `trigger` and
// `upload` come from gr.HTML. The value is "" (empty), a PNG as a data URL, or "upload:" and the path the server gave.
const canvas = element.querySelector("canvas");
const hint = element.querySelector(".sketchpad-hint");
const file = element.querySelector("input");
const pen = canvas.getContext("2d");
const small = document.createElement("canvas");
small.width = small.height = 112;
const WIDTH = canvas.width * 0.075;
const PAUSE = 80; // milliseconds between two answers while the pointer is down
let last = null; // where the pen was, while it is down
let drawn = false; // the canvas holds a drawing, not a picture or nothing
let sent = 0;
let turn = 0; // uploads that were overtaken by something newer are dropped

function tell(value) {
  sent = performance.now();
  props.value = value;
  trigger("input");
}

function say(text) {
  hint.textContent = text;
  hint.hidden = !text;
}

function wipe() {
  turn += 1;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  drawn = false;
}

function clear() {
  wipe();
  say(hint.dataset.empty);
  tell("");
}

function tellDrawing() {
  const copy = small.getContext("2d");
  copy.imageSmoothingQuality = "high";
  copy.drawImage(canvas, 0, 0, small.width, small.height);
  tell(small.toDataURL("image/png"));
}

function show(source, crisp) {
  const picture = new Image();
  picture.onload = () => {
    const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    pen.imageSmoothingEnabled = !crisp;
    pen.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
  };
  picture.onerror = () => say("This browser cannot show the picture");
  picture.src = source;
}

async function take(picture) {
  wipe();
  const mine = turn;
  say("Sending the picture …");
  try {
    const { path } = await upload(picture);
    if (mine !== turn) return;
    say("");
    show(URL.createObjectURL(picture), false);
    tell("upload:" + path);
  } catch {
    if (mine === turn) say("The picture could not be sent; it may be too large (20 MB)");
  }
}

function at(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
}

function line(to) {
  pen.lineWidth = WIDTH;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = "#111";
  pen.beginPath();
  pen.moveTo(...last);
  pen.lineTo(...to);
  pen.stroke();
  last = to;
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!drawn) wipe();
  drawn = true;
  say("");
  canvas.setPointerCapture(event.pointerId);
  last = at(event);
  line(last);
});
canvas.addEventListener("pointermove", (event) => {
  if (!last) return;
  const events = event.getCoalescedEvents?.() ?? [];
  for (const each of events.length ? events : [event]) line(at(each));
  if (performance.now() - sent > PAUSE) tellDrawing();
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    if (last) tellDrawing();
    last = null;
  });
}
element.querySelector(".sketchpad-clear").addEventListener("click", clear);
element.querySelector(".sketchpad-upload").addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  if (file.files[0]) take(file.files[0]);
  file.value = "";
});
canvas.addEventListener("dragover", (event) => event.preventDefault());
canvas.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const pasted = [...(event.clipboardData?.files ?? [])][0];
  if (pasted && canvas.offsetParent) take(pasted);
});
// A sample of the strip below was chosen: its bytes are the picture, so the networks get exactly the test picture.
document.addEventListener("lineup:sample", (event) => {
  wipe();
  say("");
  show(event.detail, true);
  tell(event.detail);
});

wipe();
