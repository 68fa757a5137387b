// The board, the verdict and the preprocessing: asks the server for what is drawn and chosen, and shows its answers.
import { setDrawing } from "../common/drawing.js";
import { language, say } from "../common/texts.js";
import { fill } from "./morph.js";
import { Settings } from "./settings.js";

const RETRY = 4000; // milliseconds until the server is asked again when it did not answer
const AGAIN = 1000; // and while it fetches weights

// Sends `answered` from the element with each answer, its question, and whether that is still the newest.
export function board({ element, ask, settings }) {
  const [verdict, table, steps] = ["#verdict", "#lineup", "#seen"].map((each) => element.querySelector(each));
  const places = { verdict, board: table, steps };
  let current = { value: "", drawing: false };
  let complete = false; // the last quick answer was of all networks
  let asked = 0; // how often something changed; a question is as old as this was
  let quickAge = 0; // that of the last question to which the quick answer came
  let retry = 0;
  let stepped = ""; // what the preprocessing that is shown is of
  let tallest = { width: 0, height: 0 }; // of the verdicts since the canvas was empty

  const question = (more) => ({ image: current.value, drawing: current.drawing, ...settings.all(), ...more });

  // The sentence grows and shrinks while one draws; the board below must not move up and down with it: the place keeps
  // the height of the longest sentence there was until the canvas is empty, or the window has another width.
  function steady() {
    verdict.style.minHeight = "";
    const width = verdict.clientWidth;
    const before = current.value && width === tallest.width ? tallest.height : 0;
    tallest = { width, height: Math.max(before, verdict.offsetHeight) };
    verdict.style.minHeight = `${tallest.height}px`;
  }

  const quickAnswer = () => new Promise((go) => element.addEventListener("quick", go, { once: true }));

  async function show(quick) {
    const [asking, age] = [question({ quick }), asked];
    try {
      const answer = await ask("look", asking);
      // A whole answer waits for the quick one to the same question, which would set back what it brought.
      while (!quick && quickAge < age) await quickAnswer();
      // Answers that were overtaken are shown only while the pen is down.
      if (age !== asked && !(asking.drawing && current.drawing)) return;
      for (const [name, place] of Object.entries(places)) if (answer[name] !== null) fill(place, answer[name]);
      if (answer.steps !== null) stepped = asking.image;
      steady();
      if (quick && complete && !answer.complete) wholly(); // as for an empty canvas, there was nothing slow to ask before
      if (quick) complete = answer.complete;
      if (age === asked && answer.order) settings.order = answer.order;
      if (age === asked && answer.again && (!quick || complete)) lookAfter(AGAIN); // the whole answer would be overtaken
      const detail = { ...answer, question: asking, isNewest: () => age === asked };
      element.dispatchEvent(new CustomEvent("answered", { detail }));
    } catch {
      fill(verdict, `<p class="verdict verdict-alarm">${say("verdict.offline")}</p>`);
      lookAfter(RETRY);
    } finally {
      if (quick) {
        quickAge = age;
        element.dispatchEvent(new Event("quick"));
      }
    }
  }

  // One request at a time; what changes meanwhile is asked for next.
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

  const quickly = flow(true);
  const wholly = flow(false);

  function look() {
    asked += 1;
    quickly();
    if (!complete) wholly();
  }

  function lookAfter(milliseconds) {
    clearTimeout(retry);
    retry = setTimeout(look, milliseconds);
  }

  function lookAnew() {
    complete = false;
    look();
  }

  element.addEventListener("draw", (event) => {
    current = event.detail;
    setDrawing(current);
    look();
  });
  element.addEventListener("change", ({ target }) => {
    if (!Settings.has(target)) return;
    if (target.name === "dataset") settings.showDataset();
    if (target.name === "model" || target.name === "dataset") settings.keepOrder();
    lookAnew();
  });
  document.addEventListener("lineup:language", lookAnew);
  if (language !== "en") look();

  const isStepped = () => stepped === current.value;
  return {
    table,
    question,
    value: () => current.value,
    forget: () => (complete = false), // with the next change, the whole answer is asked for too
    isStepped,
    // The 28 × 28 image that the networks see; null until the preprocessing of what is drawn is shown.
    seen: () => (isStepped() ? steps.querySelector("[data-step=centre] img") : null),
  };
}
