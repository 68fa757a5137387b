import { call, sentence } from "../common/server.js";

// Requests the comparison of two networks or the confusion matrix of one, and images.
export function mount({ element, watch }) {
  const within = (selector) => element.querySelector(selector);
  const latest = {}; // selector to its newest response

  // Shows a response or why there is none; false if a newer request was sent meanwhile, as responses may arrive out of order.
  async function fill(selector, response) {
    latest[selector] = response;
    const { html, failed } = await response.then(
      (html) => ({ html }),
      (error) => ({ failed: sentence(error) }),
    );
    if (latest[selector] !== response) return false;
    if (failed) within(selector).textContent = failed;
    else within(selector).innerHTML = html;
    return true;
  }

  element.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-pick]");
    if (!button) return;
    element.querySelector("[data-pick][aria-current]")?.removeAttribute("aria-current");
    button.setAttribute("aria-current", true);
    const isNewest = await fill(".errors-images", call("images", JSON.parse(button.dataset.pick)));
    if (isNewest) within(".errors-images").scrollIntoView({ block: "nearest" });
  });
  element.addEventListener("change", (event) => {
    if (!event.target.closest(".errors-choose")) return;
    const { dataset, call: name } = within(".errors-choose").dataset;
    const chosen = [...element.querySelectorAll("select")].map((select) => [select.name, select.value]);
    delete latest[".errors-images"];
    fill(".errors-result", call(name, { dataset, ...Object.fromEntries(chosen) }));
  });
  // For another data set, pending responses are dropped and the choosers reset.
  watch("value", () => {
    for (const selector of Object.keys(latest)) delete latest[selector];
    for (const option of element.querySelectorAll("option")) option.selected = option.defaultSelected;
  });
}
