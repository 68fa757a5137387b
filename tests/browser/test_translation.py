"""The page while the browser translates it, emulated as Chromium and Firefox do it."""

import pytest
from playwright.sync_api import expect

from cnn_models import ARCHITECTURES
from tests.browser.test_page import draw, open_tabs
from ui.common.texts import say

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
# Chromium wraps each text node in two <font> elements; Firefox writes into the text nodes. Both follow later changes.
TRANSLATE = """
(inFonts) => {
  window.changes = 0;
  const isDone = (node) => /^«.*»$/.test(node.data.trim()) || !node.data.trim()
    || node.parentElement.closest("script, style, [translate=no]");
  function translate(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const nodes = root.nodeType === Node.TEXT_NODE ? [root] : [];
    while (walker.nextNode()) nodes.push(walker.currentNode);
    for (const node of nodes.filter((each) => each.parentElement && !isDone(each))) {
      const text = `«${node.data.trim()}»`;
      if (!inFonts) { node.data = text; continue; }
      const [outer, inner] = [document.createElement("font"), document.createElement("font")];
      outer.dir = "auto";
      inner.textContent = text;
      outer.append(inner);
      node.replaceWith(outer);
    }
  }
  translate(document.body);
  document.documentElement.classList.add("translated-ltr");
  new MutationObserver((records) => {
    window.changes += records.length;
    const changed = records.flatMap((each) => (each.type === "characterData" ? [each.target] : [...each.addedNodes]));
    setTimeout(() => changed.filter((node) => node.isConnected).forEach(translate));
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}
"""
# Names of networks, and numbers in tables and charts, that a translation would change.
LEFT = """(names) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const [parent, text] = [walker.currentNode.parentElement, walker.currentNode.data.trim()];
    if (parent.closest("script, style, [translate=no], .ml-2, option")) continue;
    const isNumber = parent.closest("tbody, svg") && /^[\\d.,% –→]*\\d[\\d.,% –→]*$/.test(text);
    if (isNumber || names.includes(text)) found.push(text);
  }
  return found;
}"""
# The number of changes in a second in which nobody does anything.
IDLE = """
() => new Promise((done) => {
  const before = window.changes;
  setTimeout(() => done(window.changes - before), 1000);
})
"""


@pytest.mark.parametrize("in_fonts", [True, False], ids=["chromium", "firefox"])
def test_a_translation_by_the_browser_stays_and_costs_nothing_when_idle(page, in_fonts):
    page.evaluate(TRANSLATE, in_fonts)
    header = page.locator("[data-text='page.motto']")
    tab = page.get_by_role("tab").first
    expect(tab).to_have_text(f"«{say('en', 'tab.compare')}»")
    page.wait_for_function(f"async () => (await ({IDLE})()) === 0")
    assert header.inner_text() == f"«{say('en', 'page.motto')}»"
    draw(page, SEVEN)
    expect(page.locator(".board-winner").first).to_be_visible()
    page.wait_for_function(f"async () => (await ({IDLE})()) === 0")
    expect(tab).to_have_text(f"«{say('en', 'tab.compare')}»")


def test_the_language_is_switched_while_the_browser_translates(page):
    page.evaluate(TRANSLATE, True)
    page.locator(".language input[value=zh]").check(force=True)
    expect(page.get_by_role("tab").first).to_have_text(f"«{say('zh', 'tab.compare')}»")


def test_names_of_networks_and_numbers_in_tables_and_charts_are_left_alone(page):
    names = [each.title for each in ARCHITECTURES.values()]
    draw(page, SEVEN)
    expect(page.locator(".board-winner").first).to_be_visible()
    for tab in open_tabs(page):
        assert page.evaluate(LEFT, names) == [], tab
