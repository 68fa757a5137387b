// Translates the page: elements with `data-text`, attributes with `data-text-<name>`, and labels of gradio's own
// components whose English text is in the locale.
import { TEXTS, language, prefer, say } from "./texts.js";

const ATTRIBUTES = ["title", "aria-label", "alt", "placeholder"];
const MARKED = ["[data-text]", ...ATTRIBUTES.map((name) => `[data-text-${name}]`)].join();
const OURS = ["[role=tab]", ".block label > span", "[data-testid=block-info]", "button.secondary"]
  .map((each) => `${each}:not([data-text])`)
  .join();
const CONTROLS = { "number input": "control.number", "range slider": "control.range" };
const written = new WeakMap(); // element to what its texts were made from
const keys = new Map(Object.entries(TEXTS.en).map(([key, text]) => [text, key]));

function each(root, selector, use) {
  if (root.matches?.(selector)) use(root);
  root.querySelectorAll(selector).forEach(use);
}

function translatePage() {
  // Not in `translate`: the browser then styles the whole page again.
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  translate(document.body);
}

function translate(root) {
  each(root, OURS, (element) => {
    const key = element.children.length ? undefined : keys.get(element.textContent.trim());
    if (key) element.dataset.text = key;
  });
  each(root, "[aria-label]:not([data-text-aria-label])", nameControl);
  each(root, MARKED, translateElement);
  each(root, ".language input", (input) => (input.checked = input.value === language));
}

// Marks the label that gradio gives to a control or a part of it.
function nameControl(element) {
  const label = element.getAttribute("aria-label");
  const [, kind, of] = label.match(/^(number input|range slider) for (.+)$/) ?? [];
  const key = kind ? CONTROLS[kind] : keys.get(label);
  if (key) element.dataset.textAriaLabel = key;
  if (kind) element.dataset.values = JSON.stringify({ label: keys.has(of) ? { key: keys.get(of) } : of });
}

// Puts the texts of an element where they are not yet, or are English again: gradio updates HTML in place. A text that
// another program changed, as a browser that translates pages does, is left alone.
function translateElement(element) {
  const values = JSON.parse(element.dataset.values ?? "{}");
  const named = ATTRIBUTES.map((name) => [name, element.getAttribute(`data-text-${name}`)]).filter(([, key]) => key);
  const key = element.dataset.text;
  const made = JSON.stringify([language, key, named, values]);
  const isNew = written.get(element) !== made;
  written.set(element, made);
  const isDue = (now, key, text) => now !== text && (isNew || now === plain(key, values, "en"));
  if (key && isDue(element.textContent, key, plain(key, values))) {
    const parts = say(key, values).split("`");
    element.replaceChildren(...parts.map((part, index) => (index % 2 ? codeElement(part) : part)));
  }
  for (const [name, key] of named) {
    const text = plain(key, values);
    if (isDue(element.getAttribute(name), key, text)) element.setAttribute(name, text);
  }
}

const plain = (key, values, code) => say(key, values, code).replaceAll("`", "");

// A command as code, which may break after dots and underscores.
function codeElement(text) {
  const element = Object.assign(document.createElement("code"), { translate: false });
  element.append(...text.split(/(?<=[._])/).flatMap((part) => [part, document.createElement("wbr")]));
  return element;
}

document.addEventListener("change", (event) => {
  if (event.target.matches(".language input")) prefer(event.target.value);
});
document.addEventListener("lineup:language", translatePage);
// Gradio updates HTML in place, which can bring back English texts and attributes.
new MutationObserver((records) => {
  for (const { type, target, addedNodes } of records) {
    for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) translate(node);
    const element = type === "characterData" ? target.parentElement : target;
    if (element?.matches?.(MARKED)) translateElement(element);
  }
}).observe(document.documentElement, {
  childList: true,
  characterData: true,
  subtree: true,
  attributeFilter: ["data-text", "data-values", ...ATTRIBUTES],
});
translatePage();
