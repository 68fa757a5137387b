// The buttons that save a part of the page as an image or as CSV; `data-of` selects the elements of it.
import { say } from "./texts.js";

// Loaded when they are needed.
const FILES = {
  png: async (elements) => (await import("../save/png.js")).pngOf(elements),
  csv: async (elements) => (await import("../save/csv.js")).csvOf(elements),
};

function download(blob, name) {
  const anchor = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000); // some browsers read it later
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.(".save button");
  if (!button) return;
  const place = button.parentElement;
  const [status, elements] = [place.querySelector("[role=status]"), [...document.querySelectorAll(place.dataset.of)]];
  status.textContent = "";
  try {
    download(await FILES[button.value](elements), `cnn-lineup-${place.dataset.name}.${button.value}`);
  } catch {
    status.textContent = say("save.failed");
  }
});
