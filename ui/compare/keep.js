// Keep and share: the address holds the drawing and what is chosen; the strip holds this visit's drawings, in this
// browser only; labelled ones are my handwriting.
const strip = element.querySelector(".keep-strip");
const figures = element.querySelector(".keep-figures");
const labels = element.querySelector("select[name=label]");
const told = element.querySelector(".keep-spoken");
const STORE = "lineup.sheets";
const APART = 3; // between two points that are kept of a stroke, in the units they are kept in
const KEPT = 60; // drawings; beyond that, the oldest without a label goes
const MOST_BYTES = 18_000; // of a drawing
let drawings = recall(); // { code, dataset, form, answers, label }, oldest first
let shown = null; // the one on the sketchpad
let sheetShown = null; // the sheet it was drawn on
let pictureShown = ""; // what was last answered
let pictureSeen = ""; // what the strip of the steps is of
let early = null; // a label that was given before the answer: { name, dataset, sheet }

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
  } catch {
    return [];
  }
}

// base64url
const toText = (bytes) =>
  btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join("")).replace(/[+/=]/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
const toBytes = (text) => [...atob(text.replaceAll("-", "+").replaceAll("_", "/"))].map((each) => each.charCodeAt(0));
const byte = (number) => Math.min(255, Math.max(0, Math.round(number)));

const MARGIN = 0.25; // around the sheet, of its side: where a stroke that leaves it is still kept
const pack = (x) => ((x / SIDE + MARGIN) / (1 + 2 * MARGIN)) * 255;
const unpack = (byte) => ((byte / 255) * (1 + 2 * MARGIN) - MARGIN) * SIDE;

// Strokes as "t" and width, number of points (2 bytes), then x, y, pressure of each; a picture as "p" and the 28×28
// that the networks see at 4 bits. What was decoded has the same code again.
function encode() {
  const [first] = sheet();
  if (isEmpty()) return "";
  if (first.src) return first.code ?? (formImage() ? "p" + toText(pixels()) : "");
  const strokes = sheet().filter((each) => each.points);
  for (let apart = APART; apart < 255; apart *= 2) {
    const bytes = strokes.flatMap((each) => thinned(each, apart));
    if (bytes.length <= MOST_BYTES) return "t" + toText(bytes);
  }
  return formImage() ? "p" + toText(pixels()) : ""; // too many strokes for an address
}

// A stroke as bytes, less points that are closer than `apart` to the one before once they are rounded.
function thinned({ width, points }, apart) {
  const [first, ...rest] = points.map(([x, y, pressure]) => [pack(x), pack(y), pressure * 100].map(byte));
  const far = [first];
  for (const point of rest)
    if (point === rest.at(-1) || Math.hypot(point[0] - far.at(-1)[0], point[1] - far.at(-1)[1]) >= apart) far.push(point);
  return [width, far.length >> 8, far.length & 255, ...far.flat()];
}

// The 28×28 of what is on the sketchpad; none while nothing is seen, or the answer is still to come.
const formImage = () => (pictureSeen === current.value ? element.querySelector("#seen li:nth-child(5) img") : null);

function pixels() {
  const copy = document.createElement("canvas").getContext("2d");
  copy.drawImage(formImage(), 0, 0, 28, 28);
  const all = copy.getImageData(0, 0, 28, 28).data;
  const grey = (index) => Math.round(all[4 * index] / 17);
  return Array.from({ length: 392 }, (_, index) => (grey(2 * index) << 4) | grey(2 * index + 1));
}

// What `encode` made, as entries of the sketchpad; throws at anything else.
function decode(code) {
  const bytes = toBytes(code.slice(1));
  if (code[0] === "p" && bytes.length === 392) {
    const copy = document.createElement("canvas");
    copy.width = copy.height = 28;
    const image = new ImageData(28, 28);
    const greys = bytes.flatMap((two) => [(two >> 4) * 17, (two & 15) * 17]);
    greys.forEach((grey, index) => image.data.set([grey, grey, grey, 255], 4 * index));
    copy.getContext("2d").putImageData(image, 0, 0);
    const src = copy.toDataURL("image/png");
    return [{ fresh: true, value: src, src, crisp: true, code }];
  }
  if (code[0] !== "t" || bytes.length > MOST_BYTES) throw new Error("not a drawing");
  const entries = [];
  for (let start = 0; start < bytes.length; ) {
    const [width, high, low] = bytes.slice(start, start + 3);
    const end = start + 3 + 3 * (high * 256 + low);
    const points = [];
    for (start += 3; start < end; start += 3)
      points.push([unpack(bytes[start]), unpack(bytes[start + 1]), bytes[start + 2] / 100]);
    if (!points.length || points.flat().some(Number.isNaN) || points.at(-1).length !== 3) throw new Error("cut short");
    entries.push({ fresh: !entries.length, width: Math.min(40, Math.max(8, width)), points });
  }
  return entries;
}

function restore(code) {
  const entries = code ? decode(code) : [{ fresh: true }];
  done.push(...entries);
  undone = [];
  paint();
  tell();
}

// The address.
function link() {
  const { dataset, models, calibrated, sort, off, language } = ask();
  const parts = { d: dataset, m: [...models, ...coming].join(), c: calibrated ? 1 : 0, s: sort, o: off.join(), l: language, p: encode() };
  return "#" + new URLSearchParams(parts);
}

function open() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (!parts.has("d")) return;
  window.lineup.speak(parts.get("l") ?? "");
  const list = (name) => (parts.get(name) ?? "").split(",").filter(Boolean);
  const check = (name, is) => {
    for (const input of element.querySelectorAll(`input[name=${name}]`)) input.checked = is(input.value);
  };
  check("dataset", (value) => value === parts.get("d"));
  if (!chosen("dataset").length) element.querySelector("input[name=dataset]").checked = true;
  check("model", (value) => list("m").includes(value));
  check("step", (value) => !list("o").includes(value));
  check("calibrated", () => parts.get("c") !== "0");
  const sort = element.querySelector("select[name=sort]");
  if ([...sort.options].some((option) => option.value === parts.get("s"))) sort.value = parts.get("s");
  showSamples();
  order = list("m").filter((model) => chosen("model").includes(model));
  bringNamed(list("m").filter((model) => model.includes("/")));
  complete = false;
  try {
    restore(parts.get("p") ?? "");
  } catch {
    restore("");
  }
}

