// The explanations: each is requested when it is opened, and again when the image or an option has changed; one request
// at a time for each, as they take seconds.
import { switchLines } from "../common/chart.js";
import { sentence } from "../common/server.js";
import { attackFields } from "./attack.js";

export function explanations({ element, call, board, pad }) {
  const folds = [...element.querySelectorAll("details[data-part]")];
  let chosen = {}; // the class chosen on the board for a digit of a sheet: { label, of }

  const now = () => [pad.sheet.entries[0], pad.sheet.entries[0]?.digit, board.request().dataset];

  async function explain(fold) {
    const [place, progress] = [fold.querySelector("div"), fold.querySelector("progress")];
    const label = chosen.of && now().every((each, index) => each === chosen.of[index]) ? chosen.label : "";
    const missing = element.querySelectorAll(".board-missing").length; // changes when a download ends
    const request = board.request({ part: fold.dataset.part, label, missing });
    if (fold.dataset.part === "attack") Object.assign(request, fields(request));
    const text = JSON.stringify(request);
    if (!fold.open || fold.busy || request.drawing || fold.requested === text) return;
    fold.requested = text;
    fold.busy = true;
    progress.hidden = false;
    place.setAttribute("aria-busy", "true");
    try {
      const html = await call("explain", request);
      const focused = place.contains(document.activeElement) && document.activeElement.name;
      place.innerHTML = html;
      if (focused) place.querySelector(`[name="${focused}"]`)?.focus();
      switchLines();
    } catch (error) {
      place.replaceChildren(...place.querySelectorAll("form"), sentence(error)); // choices can still be changed
      fold.requested = ""; // requested again after the next response
    }
    place.removeAttribute("aria-busy");
    progress.hidden = true;
    fold.busy = false;
    if (fold.requested) explain(fold); // for changes meanwhile
  }

  const fields = attackFields(element.querySelector("[data-part=attack]"), explain);
  const explainAll = () => folds.forEach(explain);
  folds.forEach((fold) => fold.addEventListener("toggle", () => explain(fold)));
  element.addEventListener("answered", explainAll);
  board.table.addEventListener("click", (event) => {
    const label = event.target.closest("[data-class]")?.dataset.class;
    if (!label) return;
    chosen = { label, of: now() };
    folds[0].open = true;
    explainAll();
    folds[0].scrollIntoView({ block: "nearest" });
  });
}
