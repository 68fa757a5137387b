// The texts of the page, from its head: language to key to text.
export const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LANGUAGES = Object.keys(TEXTS);
const STORE = "lineup.language";

export let language = preferred();

// The language of the address, else the stored one, else the browser's.
function preferred() {
  const linked = new URLSearchParams(location.hash.slice(1)).get("l");
  if (LANGUAGES.includes(linked)) return linked;
  const spoken = navigator.languages.map((tag) => tag.slice(0, 2)).find((code) => LANGUAGES.includes(code)) ?? "en";
  try {
    return LANGUAGES.find((code) => code === localStorage.getItem(STORE)) ?? spoken;
  } catch {
    return spoken; // storage is not allowed
  }
}

// The text of a key with its {names} filled in; a value that has a key is a text, too.
export function say(key, values = {}, code = language) {
  return TEXTS[code][key].replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return value?.key ? say(value.key, value.values, code) : (value ?? whole);
  });
}

// Gives an element a text, which `language.js` keeps in the language of the page.
export function put(element, key, values = {}) {
  element.dataset.values = JSON.stringify(values);
  element.dataset.text = key;
  element.textContent = say(key, values);
}

// The name of a class as a value of a text.
export const className = (label) => (`class.${label}` in TEXTS.en ? { key: `class.${label}` } : label);

// Switches the page to a language, if it has texts, and sends `lineup:language` to the document.
export function speak(code) {
  if (!LANGUAGES.includes(code) || code === language) return;
  language = code;
  document.dispatchEvent(new Event("lineup:language"));
}

// The same, and stores the language for later visits.
export function prefer(code) {
  try {
    localStorage.setItem(STORE, code);
  } catch {} // for this visit
  speak(code);
}
