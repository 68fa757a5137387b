// The round above the canvas: what the two networks have to predict, and what they predict while one draws.
import { className, put } from "../common/texts.js";
import { ROUNDS } from "./game_link.js";

const percent = (share) => (share === undefined ? "–" : `${Math.round(100 * share)} %`);

// `next`, `back` and `leave` are called by the buttons. A task is a game with the `round` and the `table` of now.
export function roundView(element, { next, back, leave }) {
  const [place, canvas] = ["#game-round", "#sketchpad canvas"].map((each) => element.querySelector(each));
  const [head, text, points, status, nextButton, backButton, leaveButton] = [
    ".game-head b", ".game-task", ".game-points", "[role=status]", ".game-next", ".game-back", ".game-leave",
  ].map((each) => place.querySelector(each));
  const sides = [...place.querySelectorAll("li")].map((item) => ({
    item,
    ...Object.fromEntries(["name", "says", "bar", "share"].map((each) => [each, item.querySelector(`.game-${each}`)])),
  }));
  let shown = [null, ""]; // what was found of the drawing on the canvas
  nextButton.addEventListener("click", next);
  backButton.addEventListener("click", back);
  leaveButton.addEventListener("click", leave);

  function show(task) {
    const { round, table, index } = task;
    const [first, second] = round.names.map((name) => table.titles[name]);
    const [label, other] = round.labels.map(className);
    place.hidden = false;
    put(head, "game.round", { round: index + 1, rounds: ROUNDS });
    for (const each of [text, status]) put(each, "game.task", { first, label, second, other });
    sides.forEach(({ item, name }, number) => {
      name.textContent = table.titles[round.names[number]];
      item.style.setProperty("--colour", table.colours[round.names[number]]);
    });
    backButton.hidden = index === 0;
    showAnswers(task, null);
    showButton(task);
  }

  // `found` is what `judge` returns; `why` is the key of the sentence that says why the drawing does not count.
  function showAnswers({ round, points: all, index }, found, why = "") {
    if (why && why !== shown[1]) put(status, why);
    shown = [found, why];
    sides.forEach(({ item, says, bar, share: figure }, number) => {
      const { label, share, isRight } = found?.sides[number] ?? {};
      item.classList.toggle("game-right", !!isRight);
      bar.style.setProperty("--p", share ?? 0);
      put(says, label === undefined ? "game.nothing" : isRight ? "game.right" : "game.wrong", { label: className(label) });
      put(figure, "game.share", { label: className(round.labels[number]), share: percent(share) });
    });
    const best = all[index];
    const { points: count, margin, cost } = found ?? {};
    if (count && !why) put(points, "game.points", { points: count, margin, cost, best });
    else put(points, why || (best ? "game.best" : "game.unsplit"), { best });
  }

  function showButton({ points: all, index }) {
    put(nextButton, index === ROUNDS - 1 ? "game.finish" : all[index] ? "game.next" : "game.skip");
    nextButton.classList.toggle("game-ready", all[index] > 0);
  }

  // The drawing that is shown does not count.
  function showProblem(task, why) {
    showAnswers(task, shown[0], why);
  }

  // A drawing was kept.
  function showBest(task) {
    showButton(task);
    showAnswers(task, ...shown);
    put(status, "game.kept", { points: task.points[task.index] });
  }

  // To the canvas with the round, unless both are in view.
  function scroll() {
    const [top, bottom] = [place.getBoundingClientRect().top, canvas.getBoundingClientRect().bottom];
    if (top >= 0 && bottom <= innerHeight) return;
    if (bottom + scrollY <= innerHeight) scrollTo(0, 0);
    else place.parentElement.scrollIntoView();
  }

  return { show, showAnswers, showProblem, showBest, scroll, hide: () => (place.hidden = true) };
}
