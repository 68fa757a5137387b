// The Compare tab: keeps what is chosen, asks the server, and puts its answers in place without disturbing the rest.
// `server` comes from gr.HTML; the sketchpad is above.
const verdictPlace = element.querySelector("#verdict");
const places = { verdict: verdictPlace, board: element.querySelector("#lineup"), steps: element.querySelector("#seen") };
const chosen = (name) => [...element.querySelectorAll(`input[name=${name}]:checked:enabled`)].map((input) => input.value);
let order = chosen("model"); // the networks as they stand on the board
let current = { value: "", drawing: false };
let complete = false; // the last quick answer was of all networks
const RETRY = 4000; // milliseconds until the server is asked again when it did not answer
const AGAIN = 1000; // and while it fetches weights
let asked = 0; // how often something changed; a question is as old as this was
let quickAge = 0; // that of the last question to which the quick answer came
let retry = 0;

const options = {
  dataset: () => chosen("dataset")[0],
  models: () => order,
  calibrated: () => element.querySelector("input[name=calibrated]").checked,
  sort: () => element.querySelector("select[name=sort]").value,
  off: () => [...element.querySelectorAll("input[name=step]:not(:checked)")].map((input) => input.value),
  language: () => window.lineup.language,
};

function ask(more = {}) {
  const settings = Object.fromEntries(Object.entries(options).map(([name, get]) => [name, get()]));
  return { picture: current.value, drawing: current.drawing, ...settings, ...more };
}

// What a function of the server returns; throws where it did not answer, of which gradio only warns.
async function got(name, question) {
  const answer = await server[name](question);
  if (answer === undefined) throw new Error(`no answer to ${name}`);
  return answer;
}

// Makes `from` like `to` node by node, so that focus, scrolling and transitions survive. A cell that is pending keeps
// what it shows, if it is of the same network; a table of another data set keeps nothing.
function morph(from, to) {
  if (from.nodeName !== to.nodeName) return from.replaceWith(to);
  if (from.nodeType === Node.TEXT_NODE) return void (from.data !== to.data && (from.data = to.data));
  if (from.nodeName === "TABLE" && from.dataset.dataset !== to.dataset.dataset) return from.replaceWith(to);
  if ("pending" in to.dataset && from.dataset.model === to.dataset.model && !from.matches(".board-missing")) return;
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.nodeName === "INPUT") from.checked = to.hasAttribute("checked");
  const [old, young] = [[...from.childNodes], [...to.childNodes]];
  young.forEach((node, index) => (old[index] ? morph(old[index], node) : from.append(node)));
  old.slice(young.length).forEach((node) => node.remove());
}

// The sentence grows and shrinks while one draws; the board below must not move up and down with it: the place keeps the
// height of the longest sentence there was until the canvas is empty, or the window has another width.
function steady() {
  verdictPlace.style.minHeight = "";
  const width = verdictPlace.clientWidth;
  if (!current.value || width !== steady.width) steady.height = 0;
  steady.width = width;
  steady.height = Math.max(steady.height, verdictPlace.offsetHeight);
  verdictPlace.style.minHeight = `${steady.height}px`;
}

function fill(place, html) {
  const template = document.createElement(place.nodeName);
  template.innerHTML = html;
  const [old, young] = [[...place.childNodes], [...template.childNodes]];
  if (old.length !== young.length) return place.replaceChildren(...young);
  young.forEach((node, index) => morph(old[index], node));
}

// One request at a time; what changes meanwhile is asked for next, and answers that were overtaken are shown only while
// the pen is down. A whole answer waits for the quick one to the same question, which would set back what it brought.
function flow(quick) {
  let busy = false;
  let again = false;
  return async () => {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      const question = ask({ quick });
      const age = asked;
      try {
        const answer = await got("look", question);
        while (!quick && quickAge < age) await new Promise((go) => element.addEventListener("quick", go, { once: true }));
        if (age !== asked && !(question.drawing && current.drawing)) continue;
        for (const [name, place] of Object.entries(places)) if (answer[name] !== null) fill(place, answer[name]);
        steady();
        if (quick && complete && !answer.complete) wholly(); // as for an empty canvas, there was nothing slow to ask before
        if (quick) complete = answer.complete;
        if (age === asked && answer.order) order = answer.order;
        if (age === asked && answer.again && (!quick || complete)) lookAfter(AGAIN); // the whole answer would be overtaken
        element.dispatchEvent(new CustomEvent("answered", { detail: { ...answer, question, age } }));
      } catch {
        fill(verdictPlace, `<p class="verdict verdict-alarm">${say("verdict.offline")}</p>`);
        lookAfter(RETRY);
      } finally {
        if (quick) {
          quickAge = age;
          element.dispatchEvent(new Event("quick"));
        }
      }
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

element.addEventListener("draw", (event) => {
  current = window.lineup.drawing = event.detail; // other tabs look at it too
  look();
});
element.addEventListener("change", (event) => {
  const { name } = event.target;
  if (!["dataset", "model", "calibrated", "sort", "step"].includes(name)) return;
  if (name === "dataset") showSamples();
  if (name === "model" || name === "dataset") {
    const models = chosen("model");
    order = [...order.filter((model) => models.includes(model)), ...models.filter((model) => !order.includes(model))];
  }
  complete = false;
  look();
});
document.addEventListener("lineup:language", () => {
  complete = false;
  look();
});

function showSamples() {
  for (const place of element.querySelectorAll(".samples, .brought")) {
    place.hidden = place.dataset.dataset !== chosen("dataset")[0];
    for (const input of place.querySelectorAll("input")) input.disabled = place.hidden;
  }
}

showSamples();
if (window.lineup.language !== "en") look();
