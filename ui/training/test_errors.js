// Asks for the comparison of two networks, and for images.
export function mount({ element, server, watch }) {
  const within = (selector) => element.querySelector(selector);
  const latest = {}; // the answer that a place waits for, by selector

  // Shows an answer, unless there is none or something else was asked for meanwhile: they may come in another order.
  async function fill(selector, answer) {
    latest[selector] = answer;
    const html = await answer;
    if (html !== undefined && latest[selector] === answer) within(selector).innerHTML = html;
  }

  element.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-pick]");
    if (!button) return;
    await fill(".errors-images", server.images(JSON.parse(button.dataset.pick)));
    within(".errors-images").scrollIntoView({ block: "nearest" });
  });
  element.addEventListener("change", (event) => {
    if (!event.target.closest(".errors-choose")) return;
    const [first, second] = ["first", "second"].map((name) => within(`select[name=${name}]`).value);
    const { dataset } = within(".errors-choose").dataset;
    fill(".errors-comparison", server.against({ dataset, first, second }));
  });
  // Another data set: nothing that was asked for or chosen before is of it.
  watch("value", () => {
    for (const selector of Object.keys(latest)) delete latest[selector];
    for (const option of element.querySelectorAll("option")) option.selected = option.defaultSelected;
  });
}
