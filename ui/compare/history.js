// The drawings of this visit, which stay in this browser; labelled ones are the visitor's handwriting.
import { isField, tick } from "../common/inputs.js";
import { sentence } from "../common/server.js";
import { say } from "../common/texts.js";
import { subject } from "./board.js";

const STORE = "lineup.sheets";
const MOST = 60; // drawings; beyond that, the oldest unlabelled one is dropped

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
  } catch {
    return [];
  }
}

export function history({ element, call, settings, pad, board, address }, inform) {
  const [place, figures, labels, status] = [".keep-strip", ".keep-figures", "select[name=label]", ".keep-spoken"].map((each) =>
    element.querySelector(each),
  );
  const accuracy = figures.querySelector("p");
  const drawings = stored(); // { code, digit, dataset, form, answers, label }, oldest first
  let shown = null; // the one on the sketchpad
  let sheetShown = null; // its sheet
  let subjectShown = subject(board.request()); // of the last response
  let early = null; // a label given before the response: { name, dataset, sheet }

  const sheetNow = () => pad.sheet.entries[0];
  const labelled = () => drawings.filter((each) => each.label);
  const className = (label) => [...labels.options].find((option) => option.value === label).textContent;

  function show() {
    try {
      sessionStorage.setItem(STORE, JSON.stringify(drawings));
    } catch {} // kept until the page is left
    const focused = [...place.children].indexOf(document.activeElement);
    place.replaceChildren(...drawings.toReversed().map(button));
    place.children[focused]?.focus({ preventScroll: true });
    for (const option of labels.options)
      option.disabled = option.hidden = !!option.value && option.dataset.dataset !== settings.dataset;
    labels.disabled = !shown;
    labels.value = shown?.label ?? "";
    const here = labelled().filter((each) => each.dataset === settings.dataset);
    figures.hidden = !here.length;
    accuracy.textContent = say("keep.mine", { count: here.length, networks: accuracies(here) });
  }

  function button(drawing) {
    const name = drawing.label && className(drawing.label);
    const title = name ? say("keep.labelled", { label: name }) : say("keep.restore");
    const image = Object.assign(document.createElement("img"), { src: drawing.form, alt: title });
    const caption = Object.assign(document.createElement("small"), { textContent: name || "" });
    const found = Object.assign(document.createElement("button"), { type: "button", title });
    found.append(image, caption);
    found.classList.toggle("keep-shown", drawing === shown);
    found.addEventListener("click", () => restore(drawing));
    return found;
  }

  function accuracies(some) {
    const right = {};
    for (const { answers, label } of some)
      for (const [name, answer] of Object.entries(answers)) (right[name] ??= []).push(answer === label);
    return Object.entries(right)
      .map(([name, each]) => [element.querySelector(`input[name=model][value="${name}"]`), each])
      .filter(([input]) => input) // a third-party network may be removed
      .map(([input, each]) => `${input.parentElement.textContent} ${each.filter(Boolean).length}/${each.length}`)
      .join(" · ");
  }

  function restore(drawing) {
    shown = drawing;
    address.restore(drawing.code, drawing.digit);
    sheetShown = sheetNow();
    subjectShown = subject(board.request());
    const input = element.querySelector(`input[name=dataset][value=${drawing.dataset}]`);
    if (!input.checked) tick(input, true);
  }

  function label(name) {
    const { dataset, off } = settings.all();
    if (subjectShown !== subject(board.request()) || (shown && shown.dataset !== dataset)) {
      early = { name, dataset, sheet: sheetNow() };
      return;
    }
    if (!shown) return;
    if (name && off.length) {
      labels.value = shown.label ?? "";
      return inform(say("keep.steps")); // without a step, the input is not the image to label
    }
    shown.label = name;
    status.textContent = name ? say("keep.labelled", { label: className(name) }) : "";
    show();
  }

  // The drawing with this code; or the shown one, if its sheet was drawn on; or a new one.
  function drawingOf(code, { digit, dataset }) {
    const isOfDigit = (each) => each.code[0] === "p" || each.digit === digit; // an image is of one digit
    const known = drawings.findLast((each) => each.code === code && isOfDigit(each) && each.dataset === dataset);
    if (known) return known;
    const isSame = shown && sheetShown === sheetNow() && shown.digit === digit && shown.dataset === dataset;
    const isOther = shown?.label && code[0] === "t"; // a labelled drawing does not change
    if (isSame && !isOther) return shown;
    const first = drawings.findIndex((each) => !each.label);
    if (drawings.length >= MOST && first >= 0) drawings.splice(first, 1);
    const fresh = {};
    drawings.push(fresh);
    return fresh;
  }

  function remember({ request, answers }, code) {
    shown = drawingOf(code, request);
    sheetShown = sheetNow();
    if (shown.label && request.off.length) return; // without a step, the input is not the labelled image
    const before = shown.code === code ? shown.answers : {}; // also of networks that are off now
    const { digit, dataset } = request;
    Object.assign(shown, { code, digit, dataset, form: board.input().src, answers: { ...before, ...answers } });
  }

  element.addEventListener("answered", async ({ detail }) => {
    const { request, answers } = detail;
    if (request.drawing || (request.quick && !detail.complete)) return;
    await board.input()?.decode().catch(() => {});
    if (!detail.isNewest()) return;
    const code = address.code();
    if (code && board.input() && Object.keys(answers).length) remember(detail, code);
    else shown = null;
    subjectShown = subject(request);
    address.write();
    show();
    if (early?.sheet === sheetShown && early.dataset === request.dataset) label(early.name);
    early = null;
  });
  labels.addEventListener("change", () => label(labels.value));
  document.addEventListener("keydown", (event) => {
    if (!/^[0-9]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!pad.isShown() || isField(event.target)) return;
    label(labels.querySelector(`[data-key="${event.key}"][data-dataset=${settings.dataset}]`).value);
  });
  figures.querySelector(".keep-export").addEventListener("click", async () => {
    const sent = labelled().map(({ form, dataset, label }) => ({ image: form, dataset, label }));
    const { zip, error, failed } = await call("export_handwriting", sent).catch((why) => ({ failed: sentence(why) }));
    if (failed) return void (accuracy.textContent = failed);
    if (error) return void (accuracy.innerHTML = error);
    const anchor = document.createElement("a");
    anchor.href = `data:application/zip;base64,${zip}`;
    anchor.download = "handwriting.zip";
    anchor.click();
  });
  document.addEventListener("lineup:language", show);
  show();
}
