// The folds of the why: each asks when it is opened, and again when the picture or what is chosen has changed; one
// question at a time, as they are heavy.
let explained = {}; // the class chosen on the board for a sheet: { label, sheet }; without one it is that of the soft vote

async function explain(fold) {
  const place = fold.querySelector("div");
  const label = explained.sheet === sheet()[0] ? explained.label : "";
  const missing = element.querySelectorAll(".board-missing").length; // of which some may be on their way
  const question = ask({ part: fold.dataset.part, label, missing });
  const text = JSON.stringify(question);
  if (!fold.open || fold.busy || question.drawing || fold.asked === text) return;
  fold.asked = text;
  fold.busy = true;
  place.setAttribute("aria-busy", "true");
  if (!place.firstChild) place.textContent = say("why.wait");
  try {
    place.innerHTML = await got("why", question);
  } catch {
    place.textContent = say("verdict.offline");
    fold.asked = ""; // asked again with the next answer
  }
  place.removeAttribute("aria-busy");
  fold.busy = false;
  if (fold.asked) explain(fold); // what changed meanwhile
}

const folds = [...element.querySelectorAll("details[data-part]")];
const explainAll = () => folds.forEach(explain);
folds.forEach((fold) => fold.addEventListener("toggle", () => explain(fold)));
element.addEventListener("answered", explainAll);
element.querySelector("#lineup").addEventListener("click", (event) => {
  const label = event.target.closest("[data-class]")?.dataset.class;
  if (!label) return;
  explained = { label, sheet: sheet()[0] };
  folds[0].open = true;
  explainAll();
  folds[0].scrollIntoView({ block: "nearest" });
});
