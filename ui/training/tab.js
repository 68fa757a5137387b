// The visitor's language, for what is drawn on the server.
import { language } from "../common/texts.js";

export function mount({ props, trigger }) {
  function send() {
    props.value = language;
    trigger("input");
  }
  document.addEventListener("lineup:language", send);
  if (language !== props.value) send();
}

// The inputs of an event, the first of which becomes whether the tab is shown: gradio's timers go on behind other tabs.
export const whetherShown = ([, ...inputs]) => [
  !!document.querySelector("#training-runs")?.checkVisibility(),
  ...inputs,
];
