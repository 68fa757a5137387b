// The address of the page. Its hash holds parameters, which the tabs write; `t` is the open tab, or `TAB.SECTION`.
// A section is opened by the tab button `#TAB-SECTION-button`, or is the element `#TAB-SECTION`.
const WAIT = 10_000; // milliseconds for a tab to be rendered
const HUB = "https://huggingface.co";

let hash = location.hash; // also where the browser does not allow to change the address
let opening = 0; // grows with every place that is opened

export const parameters = () => new URLSearchParams(hash.slice(1));

// The page in a Space is a frame, whose address the visitor does not see.
const space = () => window.parent !== window && window.gradio_config?.space_id;

// The address that opens the page as it is now, or with another hash.
export const link = (own = hash) => (space() ? `${HUB}/spaces/${space()}` : location.href.replace(/#.*/s, "")) + own;

// Browsers refuse a change in some frames, and after many within a short time.
function put(next, method = "replaceState") {
  hash = next;
  try {
    history[method](null, "", hash);
  } catch {}
  if (space()) window.parent.postMessage({ hash }, HUB); // as Hugging Face documents for Spaces
}

// Writes parameters into the address, and removes those that are null; the others stay.
export function keep(changes, method) {
  const parts = parameters();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) parts.delete(name);
    else parts.set(name, value);
  }
  if (`#${parts}` !== hash) put(`#${parts}`, method);
}

const nameOf = (button) => button.id.replace(/-button$/, "");
const isTab = (element) => element?.getAttribute("role") === "tab";

function find(id) {
  const [button, section] = [`${id}-button`, id].map((each) => document.getElementById(each));
  if (isTab(button)) return button;
  return section?.getAttribute("role") === "tabpanel" ? null : section; // its button comes
}

// Resolves to the element once it is rendered; to null if it is not in time.
function rendered(id) {
  return new Promise((resolve) => {
    const done = () => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(find(id));
    };
    const observer = new MutationObserver(() => find(id) && done());
    const timer = setTimeout(done, WAIT);
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["id"] });
    if (find(id)) done();
  });
}

function show(element) {
  if (isTab(element)) {
    if (element.getAttribute("aria-selected") !== "true") element.click();
    return;
  }
  for (let each = element; each; each = each.parentElement) if (each.matches("details")) each.open = true;
  const heading = element.querySelector("h2, h3, summary") ?? element;
  if (heading.tabIndex < 0) heading.tabIndex = -1; // so that it takes the focus
  element.scrollIntoView();
  heading.focus({ preventScroll: true });
}

async function open() {
  const [tab, section] = (parameters().get("t") ?? "compare").split(".");
  const turn = ++opening;
  for (const id of [tab, section && `${tab}-${section}`].filter(Boolean)) {
    const element = await rendered(id);
    if (!element || turn !== opening) return;
    show(element);
  }
}

// The place of a tab button that was clicked; of a tab with tabs in it, that of its open one.
function placeOf(button) {
  const panel = button.closest("[role=tabpanel]");
  const tab = panel?.id ?? nameOf(button);
  const section = panel ? button : document.getElementById(tab)?.querySelector("[role=tab][aria-selected=true][id]");
  return section ? `${tab}.${nameOf(section).slice(tab.length + 1)}` : tab;
}

document.addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[href^='#t=']");
  if (anchor && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault(); // the link would remove the other parameters
    keep({ t: anchor.hash.slice(3) }, "pushState");
    open();
  }
  const button = event.target.closest?.("[role=tab]");
  if (button?.id && event.isTrusted) keep({ t: placeOf(button) });
});
window.addEventListener("hashchange", ({ newURL }) => {
  put(new URL(newURL).hash); // also if a late answer has written over it
  open();
});
open();
