// Bring your weights: waits with the visitor until a checkpoint came and was measured, and gives it a place among the
// networks. It is there until the page is left; the address holds it.
import { tick } from "../common/inputs.js";
import { language, say } from "../common/texts.js";

const LONGEST = 300_000; // milliseconds
const PAUSE = 300; // milliseconds between two questions how far it is

export function bring({ element, ask, settings }) {
  const form = element.querySelector("#bring");
  const models = element.querySelector("#models");
  const [field, bar, status, left] = ["input", ".bring-coming", "[role=status]", ".bring-left"].map((each) =>
    form.querySelector(each),
  );
  const [progress, progressText] = ["progress", "span"].map((each) => bar.querySelector(each));
  let turn = 0;
  let coming = []; // what the address names that is not here yet

  const here = () => [...models.querySelectorAll(".brought input")].map((input) => input.value);
  const isBusy = () => form.hasAttribute("aria-busy");

  // The server's answer to a question that it answers with `wait` until it is done.
  async function wait(question, isCurrent) {
    const until = Date.now() + LONGEST;
    const watch = setInterval(async () => {
      const { done, all, text } = await ask("bringing", question).catch(() => ({}));
      if (!isCurrent() || !isBusy()) return;
      bar.hidden = !all;
      if (all) Object.assign(progress, { value: done, max: all });
      progressText.textContent = text ?? "";
    }, PAUSE);
    try {
      let answer;
      do answer = await ask("bring", question);
      while (answer.wait && isCurrent() && Date.now() < until);
      return answer.wait ? { error: say("bring.slow", { minutes: LONGEST / 60_000 }) } : answer;
    } catch {
      return { error: say("verdict.offline") };
    } finally {
      clearInterval(watch);
    }
  }

  // Whether it is there; null when another was asked for meanwhile.
  async function add(id) {
    const mine = ++turn;
    form.setAttribute("aria-busy", "true");
    const question = { id, there: here(), dataset: settings.dataset, language };
    const answer = await wait(question, () => mine === turn);
    if (mine !== turn) return null;
    form.removeAttribute("aria-busy");
    bar.hidden = true;
    if (answer.error) status.textContent = answer.error;
    if (!answer.id) return false;
    if (!here().includes(answer.id)) models.insertAdjacentHTML("beforeend", answer.choice);
    settings.showDataset();
    tick(models.querySelector(`input[value="${answer.id}"]`), true);
    return true;
  }

  // One after another, and whatever the form is asked for goes first.
  async function addComing() {
    coming = coming.filter((id) => !here().includes(id));
    while (coming.length && !isBusy()) {
      const [id] = coming;
      if ((await add(id)) !== null) coming = coming.filter((each) => each !== id);
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const id = field.value.trim();
    status.textContent = "";
    if (id && (await add(id)) && field.value.trim() === id) field.value = "";
    addComing();
  });
  models.addEventListener("click", (event) => {
    const place = event.target.closest("button")?.closest(".brought");
    if (!place) return;
    tick(place.querySelector("input"), false);
    place.remove();
    field.focus();
  });
  return {
    coming: () => coming,
    // As many of those that an address names as the board takes; the rest is not asked for.
    addNamed(ids) {
      const [named, count] = [[...new Set(ids)], Number(form.dataset.most)];
      left.textContent = named.length > count ? say("bring.left", { named: named.length, count }) : "";
      coming = named.slice(0, count);
      return addComing();
    },
  };
}
