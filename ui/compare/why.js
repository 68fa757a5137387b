// The folds of the why: each asks when it is opened, and again when the image or what is chosen has changed; one
// question at a time, as they are heavy.
import { say } from "../common/texts.js";

export function why({ element, ask, board, pad }) {
  const folds = [...element.querySelectorAll("details[data-part]")];
  let explained = {}; // the class chosen on the board for a sheet: { label, sheet }; without one, that of the soft vote

  const sheetShown = () => pad.sheet.entries[0];

  async function explain(fold) {
    const place = fold.querySelector("div");
    const label = explained.sheet === sheetShown() ? explained.label : "";
    const missing = element.querySelectorAll(".board-missing").length; // of which some may be on their way
    const question = board.question({ part: fold.dataset.part, label, missing });
    const text = JSON.stringify(question);
    if (!fold.open || fold.busy || question.drawing || fold.asked === text) return;
    fold.asked = text;
    fold.busy = true;
    place.setAttribute("aria-busy", "true");
    if (!place.firstChild) place.textContent = say("why.wait");
    try {
      place.innerHTML = await ask("why", question);
    } catch {
      place.textContent = say("verdict.offline");
      fold.asked = ""; // asked again with the next answer
    }
    place.removeAttribute("aria-busy");
    fold.busy = false;
    if (fold.asked) explain(fold); // what changed meanwhile
  }

  const explainAll = () => folds.forEach(explain);
  folds.forEach((fold) => fold.addEventListener("toggle", () => explain(fold)));
  element.addEventListener("answered", explainAll);
  board.table.addEventListener("click", (event) => {
    const label = event.target.closest("[data-class]")?.dataset.class;
    if (!label) return;
    explained = { label, sheet: sheetShown() };
    folds[0].open = true;
    explainAll();
    folds[0].scrollIntoView({ block: "nearest" });
  });
}
