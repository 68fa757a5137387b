// The folds of the why: each asks when it is opened, and again when the picture or what is chosen has changed.
let explained = ""; // the class chosen on the board; "" is that of the soft vote

async function explain(fold) {
  const place = fold.querySelector("div");
  const question = ask({ part: fold.dataset.part, label: explained });
  const text = JSON.stringify(question);
  if (!fold.open || question.drawing || fold.asked === text) return;
  fold.asked = text;
  place.setAttribute("aria-busy", "true");
  if (!place.firstChild) place.textContent = say("why.wait");
  try {
    const html = await got("why", question);
    if (fold.asked === text) place.innerHTML = html;
  } catch {
    place.textContent = say("verdict.offline");
    fold.asked = ""; // asked again with the next answer
  }
  if (fold.asked === text || !fold.asked) place.removeAttribute("aria-busy");
}

const folds = [...element.querySelectorAll("details[data-part]")];
const explainAll = () => folds.forEach(explain);
folds.forEach((fold) => fold.addEventListener("toggle", () => explain(fold)));
element.addEventListener("answered", explainAll);
element.querySelector("#lineup").addEventListener("click", (event) => {
  const label = event.target.closest("[data-class]")?.dataset.class;
  if (!label) return;
  explained = label;
  folds[0].open = true;
  explainAll();
  folds[0].scrollIntoView({ block: "nearest" });
});