// The strip and the handwriting.
const mine = () => drawings.filter((each) => each.label);

function showStrip() {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(drawings));
  } catch {} // the strip is then of this page alone
  const focused = [...strip.children].indexOf(document.activeElement);
  strip.replaceChildren(
    ...drawings.toReversed().map((each) => {
      const button = document.createElement("button");
      button.type = "button";
      button.innerHTML = "<img><small></small>";
      button.firstChild.src = each.form;
      const name = each.label ? say("keep.labelled", { label: className(each.label) }) : say("keep.restore");
      button.firstChild.alt = button.title = name;
      button.lastChild.textContent = each.label ? className(each.label) : "";
      button.classList.toggle("keep-shown", each === shown);
      button.addEventListener("click", () => again(each));
      return button;
    }),
  );
  strip.children[focused]?.focus({ preventScroll: true });
  for (const option of labels.options) option.disabled = option.hidden = !!option.value && option.dataset.dataset !== chosen("dataset")[0];
  labels.disabled = !shown;
  labels.value = shown?.label ?? "";
  const here = mine().filter((each) => each.dataset === chosen("dataset")[0]);
  figures.hidden = !here.length;
  figures.firstElementChild.textContent = say("keep.mine", { count: here.length, networks: accuracies(here) });
}

const className = (label) => [...labels.options].find((option) => option.value === label).textContent;

function accuracies(labelled) {
  const right = {};
  for (const { answers, label } of labelled)
    for (const [name, answer] of Object.entries(answers)) (right[name] ??= []).push(answer === label);
  return Object.entries(right)
    .map(([name, each]) => [element.querySelector(`input[name=model][value="${name}"]`), each])
    .filter(([input]) => input) // one that was brought may be gone
    .map(([input, each]) => {
      const title = input.parentElement.textContent;
      return `${title} ${each.filter(Boolean).length}/${each.length}`;
    })
    .join(" · ");
}

