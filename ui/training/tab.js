import { language } from "../common/texts.js";

// The inputs of an event, the first of which becomes the visitor's language, for what is worded on the server.
export const withLanguage = ([, ...inputs]) => [language, ...inputs];

// The same, empty where the tab is not shown: gradio's timers go on behind other tabs.
export const whileShown = ([, ...inputs]) => [
  document.querySelector("#training-runs")?.checkVisibility() ? language : "",
  ...inputs,
];
