import { labelOf } from "./rows.js";

// Changes `from` into `to` node by node, which preserves focus, scrolling and transitions. A pending cell of the same
// network keeps its content; what is of another data set, and a row of another class, is replaced.
function morph(from, to) {
  if (from.nodeName !== to.nodeName) return from.replaceWith(to);
  if (from.nodeType === Node.TEXT_NODE) return void (from.data !== to.data && (from.data = to.data));
  if (from.dataset.dataset !== to.dataset.dataset) return from.replaceWith(to);
  if (from.nodeName === "TR" && labelOf(from) !== labelOf(to)) return from.replaceWith(to);
  if ("pending" in to.dataset && from.dataset.model === to.dataset.model && !from.matches(".board-missing")) return;
  for (const name of from.getAttributeNames()) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.nodeName === "INPUT") from.checked = to.hasAttribute("checked");
  const [old, young] = [[...from.childNodes], [...to.childNodes]];
  young.forEach((node, index) => (old[index] ? morph(old[index], node) : from.append(node)));
  old.slice(young.length).forEach((node) => node.remove());
}

// Changes the content of an element into HTML, once `arrange` has changed that; nodes that are equal stay.
export function fill(place, html, arrange = () => {}) {
  const template = document.createElement(place.nodeName);
  template.innerHTML = html;
  arrange(template);
  const [old, young] = [[...place.childNodes], [...template.childNodes]];
  if (old.length !== young.length) return place.replaceChildren(...young);
  young.forEach((node, index) => morph(old[index], node));
}
