// The Layers tab: boxes of the diagram lead to their rows, and the table is copied as text.
const copy = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text }); // pages without https
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};

const show = (row) => {
  for (let each = row; each; each = each.parentElement.closest("details")) each.open = true;
  const line = row.querySelector("summary");
  line.scrollIntoView({ block: "center", inline: "nearest", behavior: "smooth" });
  line.focus({ preventScroll: true });
};

element.addEventListener("click", async (event) => {
  const box = event.target.closest(".diagram a");
  if (box) {
    event.preventDefault();
    show(document.getElementById(box.getAttribute("href").slice(1)));
  }
  const button = event.target.closest("[data-copy]");
  if (button) {
    await copy(button.dataset.copy);
    element.querySelector(".layers-tools [role=status]").textContent = "Copied.";
  }
});
