// The Compare tab.
import "../common/chart.js";
import "../common/language.js";
import "../common/present.js";
import "../common/print.js";
import "../common/save.js";
import { call } from "../common/server.js";
import { sketchpad } from "../common/sketchpad.js";
import { address } from "./address.js";
import { board } from "./board.js";
import { explanations } from "./explanations.js";
import { game } from "./game.js";
import { history } from "./history.js";
import { many } from "./many.js";
import { opening } from "./opening.js";
import { permalink } from "./permalink.js";
import { Settings } from "./settings.js";
import { thirdParty } from "./third_party.js";

export function mount({ element }) {
  const settings = new Settings(element);
  const pad = sketchpad(element, () => settings.thirdParty().join().length);
  const tab = { element, call, settings, pad };
  tab.board = board(tab);
  explanations(tab);
  many(tab);
  tab.thirdParty = thirdParty(tab);
  tab.address = address(tab);
  history(tab, permalink(tab));
  tab.address.open();
  game(tab);
  opening(tab);
  document.documentElement.dataset.ready = "";
}
