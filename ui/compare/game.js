// "Can you split them?": ten rounds, each with two networks and what each of them has to predict for one drawing. The game
// stays in this browser; a link holds its rounds and drawings.
import { tick } from "../common/inputs.js";
import { link } from "../common/place.js";
import { attempts } from "./game_attempts.js";
import { foldView } from "./game_fold.js";
import { ROUNDS, draw, encode } from "./game_link.js";
import { linkedGames } from "./game_linked.js";
import { roundView } from "./game_round.js";
import { judge } from "./game_score.js";
import { save, saved } from "./game_store.js";

const isOver = ({ index }) => index >= ROUNDS;

export function game(tab) {
  const { element, settings, pad } = tab;
  const place = element.querySelector("#game");
  const tables = JSON.parse(place.dataset.tables);
  const fold = foldView(place, press);
  const view = roundView(element, { next, back, leave });
  const drawings = attempts(tab, { kept, refused });
  let own = saved(tables); // the visitor's game, with the `index` of its round, and the networks `before` it
  let answered = ""; // the image of the last answer
  let opened = null; // that of a link, shown in the fold instead

  const task = () => ({ ...own, round: own.rounds[own.index], table: tables[own.dataset] });

  const hasResult = (game) => (game === own ? isOver(own) : game.kind !== "rounds");

  function press(name) {
    const shown = opened ?? own;
    if (name === "link") return fold.giveLink(link(`#game=${encode(shown, tables[shown.dataset], hasResult(shown))}`));
    if (name === "resume") return enter(own);
    const [dataset, rounds] =
      name === "same" ? [shown.dataset, shown.rounds] : [settings.dataset, draw(tables[settings.dataset])];
    enter({ dataset, rounds, codes: Array(ROUNDS).fill(""), points: Array(ROUNDS).fill(0), index: 0 });
  }

  function choose(models) {
    settings.tick("model", (name) => models.includes(name));
    settings.get("model").dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Opens the round of a game, on a white sheet.
  function enter(game) {
    const before = own?.playing ? own.before : settings.chosen("model");
    [own, opened] = [{ ...game, before, playing: true }, null];
    closeLinked();
    if (settings.dataset !== own.dataset) tick(element.querySelector(`input[name=dataset][value=${own.dataset}]`), true);
    choose(task().round.names);
    if (!pad.sheet.isEmpty) pad.put({ fresh: true });
    view.show(task());
    showFold();
    view.scroll();
    pad.focus();
  }

  // Shows the game of a page that was loaded again; later, if the address is of another data set.
  function proceed() {
    own.playing = settings.dataset === own.dataset;
    if (!own.playing) return;
    const { names } = task().round;
    if (!names.every((name) => settings.chosen("model").includes(name))) choose(names);
    view.show(task());
  }

  function pause() {
    own.playing = false;
    view.hide();
    choose(own.before);
    showFold();
  }

  function leave() {
    pause();
    pad.focus(); // the button is gone
  }

  function next() {
    own.index += 1;
    if (!isOver(own)) return enter(own);
    pause();
    fold.open();
  }

  function back() {
    own.index -= 1;
    enter(own);
  }

  function showFold() {
    save(own, tables);
    const shown = opened ?? own;
    const result = shown && hasResult(shown) ? shown : null;
    const isPossible = settings.dataset in tables;
    const keys = {
      new: isPossible && "game.new",
      resume: shown && shown === own && !own.playing && !result && "game.resume",
      same: (opened || result) && "game.same",
      link: shown && (result ? "game.link" : "game.link.rounds"),
    };
    fold.showButtons(keys, isPossible);
    fold.showResult(result, result && tables[result.dataset]);
    if (!opened) fold.showTotal(result);
  }

  // Why the drawing of a request does not count, as a key.
  function problem({ image, models, off, calibrated, digit, turn }) {
    if (pad.sheet.entries[0]?.src) return "game.drawn";
    if (off.length || !calibrated || digit || turn) return "game.options";
    return task().round.names.every((name) => models.includes(name)) ? drawings.problem(image) : "game.missing";
  }

  element.addEventListener("answered", ({ detail }) => {
    const { request } = detail;
    answered = request.image;
    if (!own?.playing || request.dataset !== own.dataset) return;
    const found = judge(task().round, detail, task().table);
    if (!found && request.quick && !detail.complete) return; // the prediction of a large network is to come
    const why = request.image && problem(request);
    view.showAnswers(task(), found, why);
    if (found?.isSplit && !why && found.points > own.points[own.index])
      drawings.measure(request.image, found.points, task());
  });

  function kept({ code, points }, { codes, index }) {
    if (codes !== own.codes || points <= own.points[index]) return; // of another game, or a worse drawing
    Object.assign(own.codes, { [index]: code });
    Object.assign(own.points, { [index]: points });
    if (own.playing && index === own.index) view.showBest(task());
    showFold();
  }

  // Unless another drawing is shown meanwhile.
  function refused(image, why, { codes, index }) {
    if (own.playing && codes === own.codes && index === own.index && image === answered) view.showProblem(task(), why);
  }

  element.addEventListener("change", ({ target }) => {
    if (target.name !== "dataset") return;
    if (own?.playing && settings.dataset !== own.dataset) pause();
    else showFold();
  });
  if (own?.playing) proceed();
  showFold();
  const closeLinked = linkedGames(tab, tables, fold, (linked) => {
    if (own?.playing) pause();
    opened = linked;
    showFold();
  });
}
