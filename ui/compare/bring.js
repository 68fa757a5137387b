// Bring your weights: waits with the visitor until a checkpoint came and was measured, and gives it a place among the
// networks. It is there until the page is left; the address holds it.
const bringForm = element.querySelector("#bring");
const [bringField, bringBar, bringSaid] = ["input", ".bring-coming", "[role=status]"].map((each) => bringForm.querySelector(each));
const BRING_LONGEST = 300_000; // milliseconds
const brought = () => [...element.querySelectorAll(".brought input")].map((input) => input.value);
let bringTurn = 0;
let coming = []; // what the address names that is not here yet

// Whether it is there; null when another was asked for meanwhile.
async function bring(id) {
  const turn = ++bringTurn;
  const until = Date.now() + BRING_LONGEST;
  const question = { id, there: brought(), dataset: options.dataset(), language: options.language() };
  bringForm.setAttribute("aria-busy", "true");
  const watch = setInterval(async () => {
    const { done, all, text } = await got("bringing", question).catch(() => ({}));
    if (turn !== bringTurn || !bringForm.hasAttribute("aria-busy")) return;
    bringBar.hidden = !all;
    if (all) Object.assign(bringBar.firstElementChild, { value: done, max: all });
    bringBar.lastElementChild.textContent = text ?? "";
  }, 300);
  let answer;
  try {
    do answer = await got("bring", question);
    while (answer.wait && turn === bringTurn && Date.now() < until);
  } catch {
    answer = { error: say("verdict.offline") };
  }
  clearInterval(watch);
  if (turn !== bringTurn) return null;
  bringForm.removeAttribute("aria-busy");
  bringBar.hidden = true;
  if (answer.wait || answer.error) bringSaid.textContent = answer.error ?? say("bring.slow", { minutes: BRING_LONGEST / 60_000 });
  if (!answer.id) return false;
  const models = element.querySelector("#models");
  if (!brought().includes(answer.id)) models.insertAdjacentHTML("beforeend", answer.choice);
  showSamples();
  const input = models.querySelector(`input[value="${answer.id}"]`);
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

// As many of those that an address names as the board takes; the rest is not asked for.
function bringNamed(ids) {
  const [named, count] = [[...new Set(ids)], Number(bringForm.dataset.most)];
  bringForm.querySelector(".bring-left").textContent = named.length > count ? say("bring.left", { named: named.length, count }) : "";
  return bringAll(named.slice(0, count));
}

// One after another, and whatever the form is asked for goes first.
async function bringAll(ids) {
  coming = ids.filter((id) => !brought().includes(id));
  while (coming.length && !bringForm.hasAttribute("aria-busy")) {
    const [id] = coming;
    if ((await bring(id)) !== null) coming = coming.filter((each) => each !== id);
  }
}

bringForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const id = bringField.value.trim();
  bringSaid.textContent = "";
  if (id && (await bring(id)) && bringField.value.trim() === id) bringField.value = "";
  bringAll(coming);
});
element.querySelector("#models").addEventListener("click", (event) => {
  const place = event.target.closest("button")?.closest(".brought");
  if (!place) return;
  const input = place.querySelector("input");
  input.checked = false;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  place.remove();
  bringField.focus();
});
