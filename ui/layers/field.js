// The receptive field of the row that is pointed at, by mouse, finger or keyboard, drawn over the input.
import { say } from "../common/texts.js";

const MARGIN = 16; // pixels between the row and a box in the corner

function draw(box, row) {
  const [size, jump, first, side] = row.dataset.field.split(" ").map(Number);
  const square = box.querySelector(".field-square");
  for (const name of ["x", "y"]) square.setAttribute(name, (100 * first) / side);
  for (const name of ["width", "height"]) square.setAttribute(name, (100 * size) / side);
  const [name, text] = box.querySelector("figcaption").children;
  name.textContent = (row.querySelector("code") ?? row.querySelector("b")).textContent;
  const values = { size, jump };
  const key = jump ? "layers.field" : "layers.field.one";
  Object.assign(text.dataset, { text: key, values: JSON.stringify(values) });
  text.textContent = say(key, values);
}

// A box beside the table goes to the row, within the window. One in a corner is at the bottom, or at the top where it
// would cover the row or its details.
function place(box, row) {
  const { top, bottom } = row.getBoundingClientRect();
  const room = innerHeight - box.offsetHeight - MARGIN;
  const details = row.parentElement.querySelector(":scope > .layers-more")?.getBoundingClientRect();
  const end = Math.max(bottom, details?.bottom ?? 0);
  box.classList.toggle("field-above", end > room && top > box.offsetHeight + MARGIN);
  const start = box.parentElement.getBoundingClientRect().top + box.offsetTop - box.parentElement.offsetTop;
  box.style.setProperty("--field-top", `${Math.max(0, Math.min(top, room) - start)}px`);
}

export function mountField(element) {
  let shown = null; // the row
  const box = () => element.querySelector(".field");
  const seen = new IntersectionObserver(([row]) => row.isIntersecting || hide());

  function hide() {
    shown = null;
    seen.disconnect();
    box()?.classList.remove("field-shown");
  }
  function show({ target }) {
    const row = target.closest("summary[data-field]");
    if (!row || row === shown || !box()) return;
    seen.disconnect();
    seen.observe(row);
    shown = row;
    draw(box(), row);
    place(box(), row);
    box().classList.add("field-shown");
  }

  element.addEventListener("pointerover", show);
  element.addEventListener("focusout", hide);
  element.addEventListener("focusin", show);
  element.addEventListener("pointerout", ({ pointerType, relatedTarget }) => {
    if (pointerType === "mouse" && !relatedTarget?.closest?.(".layers-scroll")) hide();
  });
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  document.addEventListener("pointerdown", ({ target }) => target.closest?.("summary[data-field]") || hide());
  const follow = () => shown && box() && place(box(), shown);
  element.addEventListener("toggle", follow, { capture: true });
  document.addEventListener("scroll", follow, { capture: true, passive: true });
}
