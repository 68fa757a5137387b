import { language } from "../common/texts.js";

// The inputs of an event, the first replaced by the visitor's language, for the labels that are made on the server.
export const withLanguage = ([, ...inputs]) => [language, ...inputs];

// The same, empty while the tab is hidden: gradio's timers also run in hidden tabs.
export const whileShown = ([, ...inputs]) => [
  document.querySelector("#training-runs")?.checkVisibility() ? language : "",
  ...inputs,
];
