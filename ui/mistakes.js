// Asks for two networks against each other, and for pictures. `server` comes from gr.HTML.
const within = (selector) => element.querySelector(selector);

element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-pick]");
  if (!button) return;
  const place = within(".mistakes-pictures");
  place.innerHTML = await server.pictures(JSON.parse(button.dataset.pick));
  place.scrollIntoView({ block: "nearest" });
});

element.addEventListener("change", async (event) => {
  if (!event.target.closest(".mistakes-choose")) return;
  const [first, second] = ["first", "second"].map((name) => within(`select[name=${name}]`).value);
  const { dataset } = within(".mistakes-choose").dataset;
  within(".mistakes-against").innerHTML = await server.against({ dataset, first, second });
});
