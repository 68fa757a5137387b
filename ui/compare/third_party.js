// Third-party checkpoints: adds them to the networks once they are downloaded and evaluated, until the page is left; the
// address keeps them.
import { tick } from "../common/inputs.js";
import { sentence } from "../common/server.js";
import { language, say } from "../common/texts.js";

const LONGEST = 300_000; // milliseconds
const PAUSE = 300; // milliseconds between two requests for the progress

export function thirdParty({ element, call, settings }) {
  const form = element.querySelector("#bring");
  const models = element.querySelector("#models");
  const [field, bar, status, left] = ["input", ".bring-coming", "[role=status]", ".bring-left"].map((each) =>
    form.querySelector(each),
  );
  const [progress, progressText] = ["progress", "span"].map((each) => bar.querySelector(each));
  let turn = 0;
  let pending = []; // ids in the address that are not added yet

  const added = () => [...models.querySelectorAll(".brought input")].map((input) => input.value);
  const isBusy = () => form.hasAttribute("aria-busy");

  // The response to a request, which is repeated while the response is `wait`.
  async function wait(request, isCurrent) {
    const until = Date.now() + LONGEST;
    const watch = setInterval(async () => {
      const { done, all, text } = await call("checkpoint_progress", request).catch(() => ({}));
      if (!isCurrent() || !isBusy()) return;
      bar.hidden = !all;
      if (all) Object.assign(progress, { value: done, max: all });
      progressText.textContent = text ?? "";
    }, PAUSE);
    try {
      let response;
      do response = await call("add_checkpoint", request);
      while (response.wait && isCurrent() && Date.now() < until);
      return response.wait ? { error: say("bring.slow", { minutes: LONGEST / 60_000 }) } : response;
    } catch (error) {
      return { error: sentence(error) };
    } finally {
      clearInterval(watch);
    }
  }

  // Whether the checkpoint was added; null if another one was requested meanwhile.
  async function add(id) {
    const mine = ++turn;
    form.setAttribute("aria-busy", "true");
    const request = { id, there: added(), dataset: settings.dataset, language };
    const response = await wait(request, () => mine === turn);
    if (mine !== turn) return null;
    form.removeAttribute("aria-busy");
    bar.hidden = true;
    if (response.error) status.textContent = response.error;
    if (!response.id) return false;
    if (!added().includes(response.id)) models.insertAdjacentHTML("beforeend", response.choice);
    settings.showDataset();
    tick(models.querySelector(`input[value="${response.id}"]`), true);
    return true;
  }

  // One after another; ids that are typed go first.
  async function addPending() {
    pending = pending.filter((id) => !added().includes(id));
    while (pending.length && !isBusy()) {
      const [id] = pending;
      if ((await add(id)) !== null) pending = pending.filter((each) => each !== id);
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const id = field.value.trim();
    status.textContent = "";
    if (id && (await add(id)) && field.value.trim() === id) field.value = "";
    addPending();
  });
  models.addEventListener("click", (event) => {
    const place = event.target.closest("button")?.closest(".brought");
    if (!place) return;
    tick(place.querySelector("input"), false);
    place.remove();
    field.focus();
  });
  return {
    pending: () => pending,
    // Adds the ids of an address, as many as the board takes.
    addNamed(ids) {
      if (ids.length) form.closest("details").open = true; // for the progress
      const [named, count] = [[...new Set(ids)], Number(form.dataset.most)];
      left.textContent = named.length > count ? say("bring.left", { named: named.length, count }) : "";
      pending = named.slice(0, count);
      return addPending();
    },
  };
}
