// The options chosen on the Compare tab.
import { language } from "../common/texts.js";

const NAMES = ["dataset", "model", "calibrated", "log_linear", "sort", "ranked", "step"]; // of the inputs

export class Settings {
  order; // of the networks on the board

  constructor(element) {
    this.element = element;
    this.order = this.chosen("model");
    this.showDataset();
  }

  static has(input) {
    return NAMES.includes(input.name);
  }

  get(name) {
    return this.element.querySelector(`[name=${name}]`);
  }

  // The values that are ticked among the inputs of a name.
  chosen(name) {
    return [...this.element.querySelectorAll(`input[name=${name}]:checked:enabled`)].map((input) => input.value);
  }

  get dataset() {
    return this.chosen("dataset")[0];
  }

  // Whether the classes are ordered by the ensemble's probability.
  get isRanked() {
    return this.get("ranked").checked;
  }

  thirdParty() {
    return this.chosen("model").filter((name) => name.includes("/"));
  }

  all() {
    return {
      dataset: this.dataset,
      models: this.order,
      calibrated: this.get("calibrated").checked,
      log_linear: this.get("log_linear").checked || undefined, // off is not sent
      sort: this.get("sort").value,
      off: [...this.element.querySelectorAll("input[name=step]:enabled:not(:checked)")].map((input) => input.value),
      language,
    };
  }

  // Ticks the inputs of a name whose value `has` the property, and unticks the others.
  tick(name, has) {
    for (const input of this.element.querySelectorAll(`input[name=${name}]`)) input.checked = has(input.value);
  }

  // New networks are last.
  keepOrder(order = this.order) {
    const models = this.chosen("model");
    const known = order.filter((model) => models.includes(model));
    this.order = [...known, ...models.filter((model) => !known.includes(model))];
  }

  // Test images and third-party networks are of one data set.
  showDataset() {
    for (const place of this.element.querySelectorAll(".samples, .examples, .brought")) {
      place.hidden = place.dataset.dataset !== this.dataset;
      for (const input of place.querySelectorAll("input")) input.disabled = place.hidden;
    }
  }
}
