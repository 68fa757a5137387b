"""Links to a part of the page, in Chromium."""

from playwright.sync_api import expect

from tests.browser.test_page import SEVEN, draw
from ui.common.texts import say

CHOSEN = "[role=tab][aria-selected=true]"


def test_a_link_opens_a_tab_and_its_section_and_the_address_follows_the_tabs(page):
    draw(page, SEVEN)
    page.wait_for_url("**p=t*")
    drawn = page.url.split("#")[1]
    page.evaluate("""document.querySelector(".masthead").insertAdjacentHTML(
        "beforeend", '<a href="#t=training.leaderboard">Leaderboard</a>')""")
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.locator("#training-leaderboard")).to_be_in_viewport()
    page.wait_for_url(f"**{drawn}&t=training.leaderboard")
    page.go_back()
    page.wait_for_url(f"**{drawn}")
    expect(page.locator("#sketchpad canvas")).to_be_visible()
    page.get_by_role("tab", name="Layers").click()
    page.wait_for_url(f"**{drawn}&t=layers")
    page.reload()
    expect(page.locator(f"#layers-button{CHOSEN}")).to_be_visible()
    expect(page.locator("#layers-page")).to_be_visible()


# What is copied in the way that works without `navigator.clipboard`, as on a page over http; false if it is refused.
COPIES = """(() => {
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  const copy = document.execCommand.bind(document);
  document.addEventListener("copy", () => (window.copied = document.activeElement.value));
  document.execCommand = (name) => !window.refused && copy(name);
})()"""


def test_a_link_is_copied_over_http_and_shown_where_copying_is_refused(page):
    page.evaluate(COPIES)
    draw(page, SEVEN)
    page.wait_for_url("**p=t*")
    page.locator(".keep-link").click()
    expect(page.locator(".keep-spoken")).to_have_text(say("en", "keep.copied"))
    assert page.evaluate("window.copied") == page.url
    page.evaluate("window.refused = true")
    page.locator(".keep-link").click()
    shown = page.get_by_label(say("en", "keep.address"))
    expect(shown).to_be_focused()
    assert shown.input_value() == page.url
    assert shown.evaluate("each => each.selectionEnd - each.selectionStart") == len(page.url)
    draw(page, SEVEN)
    expect(shown).to_be_hidden()


def test_the_link_that_is_copied_in_a_space_is_that_of_the_space(browser, url):
    outer = browser.new_page()
    outer.goto(url)  # as the page allows no frame of any other site over http
    outer.set_content(f'<iframe src="{url}" sandbox="allow-scripts allow-same-origin" width="1200" height="900">')
    frame = outer.frames[1]
    frame.locator("#lineup .board").wait_for()
    frame.evaluate(COPIES)
    frame.evaluate("window.gradio_config.space_id = 'someone/lineup'")
    frame.locator(".keep-link").click()
    expect(frame.locator(".keep-spoken")).to_have_text(say("en", "keep.copied"))
    assert frame.evaluate("window.copied").startswith("https://huggingface.co/spaces/someone/lineup#d=mnist&")
    outer.close()
