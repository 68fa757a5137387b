"""The first sight of the page, and the answers beside the canvas on small screens, in Chromium."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_page import SEVEN, draw

SIZES = [(320, 568), (360, 640), (375, 667), (390, 844), (667, 375), (568, 320)]
SMALL = pytest.mark.parametrize("page", SIZES, ids=["x".join(map(str, size)) for size in SIZES], indirect=True)
BLOCKED = """() => {
  const white = document.createElement("canvas").toDataURL();
  HTMLCanvasElement.prototype.toDataURL = () => white;
  CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) => {
    const image = new ImageData(width, height);
    image.data.fill(255);
    return image;
  };
}"""

REFUSED = """() => {
  CanvasRenderingContext2D.prototype.getImageData = () => { throw new DOMException("no", "SecurityError"); };
}"""


def expect_verdict(page, text):
    expect(page.locator("#verdict")).to_contain_text(text)


@SMALL
@pytest.mark.parametrize("side", ["start", "end"])
def test_the_answers_are_in_view_beside_the_canvas_while_the_pen_is_down_and_do_not_move_it(page, side):
    expect_verdict(page, "read 3")
    canvas, answers = page.locator("#sketchpad canvas"), page.locator("#answers")
    canvas.evaluate("(canvas, block) => canvas.scrollIntoView({ block })", side)
    before = canvas.bounding_box()
    draw(page, SEVEN, release=False)
    expect(answers.locator("li b")).to_have_text(["7"] * 5)
    for each in (canvas, answers.locator("ul")):
        expect(each).to_be_in_viewport(ratio=0.99)
    assert canvas.bounding_box() == before
    overflow = answers.locator("li:not(.answers-warning) *").evaluate_all(
        "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1)"
    )
    assert not overflow and page.evaluate("document.documentElement.scrollWidth === innerWidth")
    page.mouse.up()
    expect_verdict(page, "read 7")


def test_a_dot_is_answered_while_the_pen_rests_on_it(page):
    expect_verdict(page, "read 3")
    draw(page, [(0.5, 0.5)], release=False)
    expect_verdict(page, "it is a dot")
    page.mouse.up()


@pytest.mark.parametrize("page", [(390, 844)], indirect=True)
def test_the_answers_are_marked_where_the_verdict_warns(page):
    mark = page.locator(".answers-warning")
    expect_verdict(page, "read 3")
    expect(mark).to_be_hidden()
    page.locator("#sketchpad canvas").click()
    expect_verdict(page, "it is a dot")
    expect(mark).to_be_visible()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(mark).to_be_hidden()


def test_the_opening_writes_itself_and_leaves_nothing_behind(browser, url):
    tab, drawn = browser.new_page(), []
    tab.on("request", lambda request: drawn.append(request) if '"drawing":true' in (request.post_data or "") else None)
    tab.goto(url)
    expect_verdict(tab, "read 3")
    assert drawn
    expect(tab.locator(".sketchpad-hint")).to_have_text("Draw a digit, or upload a photograph", use_inner_text=True)
    expect(tab.get_by_role("button", name="Undo")).to_be_disabled()
    assert tab.url.rstrip("/") == url.rstrip("/") and not tab.locator(".keep-strip button").count()
    draw(tab, SEVEN)
    expect_verdict(tab, "read 7")
    expect(tab.locator(".keep-strip button")).to_have_count(1)
    tab.get_by_role("button", name="Undo").click()
    expect_verdict(tab, "The canvas is empty")
    expect(tab.get_by_role("button", name="Undo")).to_be_disabled()
    tab.close()


def test_the_opening_follows_the_data_set_and_never_replaces_a_drawing(page):
    expect_verdict(page, "read 3")
    page.get_by_role("radio", name="Clothing").check()
    expect_verdict(page, "predict Ankle boot")
    expect(page.locator(".sketchpad-hint")).to_contain_text("Draw a garment")
    draw(page, SEVEN)
    page.wait_for_url("**p=t*")
    page.get_by_role("radio", name="Digits").check()
    expect_verdict(page, "read 7")
    page.wait_for_url("**d=mnist*p=t*")
    page.reload()
    expect_verdict(page, "read 7")


@pytest.mark.parametrize("dataset", ["Digits", "Clothing"])
def test_a_test_image_that_splits_the_networks_is_answered_as_its_caption_says(page, dataset):
    page.get_by_role("radio", name=dataset).check()
    examples = page.locator(".examples:not([hidden]) button")
    expect(examples).to_have_count(3)
    for example in examples.all():
        example.click()
        page.wait_for_url("**p=p*")
        said = dict(
            zip(*(page.locator(f"#answers li {part}").all_text_contents() for part in ("span", "b")), strict=False)
        )
        expect(page.locator("#verdict")).to_contain_text("networks")
        first, second = example.inner_text().replace("\N{NO-BREAK SPACE}", " ").split(", ")
        name, label = first.split(" says ")
        assert said[name] == label
        name = next(name for name in said if second.startswith(name))
        assert said[name] == second.removeprefix(f"{name} ")
        page.get_by_role("button", name="Clear", exact=True).click()
        page.wait_for_url(lambda url: "p=p" not in url)


@pytest.mark.parametrize("blocked", [BLOCKED, REFUSED], ids=["white", "an error"])
def test_a_browser_that_blocks_reading_the_canvas_is_told_so(page, blocked):
    page.evaluate(f"({blocked})()")
    page.add_init_script(f"({blocked})()")
    page.reload()
    expect_verdict(page, "read 3")  # a test image, which needs no canvas
    draw(page, SEVEN)
    expect_verdict(page, "This browser hides the drawing from the page")
    expect(page.locator(".sketchpad-hint")).to_contain_text("Let it read the canvas")
    page.locator("#samples .samples:not([hidden]) button").nth(4).click()
    expect_verdict(page, "read 4")


def test_the_hint_of_a_failed_upload_leaves_the_drawing_visible_and_goes(page):
    hint = page.locator(".sketchpad-hint")
    draw(page, SEVEN)
    expect_verdict(page, "read 7")
    page.route("**/upload", lambda route: route.fulfill(body="Sign in"))  # as a network may answer
    for go in (lambda: draw(page, SEVEN), page.get_by_label("Normalised").uncheck):
        page.locator("#sketchpad input[type=file]").set_input_files("ui/common/samples/mnist.4.png")
        expect(hint).to_contain_text("The image was not sent")
        assert hint.bounding_box()["height"] < 0.5 * page.locator("#sketchpad canvas").bounding_box()["height"]
        go()
        expect(hint).to_be_hidden()
