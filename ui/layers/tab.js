// The Layers tab: links from the diagram to the rows, strips of channels in a dialog, and copying the table.
import { copy } from "../common/clipboard.js";
import { mountField } from "./field.js";

function show(row) {
  for (let each = row; each; each = each.parentElement.closest("details")) each.open = true;
  const line = row.querySelector("summary");
  line.scrollIntoView({ block: "center", inline: "nearest" });
  line.focus({ preventScroll: true });
}

// A strip in a dialog, its tiles large and with the numbers of their channels.
function enlarged(button) {
  const { width, height, numbers } = button.dataset;
  const source = button.querySelector("img").src;
  const count = numbers ? numbers.split(" ").length : 1;
  const side = Math.max(1, Math.floor((numbers ? 128 : 560) / Math.max(width, numbers ? height : 0)));
  const dialog = Object.assign(document.createElement("dialog"), { className: "strip-large" });
  const title = Object.assign(document.createElement("p"), { textContent: button.title });
  const tiles = [...Array(count).keys()].map((index) => {
    const figure = document.createElement("figure");
    const tile = document.createElement("i");
    tile.style.cssText = `width:${width * side}px;height:${height * side}px;background:url(${source}) -${
      index * (+width + 1) * side
    }px 0/${(+width + 1) * count * side}px ${height * side}px`;
    figure.append(tile, numbers ? numbers.split(" ")[index] : "");
    return figure;
  });
  const grid = document.createElement("div");
  grid.append(...tiles);
  dialog.append(title, grid);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

export function mount({ element }) {
  mountField(element);
  element.addEventListener("click", async (event) => {
    const box = event.target.closest(".diagram a");
    if (box) {
      event.preventDefault();
      show(document.getElementById(box.getAttribute("href").slice(1)));
    }
    const strip = event.target.closest(".strip button");
    if (strip) {
      const dialog = enlarged(strip);
      element.append(dialog);
      dialog.showModal();
    }
    const button = event.target.closest("[data-copy]");
    if (button) {
      await copy(button.dataset.copy);
      element.querySelector(".layers-tools [role=status]").hidden = false;
    }
  });
}