function again(drawing) {
  shown = drawing;
  restore(drawing.code);
  sheetShown = sheet()[0];
  pictureShown = current.value;
  const input = element.querySelector(`input[name=dataset][value=${drawing.dataset}]`);
  if (!input.checked) {
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

// For all to see, for a while.
function inform(text) {
  told.textContent = text;
  told.classList.remove("visually-hidden");
  setTimeout(() => told.classList.add("visually-hidden"), 3000);
}

function label(name) {
  const [dataset] = chosen("dataset");
  if (pictureShown !== current.value || (shown && shown.dataset !== dataset)) {
    early = { name, dataset, sheet: sheet()[0] };
    return;
  }
  if (!shown) return;
  if (name && ask().off.length) {
    labels.value = shown.label ?? "";
    return inform(say("keep.steps")); // the networks see another picture than what would be labelled
  }
  shown.label = name;
  told.textContent = name ? say("keep.labelled", { label: className(name) }) : "";
  showStrip();
}

element.addEventListener("answered", async ({ detail }) => {
  const { question, answers, age } = detail;
  if (detail.steps !== null) pictureSeen = question.picture;
  if (question.drawing || (question.quick && !detail.complete)) return;
  await formImage()?.decode().catch(() => {});
  if (age !== asked) return;
  const code = encode();
  if (!code || !formImage() || !Object.keys(answers).length) shown = null;
  else {
    const form = formImage().src;
    const isSame = shown && sheetShown === sheet()[0] && shown.dataset === question.dataset;
    const isOther = shown?.label && code[0] === "t"; // what is labelled stays as it was
    const known = drawings.findLast((each) => each.code === code && each.dataset === question.dataset);
    shown = known ?? (isSame && !isOther ? shown : null);
    if (!shown) {
      const first = drawings.findIndex((each) => !each.label);
      if (drawings.length >= KEPT && first >= 0) drawings.splice(first, 1);
      drawings.push((shown = {}));
    }
    const before = shown.code === code ? shown.answers : {}; // of networks that are switched off now
    sheetShown = sheet()[0];
    // With a step left out, the networks see another picture than what was labelled.
    if (!shown.label || !question.off.length)
      Object.assign(shown, { code, dataset: question.dataset, form, answers: { ...before, ...answers } });
  }
  pictureShown = question.picture;
  history.replaceState(null, "", link());
  showStrip();
  if (early?.sheet === sheetShown && early.dataset === question.dataset) label(early.name);
  early = null;
});
labels.addEventListener("change", () => label(labels.value));
document.addEventListener("keydown", (event) => {
  if (!/^[0-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey || !canvas.offsetParent) return;
  if (isField(event.target)) return;
  label(element.querySelector(`option[data-key="${event.key}"][data-dataset=${chosen("dataset")[0]}]`).value);
});
element.querySelector(".keep-link").addEventListener("click", async () => {
  await taking;
  while (sheet()[0]?.src && pictureSeen !== current.value)
    await new Promise((go) => element.addEventListener("answered", go, { once: true }));
  history.replaceState(null, "", link());
  await navigator.clipboard.writeText(location.href).then(
    () => inform(say("keep.copied")),
    () => inform(say("keep.uncopied")),
  );
});
element.querySelector(".keep-export").addEventListener("click", async () => {
  const pictures = mine().map(({ form, dataset, label }) => ({ picture: form, dataset, label }));
  const { zip, error } = await got("export_handwriting", pictures).catch(() => ({ error: say("verdict.offline") }));
  if (error) return void (figures.firstElementChild.innerHTML = error);
  const anchor = document.createElement("a");
  anchor.href = "data:application/zip;base64," + zip;
  anchor.download = "handwriting.zip";
  anchor.click();
});
window.addEventListener("hashchange", open);
document.addEventListener("lineup:language", showStrip);

showStrip();
open();
