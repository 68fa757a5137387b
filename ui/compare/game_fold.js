// The fold of the game: its buttons, and the result of ten rounds with drawings and points.
import { className, put } from "../common/texts.js";
import { sheetOf } from "./game_score.js";
import { linkCopier } from "./link_copier.js";

const NAMES = ["new", "resume", "same", "link"]; // of the buttons
const SIDE = 280; // pixels of a drawing, before it is made small

// `press` is called with the name of a button.
export function foldView(place, press) {
  const [fold, none, note, list, template, field, status] = [
    "details", ".game-none", ".game-note", ".game-result", "template", ".game-address", ".game-tools [role=status]",
  ].map((each) => place.querySelector(each));
  const buttons = NAMES.map((name) => [name, place.querySelector(`.game-${name}`)]);
  for (const [name, button] of buttons) button.addEventListener("click", () => press(name));

  // `keys` are the texts of the buttons that are shown.
  function showButtons(keys, isPossible) {
    none.hidden = isPossible;
    field.hidden = true; // it is out of date
    for (const [name, button] of buttons) {
      button.hidden = !keys[name];
      if (keys[name]) put(button, keys[name]);
    }
  }

  function item({ names, labels }, code, points, { titles }) {
    const found = template.content.firstElementChild.cloneNode(true);
    const [image, caption, scored] = found.children;
    const [[first, second], [label, other]] = [names.map((name) => titles[name]), labels.map(className)];
    put(caption, "examples.caption", { first, label, second, other });
    if (code) image.src = sheetOf(code, SIDE).canvas.toDataURL();
    put(scored, points === null ? "game.unknown" : points ? "game.scored" : "game.missed", { points });
    return found;
  }

  // `points` are null where they are not known; without a game, there is no result.
  function showResult(game, table) {
    list.hidden = !game;
    list.replaceChildren(...(game?.rounds ?? []).map((round, index) => item(round, game.codes[index], game.points[index], table)));
  }

  const showNote = (key, values) => put(note, key, values);

  // Without a game, there is no note.
  function showTotal(game, key = "game.total") {
    if (!game) return void Object.assign(note, { textContent: "" }).removeAttribute("data-text");
    const { points } = game;
    const [split, total] = [points.filter(Boolean).length, points.reduce((sum, each) => sum + each, 0)];
    showNote(key, { split, total, rounds: points.length });
  }

  function open() {
    fold.open = true;
    place.scrollIntoView();
    fold.querySelector("summary").focus({ preventScroll: true });
  }
  return { showButtons, showResult, showNote, showTotal, open, giveLink: linkCopier(field, status).give };
}
