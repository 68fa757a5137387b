// The controls of the board: headers hide networks and sort. Hidden networks are below the board, where they are shown again.
import { tick } from "../common/inputs.js";
import { say } from "../common/texts.js";

export function headers({ element, settings }, table) {
  const models = element.querySelector("#models");

  function hide(name) {
    const input = models.querySelector(`input[value="${name}"]`);
    tick(input, false);
    input.focus({ preventScroll: true }); // the header will be gone
  }

  // The order by a figure; a second press returns to the default order.
  function sort(name) {
    const select = settings.get("sort");
    const [first] = select.options;
    select.value = select.value === name ? first.value : name;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  table.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const { hide: hides, sort: figure, rows } = button?.dataset ?? {};
    if (hides !== undefined) hide(button.closest("th").dataset.model);
    if (figure) sort(figure);
    if (rows) tick(settings.get("ranked"), rows === "together");
  });
  // Titles that responses would repeat for each cell: the number behind a dot, and what a class opens.
  for (const type of ["pointermove", "focusin"])
    table.addEventListener(type, ({ target }) => {
      if (target.matches(".faint")) target.title = target.textContent;
      if (target.matches("th [data-class]")) target.title = say("board.explain", { label: target.textContent });
    });
  models.addEventListener("change", ({ target }) => {
    const hadFocus = target === document.activeElement;
    if (target.checked && hadFocus) table.querySelector(".board").focus({ preventScroll: true }); // the choice is gone
  });
}
