// The Compare tab.
import "../common/chart.js";
import "../common/language.js";
import { answering } from "../common/server.js";
import { sketchpad } from "../common/sketchpad.js";
import { bring } from "./bring.js";
import { board } from "./board.js";
import { keep } from "./keep.js";
import { Settings } from "./settings.js";
import { why } from "./why.js";

export function mount({ element, server, upload }) {
  const ask = answering(server);
  const settings = new Settings(element);
  const pad = sketchpad(element, upload, () => settings.thirdParty().join().length);
  const tab = { element, ask, settings, pad };
  tab.board = board(tab);
  why(tab);
  tab.bring = bring(tab);
  keep(tab);
  document.documentElement.dataset.ready = "";
}
