// The inputs of the events of the Training tab: the open section, what was seen, the data set, the grid of runs, then
// the other controls, and for two sections the drawing and its data set.
import { withDrawing } from "../common/drawing.js";
import { runsIn } from "./run_grid.js";

const openTab = () => document.querySelector("#training [role=tab][aria-selected=true][id]");

// A section that is not rendered yet is the first one.
export function ofOpenSection([, seen, dataset, , ...inputs]) {
  const name = openTab()?.id.match(/^training-(.+)-button$/)[1] ?? "curves";
  const drawn = withDrawing(inputs.slice(-2));
  return [name, seen, dataset, runsIn(dataset), ...inputs.slice(0, -4), ...drawn, ...drawn];
}

// Without a section while the tab is hidden: gradio's timers also run in hidden tabs.
export function whileShown(inputs) {
  const [, ...rest] = ofOpenSection(inputs);
  return openTab()?.checkVisibility() ? ofOpenSection(inputs) : ["", ...rest];
}
