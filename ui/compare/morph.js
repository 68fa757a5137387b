// Makes `from` like `to` node by node, so that focus, scrolling and transitions survive. A cell that is pending keeps
// what it shows, if it is of the same network; a table of another data set keeps nothing.
function morph(from, to) {
  if (from.nodeName !== to.nodeName) return from.replaceWith(to);
  if (from.nodeType === Node.TEXT_NODE) return void (from.data !== to.data && (from.data = to.data));
  if (from.nodeName === "TABLE" && from.dataset.dataset !== to.dataset.dataset) return from.replaceWith(to);
  if ("pending" in to.dataset && from.dataset.model === to.dataset.model && !from.matches(".board-missing")) return;
  for (const name of from.getAttributeNames()) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.nodeName === "INPUT") from.checked = to.hasAttribute("checked");
  const [old, young] = [[...from.childNodes], [...to.childNodes]];
  young.forEach((node, index) => (old[index] ? morph(old[index], node) : from.append(node)));
  old.slice(young.length).forEach((node) => node.remove());
}

// Puts HTML in place of what is in an element, without disturbing what stays the same.
export function fill(place, html) {
  const template = document.createElement(place.nodeName);
  template.innerHTML = html;
  const [old, young] = [[...place.childNodes], [...template.childNodes]];
  if (old.length !== young.length) return place.replaceChildren(...young);
  young.forEach((node, index) => morph(old[index], node));
}
