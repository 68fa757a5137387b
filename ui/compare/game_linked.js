// The game in the address: its rounds, and its points as they are computed here from its drawings, one after another.
import { keep, parameters } from "../common/place.js";
import { sentence } from "../common/server.js";
import { ROUNDS, parse } from "./game_link.js";
import { measure } from "./game_score.js";

const KEYS = { rounds: "game.opened.rounds", points: "game.opened.points", drawings: "game.opened.drawings" }; // by kind

// `open` is called with the game of each address that has one; null if it is invalid. Returns a function that closes it.
export function linkedGames({ element, call, pad }, tables, fold, open) {
  let current = null;
  let opened = ""; // the text of the address

  function parsed(text) {
    try {
      return parse(text, tables);
    } catch {
      return null;
    }
  }

  // Null without a prediction of one of the networks.
  async function pointsOf(game, index, table) {
    const [round, code] = [game.rounds[index], game.codes[index]];
    if (!code) return 0;
    return (await measure(call, { ...game, round, table }, { code, side: pad.sheet.side }))?.points ?? null;
  }

  async function measureAll(game) {
    const table = tables[game.dataset];
    game.points.fill(null);
    for (const index of game.points.keys()) {
      fold.showNote("game.measuring", { done: index, rounds: ROUNDS });
      const points = await pointsOf(game, index, table);
      if (game !== current) return;
      game.points[index] = points;
      fold.showResult(game, table);
    }
  }

  async function openAddress() {
    const text = parameters().get("game") ?? "";
    if (text === opened) return; // something else in the address was changed
    opened = text;
    if (!text) return;
    const game = (current = parsed(text));
    open(game);
    fold.open();
    if (!game) return fold.showNote("game.invalid");
    try {
      if (game.kind === "drawings") await measureAll(game);
      if (game === current) fold.showTotal(game, KEYS[game.kind]);
    } catch (error) {
      if (game === current) fold.showNote("game.failed", { why: sentence(error) });
    }
  }

  function forgetAddress() {
    opened = "";
    keep({ game: null });
  }

  // A link to the visitor's own drawing is not one to the game.
  element.addEventListener("draw", ({ detail }) => {
    if (opened && !detail.opening && detail.value && parameters().get("game") === opened) forgetAddress();
  });
  window.addEventListener("hashchange", openAddress); // after that of place.js
  openAddress();
  return function close() {
    current = null; // its points are not computed any further
    forgetAddress();
  };
}
