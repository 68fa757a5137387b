"""Links to a part of the page, in Chromium."""

import csv
import io

from PIL import Image
from playwright.sync_api import expect

from cnn_models import ARCHITECTURES
from tests.browser.test_page import SEVEN, draw, open_tab, open_tabs
from ui.common.texts import say

CHOSEN = "[role=tab][aria-selected=true]"


def test_a_link_opens_a_tab_and_its_section_and_the_address_follows_the_tabs(page):
    draw(page, SEVEN)
    page.wait_for_url("**p=t*")
    drawn = page.url.split("#")[1]
    page.evaluate("""document.querySelector(".masthead").insertAdjacentHTML(
        "beforeend", '<a href="#t=training.leaderboard">Leaderboard</a>')""")
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.locator("#training-ranking")).to_be_in_viewport()
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
    frame.get_by_role("radio", name="Clothing").check()
    frame.locator(".keep-link").click()
    expect(frame.locator(".keep-spoken")).to_have_text(say("en", "keep.copied"))
    assert frame.evaluate("window.copied").startswith("https://huggingface.co/spaces/someone/lineup#d=fashion_mnist&")
    outer.close()


def saved(page, name, kind, folder):
    """The file that a button of this name saves."""
    with page.expect_download() as download:
        page.locator(f".save[data-name={name}] button[value={kind}]").click()
    assert download.value.suggested_filename == f"cnn-lineup-{name}.{kind}"
    download.value.save_as(folder / kind)
    return folder / kind


def rows(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_the_board_and_the_curves_are_saved_as_an_image_and_as_csv(page, tmp_path):
    draw(page, SEVEN)
    expect(page.locator("#lineup .board-winner").first).to_be_visible()
    head, *body = rows(saved(page, "board", "csv", tmp_path))
    assert head[1:-1] == page.locator("#lineup thead th[data-model]").evaluate_all(
        "all => all.map((e) => e.dataset.model)"
    )
    assert [row[0] for row in body[:10]] == list("0123456789")
    assert {len(row) for row in body} == {len(head)}
    assert float(next(row for row in body if row[0] == "7")[1].strip("<>")) > 90
    image = Image.open(saved(page, "board", "png", tmp_path)).convert("RGB")
    box = page.locator("#lineup table").bounding_box()
    assert image.width > 2 * box["width"] and image.height > 2 * box["height"]
    assert len(image.getcolors(2**24)) > 100  # more than an empty table
    open_tab(page, "Training", "#training-curves polyline")
    head, *points = rows(saved(page, "curves", "csv", tmp_path))
    assert head == [say("en", f"save.head.{name}") for name in ("chart", "line", "x", "y")] and len(points) > 100
    assert all(float(x) >= 0 and float(y) >= 0 for _, _, x, y in points)


def test_a_cell_that_spreadsheets_would_run_is_text(page):
    module = page.locator("link[rel=modulepreload][href*='common/save.js']").get_attribute("href")
    written = page.evaluate(
        """async (module) => {
          const { csvOf } = await import(new URL(`${module}/../../save/csv.js`, document.baseURI));
          const table = document.createElement("table");
          for (const text of ["=1+1", "-2.5", "@a", 'a "b", c']) table.insertRow().insertCell().textContent = text;
          return csvOf([table]).text();
        }""",
        module,
    )
    assert written.lstrip("\ufeff").split() == ["'=1+1", "-2.5", "'@a", '"a', '""b"",', 'c"']


def test_present_enlarges_the_page_and_is_left_with_escape(page):
    button = page.get_by_role("button", name=say("en", "page.present"))
    width = page.locator("#sketchpad canvas").bounding_box()["width"]
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.locator("#sketchpad canvas").bounding_box()["width"] > 1.2 * width
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    draw(page, SEVEN)
    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#verdict")).to_contain_text("read 7")  # Escape clears the canvas where nothing is presented
    expect(page.get_by_role("heading", name="CNN Lineup")).to_be_visible()


def test_every_tab_fits_on_paper_without_what_one_clicks(page):
    page.set_viewport_size({"width": 703, "height": 1032})  # A4 between its margins
    draw(page, SEVEN)
    expect(page.locator("#lineup .board-winner").first).to_be_visible()
    for name in open_tabs(page):
        page.emulate_media(media="print")
        expect(page.locator("[role=tab]").locator("visible=true").first).to_have_text(say("en", f"tab.{name}"))
        expect(page.locator("button:not([role=tab], table *, :has(img))").locator("visible=true")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 703, name
        page.emulate_media(media="screen")


def test_what_is_chosen_is_seen_in_forced_colours(page):
    page.emulate_media(forced_colors="active")
    colour = "each => getComputedStyle(each).backgroundColor"
    chosen = page.locator(f"#compare-button{CHOSEN}").locator("visible=true").evaluate(colour)
    assert chosen != page.locator("#layers-button").locator("visible=true").evaluate(colour)
    spans = page.locator(".language span")
    assert spans.nth(0).evaluate(colour) == chosen != spans.nth(1).evaluate(colour)
    page.locator("#layers-button").locator("visible=true").click()
    box = page.locator("#layers input[type=checkbox]").first
    assert box.evaluate("each => getComputedStyle(each).appearance") == "auto"
    page.locator("#training-button").locator("visible=true").click()
    lines = page.locator("#training-charts .chart-legend line")
    lines.first.wait_for(state="attached")
    strokes = lines.evaluate_all("all => all.map((each) => getComputedStyle(each).stroke)")
    assert len(set(strokes)) == len(ARCHITECTURES), "each network has a colour of its own"
