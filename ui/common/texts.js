// The texts of the page, which `head.html` puts into its head: language to key to text.
export const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LANGUAGES = Object.keys(TEXTS);
const STORE = "lineup.language";

export let language = preferred();

// That of the address; the one chosen here before; or the browser's.
function preferred() {
  const linked = new URLSearchParams(location.hash.slice(1)).get("l");
  if (LANGUAGES.includes(linked)) return linked;
  const spoken = navigator.languages.map((tag) => tag.slice(0, 2)).find((code) => LANGUAGES.includes(code)) ?? "en";
  try {
    return LANGUAGES.find((code) => code === localStorage.getItem(STORE)) ?? spoken;
  } catch {
    return spoken; // a browser that keeps nothing
  }
}

// The text of a key with its {names} filled in; a value that has a key is a text itself.
export function say(key, values = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return value?.key ? say(value.key, value.values) : (value ?? whole);
  });
}

// Switches the page to a language, and sends `lineup:language` to the document; one without texts changes nothing.
export function speak(code) {
  if (!LANGUAGES.includes(code) || code === language) return;
  language = code;
  document.dispatchEvent(new Event("lineup:language"));
}

// The same, also for visits to come.
export function prefer(code) {
  try {
    localStorage.setItem(STORE, code);
  } catch {} // kept for this visit
  speak(code);
}
