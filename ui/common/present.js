// The view for a projector: larger, and without what an audience does not need. Kept while the window is open.
const STORE = "lineup.present";
const page = document.documentElement;

function present(isOn) {
  page.toggleAttribute("data-present", isOn);
  document.querySelector(".present")?.setAttribute("aria-pressed", isOn);
  try {
    sessionStorage.setItem(STORE, isOn ? "1" : "");
  } catch {} // until the page is left
}

function stored() {
  try {
    return sessionStorage.getItem(STORE) === "1";
  } catch {
    return false;
  }
}

document.addEventListener("click", ({ target }) => {
  if (target.closest?.(".present")) present(!page.hasAttribute("data-present"));
});
// Before the sketchpad, which the key would clear.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !page.hasAttribute("data-present") || document.querySelector("dialog[open]")) return;
    event.stopPropagation();
    present(false);
  },
  { capture: true },
);
if (stored()) present(true);
