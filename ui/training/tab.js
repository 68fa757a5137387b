// Sends the visitor's language to the server, which makes the charts.
import { language } from "../common/texts.js";

export function mount({ props, trigger }) {
  function send() {
    props.value = language;
    trigger("input");
  }
  document.addEventListener("lineup:language", send);
  if (language !== props.value) send();
}

// The inputs of an event, the first replaced by whether the tab is visible: gradio's timers also run in hidden tabs.
export const whetherShown = ([, ...inputs]) => [
  !!document.querySelector("#training-runs")?.checkVisibility(),
  ...inputs,
];
