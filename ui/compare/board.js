// The board, the verdict and the preprocessing: requests predictions and shows the responses.
import { setDrawing } from "../common/drawing.js";
import { sentence } from "../common/server.js";
import { language, say } from "../common/texts.js";
import { headers } from "./headers.js";
import { fill } from "./morph.js";
import { rank } from "./rows.js";
import { Settings } from "./settings.js";

const RETRY = 4000; // milliseconds until the next request after a failed one
const POLL = 1000; // milliseconds between requests while weights are downloading

// What is compared in a request: the image, its turn, and the digit of several.
export const subject = ({ image, turn, digit }) => [image, turn, digit].join(" ");

// Sends `answered` from the element with each response, its request, and whether that is still the newest; `failed` for a
// request without a response.
export function board({ element, call, settings, pad }) {
  const [verdict, found, row, table, steps] = ["#verdict", "#found", "#answers", "#lineup", "#seen"].map((each) =>
    element.querySelector(each),
  );
  const above = verdict.parentElement;
  const places = { verdict, found, row, board: table, steps };
  let current = { value: "", drawing: false, opening: false };
  let complete = false; // the last quick response had all networks
  let version = 0; // grows with every change
  let quickVersion = 0; // that of the last quick response
  let timer = 0;
  let stepped = ""; // the subject whose preprocessing is shown
  let tallest = { width: 0, height: 0 }; // of the verdicts since the canvas was empty

  function request(more) {
    const { turn = 0, digit = 0 } = pad.sheet.entries[0] ?? {};
    return { image: current.value, turn, digit, drawing: current.drawing, ...settings.all(), ...more };
  }

  const isStepped = () => stepped === subject(request());
  // The 28 × 28 input image; null until the preprocessing of the drawing is shown.
  const input = () => (isStepped() ? steps.querySelector("[data-step=centre] img") : null);

  // The verdict, with what was found, keeps its greatest height until the canvas is empty or the window is resized, so that
  // the board below does not move while the pen is down.
  function keepHeight() {
    above.style.minHeight = "";
    const width = above.clientWidth;
    const before = current.value && width === tallest.width ? tallest.height : 0;
    tallest = { width, height: Math.max(before, above.offsetHeight) };
    above.style.minHeight = `${tallest.height}px`;
  }

  function fillAll(response, { drawing }) {
    const arrange = (young) => settings.isRanked && rank(young, table, drawing);
    for (const [name, place] of Object.entries(places)) {
      const isLate = name === "found" && drawing && !place.firstElementChild; // it appears when the pen is up
      const isEarly = name === "verdict" && drawing && current.opening; // a part of the opening is no digit
      if (response[name] !== null && !isLate && !isEarly) fill(place, response[name], name === "board" ? arrange : undefined);
    }
    keepHeight();
  }

  function fillFailure(error) {
    const text = say("verdict.failed", { why: sentence(error) });
    const note = Object.assign(document.createElement("p"), { className: "verdict verdict-alarm", textContent: text });
    fill(verdict, note.outerHTML);
  }

  // The other tabs get what the networks see where the drawing itself says less; nothing of the opening.
  function share({ turn, digit, off }) {
    if (current.opening) return;
    const image = (turn || digit) && !off.length ? input() : null;
    setDrawing(image ? { value: image.src, drawing: false } : current);
  }

  const quickResponse = () => new Promise((go) => element.addEventListener("quick", go, { once: true }));

  async function show(quick) {
    const [sent, at] = [request({ quick }), version];
    try {
      const response = await call("predict", sent);
      if (response.refused && (await pad.resend(sent.image, response.refused))) return;
      // In this order, as the quick response would undo parts of the other one.
      while (!quick && quickVersion < at) await quickResponse();
      // Responses that are out of date are shown only while the pen is down.
      if (at !== version && !(sent.drawing && current.drawing)) return;
      fillAll(response, sent);
      if (response.steps !== null) stepped = subject(sent);
      if (at === version) share(sent);
      if (quick && complete && !response.complete) updateAll(); // `update` left it out
      if (quick) complete = response.complete;
      if (at === version && response.order) settings.order = response.order;
      if (at === version && response.again && (!quick || complete)) updateIn(POLL);
      const detail = { ...response, request: sent, isNewest: () => at === version };
      element.dispatchEvent(new CustomEvent("answered", { detail }));
    } catch (error) {
      fillFailure(error);
      element.dispatchEvent(new Event("failed"));
      updateIn(RETRY);
    } finally {
      if (quick) {
        quickVersion = at;
        element.dispatchEvent(new Event("quick"));
      }
    }
  }

  // One request at a time; after it, a single one for all changes meanwhile.
  function flow(quick) {
    let busy = false;
    let again = false;
    return async () => {
      again = true;
      if (busy) return;
      busy = true;
      while (again) {
        again = false;
        await show(quick);
      }
      busy = false;
    };
  }

  const updateSmall = flow(true);
  const updateAll = flow(false);

  function update() {
    version += 1;
    updateSmall();
    if (!complete) updateAll();
  }

  function updateIn(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(update, milliseconds);
  }

  const forget = () => (complete = false); // the next update requests all networks

  function updateAnew() {
    forget();
    update();
  }

  element.addEventListener("draw", (event) => {
    current = event.detail;
    setDrawing(current.opening ? { value: "", drawing: false } : current);
    update();
  });
  element.addEventListener("change", ({ target }) => {
    if (!Settings.has(target)) return;
    if (target.name === "dataset") settings.showDataset();
    if (target.name === "model" || target.name === "dataset") settings.keepOrder();
    updateAnew();
  });
  document.addEventListener("lineup:language", updateAnew);
  if (language !== "en") update();

  found.addEventListener("change", ({ target }) => {
    pad.sheet.entries[0].digit = Number(target.value);
    update();
  });
  found.addEventListener("click", ({ target }) => {
    if (!target.dataset.turn) return;
    pad.turn(Number(target.dataset.turn));
    pad.focus(); // the button will be gone
  });

  headers({ element, settings }, table);
  return { table, request, forget, isStepped, input };
}
