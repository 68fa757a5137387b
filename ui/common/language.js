// Says the page in the visitor's language: elements with `data-text`, attributes with `data-text-<name>`, and labels of
// gradio's own components whose English text is one of ours. TEXTS and LANGUAGES come from texts.py.
const ATTRIBUTES = ["title", "aria-label", "alt", "placeholder"];
const MARKED = ["[data-text]", ...ATTRIBUTES.map((name) => `[data-text-${name}]`)].join();
const OURS = ["[role=tab]", ".block label > span", "[data-testid=block-info]", "button.secondary"]
  .map((each) => `${each}:not([data-text])`)
  .join();
const CONTROLS = { "number input": "control.number", "range slider": "control.range" };
const keys = new Map(Object.entries(TEXTS.en).map(([key, text]) => [text, key]));
const store = "lineup.language";

// That of the address, which `keep.js` writes; the one chosen here before; or the browser's.
function chosen() {
  const linked = new URLSearchParams(location.hash.slice(1)).get("l");
  if (LANGUAGES.includes(linked)) return linked;
  const spoken = navigator.languages.map((tag) => tag.slice(0, 2)).find((code) => LANGUAGES.includes(code)) ?? "en";
  try {
    return LANGUAGES.find((code) => code === localStorage.getItem(store)) ?? spoken;
  } catch {
    return spoken; // a browser that keeps nothing
  }
}

const lineup = (window.lineup = {
  language: chosen(),
  say(key, values = {}) {
    const text = TEXTS[lineup.language][key];
    return text.replace(/\{(\w+)\}/g, (whole, name) => {
      const value = values[name]; // one that has a key is a text itself
      return value?.key ? lineup.say(value.key, value.values) : (value ?? whole);
    });
  },
  speak(language) {
    if (!LANGUAGES.includes(language) || language === lineup.language) return;
    lineup.language = language;
    nameLanguage();
    translate(document.body);
    document.dispatchEvent(new Event("lineup:language"));
  },
});

function each(root, selector, use) {
  if (root.matches?.(selector)) use(root);
  root.querySelectorAll(selector).forEach(use);
}

// Not for every node that is added: it makes the browser style the whole page anew.
function nameLanguage() {
  document.documentElement.lang = lineup.language === "zh" ? "zh-CN" : "en";
}

function translate(root) {
  each(root, OURS, (element) => {
    const key = element.children.length ? undefined : keys.get(element.textContent.trim());
    if (key) element.dataset.text = key;
  });
  each(root, "[aria-label]:not([data-text-aria-label])", name);
  each(root, MARKED, say);
  each(root, ".language input", (input) => (input.checked = input.value === lineup.language));
}

// What gradio calls a control or a part of it; the name of the control is a text of ours.
function name(element) {
  const label = element.getAttribute("aria-label");
  const [, kind, of] = label.match(/^(number input|range slider) for (.+)$/) ?? [];
  const key = kind ? CONTROLS[kind] : keys.get(label);
  if (key) element.dataset.textAriaLabel = key;
  if (kind) element.dataset.values = JSON.stringify({ label: keys.has(of) ? { key: keys.get(of) } : of });
}

function say(element) {
  const values = JSON.parse(element.dataset.values ?? "{}");
  const key = element.dataset.text;
  const said = key && lineup.say(key, values).split("`");
  if (key && element.textContent !== said.join("")) {
    element.replaceChildren(...said.map((part, index) => (index % 2 ? code(part) : part)));
  }
  for (const name of ATTRIBUTES) {
    const named = element.getAttribute(`data-text-${name}`);
    const text = named && lineup.say(named, values);
    if (named && element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

// A command, which may break at dots and underscores.
function code(text) {
  const element = document.createElement("code");
  element.append(...text.split(/(?<=[._])/).flatMap((part) => [part, document.createElement("wbr")]));
  return element;
}

document.addEventListener("change", (event) => {
  if (!event.target.matches(".language input")) return;
  try {
    localStorage.setItem(store, event.target.value);
  } catch {} // it is said for this visit
  lineup.speak(event.target.value);
});
// Gradio makes HTML anew by changing what is there already, so texts and attributes can fall back to English.
new MutationObserver((records) => {
  for (const { type, target, addedNodes } of records) {
    for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) translate(node);
    const element = type === "characterData" ? target.parentElement : target;
    if (element?.matches?.(MARKED)) say(element);
  }
}).observe(document.documentElement, {
  childList: true,
  characterData: true,
  subtree: true,
  attributeFilter: ["data-text", "data-values", ...ATTRIBUTES],
});
nameLanguage();
if (document.body) translate(document.body);
