// The drawing, the options and the language in the address of the page.
import { keep, parameters } from "../common/place.js";
import { language, speak } from "../common/texts.js";
import { isReadable } from "../common/readable.js";
import { decode, encodeImage, encodeStrokes } from "./codec.js";

export function address({ element, pad: { sheet, put }, board, settings, thirdParty }) {
  // The drawing as a code; empty for none, and while the input image that it needs is not there yet.
  function code() {
    const [first] = sheet.entries;
    if (sheet.isEmpty || first.opening) return "";
    if (first.code) return first.code;
    const strokes = first.src ? "" : encodeStrokes(sheet.entries.filter((each) => each.points), sheet.side);
    return strokes || (board.input() && isReadable() ? encodeImage(board.input()) : "");
  }

  function state() {
    const { dataset, models, calibrated, log_linear: isLogLinear, sort, off } = settings.all();
    const m = [...models, ...thirdParty.pending()].join();
    const [c, r, g] = [calibrated ? "1" : "0", settings.isRanked ? "1" : null, isLogLinear ? "1" : null];
    return { d: dataset, m, c, s: sort, o: off.join(), l: language, p: code(), r, g };
  }

  // Nothing to keep is not written.
  const nothing = JSON.stringify(state());
  function write() {
    const isKept = parameters().has("d") || !sheet.entries[0]?.opening;
    if (isKept || JSON.stringify(state()) !== nothing) keep(state());
  }

  // Puts a drawing on the sheet, with the digit of several that was chosen on it.
  function restore(code, digit) {
    const [first, ...others] = code ? decode(code, sheet.side) : [{ fresh: true }];
    put({ ...first, digit }, ...others);
  }

  function open() {
    const parts = parameters();
    if (!parts.has("d")) return;
    if (Object.entries(state()).every(([name, value]) => parts.get(name) === value)) return; // another tab was opened
    speak(parts.get("l") ?? "");
    const list = (name) => (parts.get(name) ?? "").split(",").filter(Boolean);
    const off = list("o");
    const models = parts.has("m") ? list("m") : settings.all().models; // a link by hand may name the data set alone
    settings.tick("dataset", (value) => value === parts.get("d"));
    if (!settings.dataset) settings.get("dataset").checked = true;
    settings.tick("model", (value) => models.includes(value));
    settings.tick("step", (value) => !off.includes(value));
    settings.tick("calibrated", () => parts.get("c") !== "0");
    settings.tick("ranked", () => parts.get("r") === "1");
    settings.tick("log_linear", () => parts.get("g") === "1");
    const sort = settings.get("sort");
    if ([...sort.options].some((option) => option.value === parts.get("s"))) sort.value = parts.get("s");
    settings.showDataset();
    settings.keepOrder(models);
    thirdParty.addNamed(models.filter((model) => model.includes("/")));
    board.forget();
    try {
      restore(parts.get("p") ?? "");
    } catch {
      restore("");
    }
  }

  window.addEventListener("hashchange", open); // after that of place.js
  element.addEventListener("failed", write); // gradio reloads the page when the server is there again
  return { code, write, open, restore };
}
