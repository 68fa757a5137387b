"""The Compare tab under a real pointer, finger and keyboard, in Chromium."""

import io
import itertools
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from cnn_models import DATASETS
from cnn_models.datasets.handwriting import unpack
from tests.browser.screenshots import fill, unfold
from tests.browser.test_page import PAINTED, SEVEN, draw, open_tabs, trained, winners

SERVER = re.compile("component_server")
CELL = "#lineup td[data-model=mini_resnet][data-class='7']"


def expect_verdict(page, text):
    expect(page.locator("#verdict")).to_contain_text(text)


def shrunk(points, by, x, y):
    return [(x + by * (px - 0.5), y + by * (py - 0.5)) for px, py in points]


def update_sizes(page):
    """A list that gets the bytes of each later request."""
    sizes = []

    def note(request):
        if "component_server" in request.url:
            sizes.append(len(request.post_data or ""))

    page.on("request", note)
    return sizes


def test_predictions_change_before_the_pen_is_up_in_requests_under_2_kb(page):
    sizes = update_sizes(page)
    draw(page, SEVEN[:2], release=False)
    expect(page.locator(CELL)).not_to_have_text("")
    first = page.locator(CELL).inner_text()
    box = page.locator("#sketchpad canvas").bounding_box()
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.8 * box["height"], steps=30)
    expect(page.locator(CELL)).not_to_have_text(first)
    page.mouse.up()
    expect_verdict(page, "read 7")
    assert sizes and max(sizes) < 2048


def test_a_digit_in_each_corner_small_tilted_and_thin_is_read(page):
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        draw(page, shrunk(SEVEN, 0.6, x, y))
        expect_verdict(page, "read 7")
        page.get_by_role("button", name="Clear", exact=True).click()
        expect_verdict(page, "canvas is empty")
    page.locator("#sketchpad input[type=range]").fill("8")
    draw(page, shrunk(SEVEN, 0.35, 0.6, 0.4))
    expect_verdict(page, "read 7")
    page.get_by_role("button", name="Clear", exact=True).click()
    draw(page, [(0.25, 0.35), (0.64, 0.22), (0.55, 0.8)])
    expect_verdict(page, "read 7")


def test_a_dot_a_scribble_and_clothing_among_digits_are_out_of_distribution(page):
    page.locator("#sketchpad canvas").click()
    expect_verdict(page, "it is a dot, not a stroke")
    page.keyboard.press("Escape")
    sizes = update_sizes(page)
    scribble = [(0.1 + 0.8 * ((7 * i) % 11) / 10, 0.1 + 0.8 * ((5 * i) % 13) / 12) for i in range(40)]
    draw(page, scribble)
    expect_verdict(page, "Probably none of the ten classes")
    assert sizes and max(sizes) < 2048
    page.locator("#sketchpad input[type=file]").set_input_files("ui/common/samples/fashion_mnist.8.png")
    expect_verdict(page, "it may be a garment; choose Clothing above")


def test_undo_redo_and_the_keyboard(page):
    canvas = page.locator("#sketchpad canvas")
    canvas.focus()
    for keys in (["ArrowUp"] * 9 + ["ArrowLeft"] * 8, ["Space"] + ["ArrowRight"] * 16):
        for key in keys:
            page.keyboard.press(key)
    for _ in range(18):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowLeft") if _ % 2 else None
    page.keyboard.press("Space")
    expect_verdict(page, "read 7")
    page.keyboard.press("Control+z")
    expect_verdict(page, "canvas is empty")
    page.keyboard.press("Control+Shift+z")
    expect_verdict(page, "read 7")
    page.keyboard.press("Escape")
    expect_verdict(page, "canvas is empty")
    page.get_by_role("button", name="Undo").click()
    expect_verdict(page, "read 7")


def place(box, x, y):
    """The point of the page at fractions of the width and the height of a box."""
    return {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}


def test_a_finger_draws_and_the_page_stays_where_it_is(browser, url):
    context = browser.new_context(viewport={"width": 390, "height": 600}, has_touch=True)
    tab = context.new_page()
    tab.goto(url)
    tab.wait_for_selector("#lineup td")
    tab.evaluate("scrollTo(0, 50)")  # so that it could move either way
    box = tab.locator("#sketchpad canvas").bounding_box()
    finger = context.new_cdp_session(tab)
    points = [(0.3 + 0.4 * i / 12, 0.25) for i in range(13)] + [
        (0.7 - 0.25 * i / 12, 0.25 + 0.55 * i / 12) for i in range(13)
    ]
    for index, (x, y) in enumerate(points):
        at = [place(box, x, y)]
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove" if index else "touchStart", "touchPoints": at})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect_verdict(tab, "read 7")
    assert tab.evaluate("scrollY") == 50
    context.close()


def test_the_pressure_of_a_pen_sets_the_width(page):
    box = page.locator("#sketchpad canvas").bounding_box()
    pen = page.context.new_cdp_session(page)

    def ink(force):
        """The dark pixels of a seven drawn with this force."""
        page.keyboard.press("Escape")
        for kind, (x, y) in zip(("Pressed", "Moved", "Moved", "Released"), (*SEVEN, SEVEN[-1]), strict=True):
            at = place(box, x, y)
            down = {"button": "left", "buttons": int(kind != "Released"), "force": force, "pointerType": "pen"}
            pen.send("Input.dispatchMouseEvent", {"type": f"mouse{kind}", **at, **down})
        expect_verdict(page, "read 7")
        return page.evaluate("""() => {
          const canvas = document.querySelector("#sketchpad canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((value, index) => index % 4 === 0 && value < 128).length;
        }""")

    light, firm, without = (ink(force) for force in (0.1, 0.9, 0))
    assert 1.5 * light < without < firm / 1.2


def touch_screen(browser, url, width, height):
    """The page on a touch screen, a session of the devtools for its devices, and the box of the canvas."""
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True)
    tab = context.new_page()
    tab.goto(url)
    tab.wait_for_selector("#lineup td")
    return tab, context.new_cdp_session(tab), tab.locator("#sketchpad canvas").bounding_box()


def test_a_drawing_made_while_the_server_is_away_is_there_after_a_reload(browser, url):
    page = browser.new_page()
    page.goto(url)
    expect_verdict(page, "read 3")
    page.route(SERVER, lambda route: route.abort())
    draw(page, SEVEN)
    expect(page.locator("#verdict .verdict-alarm")).to_be_visible()
    page.unroute(SERVER)
    page.reload()
    expect_verdict(page, "read 7")
    page.close()


@pytest.mark.parametrize("palm_is", ["first", "later", "lifted"])
def test_a_palm_beside_the_pen_draws_nothing(browser, url, palm_is):
    tab, devices, box = touch_screen(browser, url, 1440, 900)

    def palm(kind, *at):
        points = [place(box, x, y) for x, y in at]
        devices.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def pen(kind, x, y):
        at = place(box, x, y)
        down = {"button": "left", "buttons": int(kind != "Released"), "pointerType": "pen"}
        devices.send("Input.dispatchMouseEvent", {"type": f"mouse{kind}", **at, **down})

    def drawn(with_palm):
        tab.keyboard.press("Escape")
        if with_palm and palm_is != "later":
            palm("Start", (0.8, 0.9))
            palm("Move", (0.85, 0.92))
        if with_palm and palm_is == "lifted":
            palm("End")
        pen("Pressed", *SEVEN[0])
        if with_palm and palm_is == "later":
            palm("Start", (0.8, 0.9))
        for step, at in enumerate(SEVEN[1:]):
            if with_palm and palm_is != "lifted":
                palm("Move", (0.8 + step / 50, 0.9))
            pen("Moved", *at)
        pen("Released", *SEVEN[-1])
        if with_palm and palm_is != "lifted":
            palm("End")
        return tab.evaluate("document.querySelector('#sketchpad canvas').toDataURL()")

    assert drawn(with_palm=True) == drawn(with_palm=False)
    expect_verdict(tab, "read 7")
    tab.context.close()


def test_a_second_finger_draws_nothing(browser, url):
    tab, fingers, box = touch_screen(browser, url, 390, 844)

    def drawn(*others):
        tab.keyboard.press("Escape")
        for kind, at in zip(("Start", "Move", "Move"), SEVEN, strict=True):
            points = [at, *others] if kind == "Move" else [at]
            touches = [{"id": id, **place(box, x, y)} for id, (x, y) in enumerate(points)]
            fingers.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": touches})
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        return tab.evaluate("document.querySelector('#sketchpad canvas').toDataURL()")

    assert drawn((0.9, 0.9)) == drawn()
    tab.context.close()


def test_the_address_restores_drawing_networks_and_switches(page, browser):
    draw(page, SEVEN)
    expect_verdict(page, "read 7")
    page.get_by_role("button", name="Hide LeNet-5").click()
    page.locator("#options summary").click()
    for step in ("Decoded", "Centred by centre of mass"):
        page.get_by_label(step).uncheck()
    page.locator("input[name=calibrated]").uncheck()
    page.locator("select[name=sort]").select_option("size")
    expect(page.locator("#lineup th[data-model]").first).to_contain_text("Mini ResNet")
    page.wait_for_url("**c=0&s=size&o=orientation*p=t*")
    board = page.locator("#lineup td[data-class]").all_inner_texts()
    other = browser.new_page()
    other.goto(page.url)
    expect(other.locator(".keep-strip button")).to_have_count(1)  # the response of all networks
    assert other.url == page.url
    assert other.locator("#lineup th[data-model]").count() == page.locator("#lineup th[data-model]").count()
    shown = other.locator("#lineup td[data-class]").all_inner_texts()
    assert len(shown) == len(board) and [a[:2] for a in shown] == [b[:2] for b in board]
    page.get_by_label("Normalised").uncheck()
    page.wait_for_url("**normalisation**")
    other.goto(page.url)
    expect(other.get_by_label("Normalised")).not_to_be_checked()
    steps = other.locator("input[name=step]:not(:checked)").evaluate_all("all => all.map((each) => each.value)")
    assert steps == ["orientation", "centre", "normalisation"]
    other.close()


def test_an_image_dropped_beside_the_canvas_is_in_the_link_that_is_copied(page, browser):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    files = page.evaluate_handle(
        """async (bytes) => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(bytes)], "four.png", { type: "image/png" }));
          return files;
        }""",
        list(Path("ui/common/samples/mnist.4.png").read_bytes()),
    )
    page.locator("#lineup").dispatch_event("drop", {"dataTransfer": files})
    page.locator(".keep-link").click()  # before the response
    expect(page.locator(".keep-spoken")).to_have_text("Copied")
    expect_verdict(page, "read 4")
    other = browser.new_page()
    other.goto(page.evaluate("navigator.clipboard.readText()"))
    expect_verdict(other, "read 4")
    expect(other.locator(".keep-strip button")).to_have_count(1)
    other.close()


@pytest.mark.parametrize("hash", ["#d=mnist&p=t!!", "#d=x&m=y&o=z&s=q&p=p", "#d=mnist&m=lenet5&p=tFf__", "#d=%00"])
def test_a_broken_address_opens_an_empty_page(page, url, hash):
    page.goto("about:blank")
    page.goto(url + hash)
    page.wait_for_selector("#verdict .verdict")
    draw(page, SEVEN)
    expect(page.locator("#sketchpad .sketchpad-hint")).to_be_hidden()


def test_drawings_are_kept_labelled_and_exported(page):
    draw(page, SEVEN)
    expect_verdict(page, "read 7")
    expect(page.locator(".keep-strip button")).to_have_count(1)
    page.keyboard.press("7")
    expect(page.locator(".keep-figures p")).to_contain_text("Mini ResNet 1/1")
    page.locator("#samples .samples:not([hidden]) button").nth(3).click()
    expect_verdict(page, "read 3")
    expect(page.locator(".keep-strip button")).to_have_count(2)
    page.locator("select[name=label]").select_option("8")
    expect(page.locator(".keep-figures p")).to_contain_text("Mini ResNet 1/2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as zip").click()
    content = download.value.path().read_bytes()
    assert len(zipfile.ZipFile(io.BytesIO(content)).namelist()) == 3
    images, labels = unpack(content, "mnist")
    assert labels.tolist() == [7, 8] and images[0].any()
    page.locator(".keep-strip button").nth(1).click()
    expect_verdict(page, "read 7")
    page.wait_for_url("**p=t*")
    page.reload()
    expect(page.locator(".keep-strip button")).to_have_count(2)
    expect_verdict(page, "read 7")


def test_a_restored_drawing_keeps_its_label(page):
    kept, labels = page.locator(".keep-strip button"), page.locator(".keep-strip small")
    draw(page, SEVEN, steps=70)  # slowly: close points
    expect_verdict(page, "read 7")
    expect(kept).to_have_count(1)
    page.keyboard.press("7")
    page.wait_for_url("**p=t*")
    address = page.url
    page.get_by_role("button", name="Clear", exact=True).click()
    expect_verdict(page, "canvas is empty")
    kept.click()
    expect_verdict(page, "read 7")
    page.wait_for_url("**p=t*")
    assert page.url == address
    expect(labels).to_have_text(["7"])
    page.keyboard.press("Escape")
    expect_verdict(page, "canvas is empty")
    page.get_by_role("button", name="Undo").click()
    expect_verdict(page, "read 7")
    page.wait_for_url("**p=t*")
    page.reload()
    expect_verdict(page, "read 7")
    expect(labels).to_have_text(["7"])

    samples = page.locator("#samples .samples:not([hidden]) button")
    samples.nth(3).click()
    expect_verdict(page, "read 3")
    expect(kept).to_have_count(2)
    samples.nth(8).click()
    page.keyboard.press("8")  # before the response
    expect(labels).to_have_text(["8", "", "7"])
    expect(kept.first).to_have_class("keep-shown")


def test_a_labelled_drawing_does_not_change(page):
    """After more strokes, or without a step."""
    labels, figures = page.locator(".keep-strip small"), page.locator(".keep-figures p")
    draw(page, SEVEN)
    expect_verdict(page, "read 7")
    page.keyboard.press("7")
    expect(figures).to_contain_text("Mini ResNet 1/1")
    page.get_by_label("Bright on dark").uncheck()
    expect(page.locator("#verdict")).not_to_contain_text("networks read 7")
    expect(figures).to_contain_text("Mini ResNet 1/1")
    page.get_by_label("Bright on dark").check()
    expect_verdict(page, "read 7")
    draw(page, [(0.2, 0.9), (0.8, 0.9)])
    expect(labels).to_have_text(["", "7"])
    page.mouse.click(5, 5)  # without focus
    page.keyboard.press("Control+z")
    expect_verdict(page, f"All {len(trained('mnist'))} networks read 7")
    expect(page.locator(".keep-strip button").nth(1)).to_have_class("keep-shown")
    expect(labels).to_have_text(["", "7"])


def test_a_drawing_without_a_step_is_restored_but_not_labelled(page):
    page.get_by_label("Centred by centre of mass").uncheck()
    draw(page, SEVEN)
    page.wait_for_url("**p=t*")
    first = page.url
    draw(page, [(0.2, 0.9), (0.8, 0.9)])
    page.wait_for_function("first => location.href !== first", arg=first)
    whole = page.url
    page.get_by_role("button", name="Clear", exact=True).click()
    expect_verdict(page, "canvas is empty")
    page.locator(".keep-strip button").click()
    page.wait_for_function("whole => location.href === whole", arg=whole)
    page.locator("select[name=label]").select_option("7")
    expect(page.locator(".keep-spoken")).to_have_text("Switch on every step first, then label the drawing")
    expect(page.locator("select[name=label]")).to_have_value("")


def test_a_blank_upload_is_refused(page, tmp_path):
    Image.new("L", (60, 40), 200).save(tmp_path / "wall.png")
    page.locator("#sketchpad input[type=file]").set_input_files(tmp_path / "wall.png")
    expect_verdict(page, "The image is blank")
    expect(page.locator("#seen img")).to_have_count(1)


@pytest.mark.parametrize(("page", "shown"), [
    ((1440, 900), "#sketchpad canvas, #lineup table"),
    ((390, 844), "#sketchpad canvas, #answers"),
], ids=["desktop", "phone"], indirect=["page"])  # fmt: skip
def test_what_is_in_sight_does_not_move_while_the_pen_is_down(page, shown):
    page.evaluate("""(shown) => {
      window.places = [];
      const note = () => {
        const boxes = [...document.querySelectorAll(shown)].map((each) => each.getBoundingClientRect());
        places.push(boxes.flatMap(({ y, height }) => [Math.round(scrollY + y), Math.round(height)]));
        requestAnimationFrame(note);
      };
      note();
    }""", shown)  # fmt: skip
    for index in range(2):
        points = [(0.1 + 0.08 * ((7 * i + index) % 11), 0.1 + 0.06 * ((5 * i) % 13)) for i in range(8)]
        draw(page, points, steps=6)
    expect_verdict(page, "networks")
    assert all(max(each) - min(each) <= 1 for each in zip(*page.evaluate("places"), strict=True))  # pixels, rounded


def winning_shares(page):
    cells = page.locator("#lineup .board-winner:not(.board-together)").all()
    return {c.get_attribute("data-model"): float(c.get_attribute("style").removeprefix("--p:")) for c in cells}


def test_late_responses_and_those_of_another_data_set_are_dropped(page):
    held = {"quick": [], "whole": []}

    def hold(kind):
        """Holds requests of this kind until `release`."""

        def route(each):
            holds = f'"quick":{str(kind == "quick").lower()}' in (each.request.post_data or "")
            held[kind].append(each) if holds else each.continue_()

        page.route(SERVER, route)

    def release(kind):
        for each in held[kind]:
            each.continue_()
        page.unroute(SERVER)

    kept = page.locator(".keep-strip img")
    draw(page, SEVEN)
    expect_verdict(page, "read 7")
    expect(kept).to_have_count(1)
    hold("whole")
    page.get_by_role("radio", name="Clothing").check()
    expect(page.locator("#lineup tbody th").first).to_have_text("T-shirt/top")
    expect(page.locator("#lineup td[data-model=lenet5].board-winner")).to_have_count(1)
    shown = page.locator("#lineup td[data-class]").evaluate_all("cells => cells.map((cell) => cell.dataset.class)")
    assert set(shown) == set(DATASETS["fashion_mnist"].classes)
    for name in trained("fashion_mnist"):
        expect(page.locator(f"#lineup .board-missing[data-model={name}]")).to_have_count(0)
    release("whole")
    expect(page.locator("#lineup .board-together.board-winner")).to_have_count(1)
    expect(kept).to_have_count(2)

    page.locator("#options summary").click()
    page.locator("select[name=sort]").select_option("confidence")
    heads = page.locator("#lineup thead th[data-model]")
    samples = page.locator("#samples .samples:not([hidden]) button")
    samples.nth(5).click()
    expect_verdict(page, "Sandal")
    expect(kept).to_have_count(3)
    hold("quick")
    with page.expect_response(lambda response: '"quick":false' in (response.request.post_data or "")) as whole:
        samples.nth(8).click()
    whole.value.finished()
    page.evaluate(PAINTED)  # it waits for the quick one
    release("quick")
    expect_verdict(page, "Bag")
    expect(kept).to_have_count(4)
    assert kept.first.get_attribute("src") == page.locator("#seen [data-step=centre] img").get_attribute("src")
    shares, order = winning_shares(page), [head.get_attribute("data-model") for head in heads.all()]
    best = [shares[name] for name in order if name in shares]
    assert len(best) > 1 and best == sorted(best, reverse=True)


def test_escape_and_space_end_strokes_but_not_in_text_fields(page):
    hint = page.locator("#sketchpad .sketchpad-hint")
    draw(page, SEVEN[:2], release=False)
    page.keyboard.press("Escape")
    page.mouse.move(0, 0, steps=3)
    page.mouse.up()
    expect_verdict(page, "canvas is empty")
    expect(hint).to_be_visible()
    page.locator("#sketchpad canvas").focus()
    for _ in range(2):
        page.keyboard.down("Space")  # the second is a repetition
    expect(page.locator(".sketchpad-cursor")).to_have_class(re.compile("sketchpad-down"))
    draw(page, SEVEN)
    expect(page.locator(".sketchpad-cursor")).not_to_have_class(re.compile("sketchpad-down"))
    expect_verdict(page, "read")
    page.get_by_label("Third-party checkpoints").press("Escape")
    page.get_by_label("Third-party checkpoints").press("Control+z")
    expect(hint).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(hint).to_be_visible()


def test_the_page_requests_again_when_the_server_did_not_respond(browser, url):
    tab = browser.new_page()
    tab.goto(url)
    tab.wait_for_selector("#sketchpad canvas")
    tab.route(SERVER, lambda each: each.abort())
    draw(tab, SEVEN)
    expect_verdict(tab, "does not respond")
    tab.locator("[data-part=alike] summary").click()
    expect(tab.locator("[data-part=alike] div")).to_contain_text("does not respond")
    tab.unroute(SERVER)
    expect_verdict(tab, "read 7")
    expect(tab.locator("[data-part=alike] figure").first).to_be_visible(timeout=30_000)
    tab.close()


def test_a_class_of_the_board_opens_its_saliency(page):
    draw(page, SEVEN)
    expect_verdict(page, "read 7")
    page.locator("#lineup tbody th button", has_text="1").click()
    expect(page.locator("[data-part=heat] img")).to_have_count(2 * len(trained("mnist")))
    expect(page.locator("[data-part=heat] p").first).to_contain_text("Evidence for 1")
    for part, selector in (("break", "svg[role=img]"), ("looks", "dd"), ("alike", "figure img")):
        page.locator(f"[data-part={part}] summary").click()
        expect(page.locator(f"[data-part={part}] {selector}").first).to_be_visible(timeout=30_000)
    assert winners(page) == dict.fromkeys(trained("mnist"), "7")


def test_axe_finds_no_violation_light_or_dark_wide_or_narrow(browser, url):
    accessibility = pytest.importorskip("tests.browser.accessibility", reason="axe-playwright-python is not installed")
    tab = browser.new_page(reduced_motion="reduce")  # without transitions of colours
    tab.goto(f"{url}?__theme=light")
    fill(tab)
    unfold(tab, "compare")
    for width, theme in itertools.product((1440, 390), ("light", "dark")):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.evaluate("theme => document.body.classList.toggle('dark', theme === 'dark')", theme)
        assert not accessibility.violations(tab), f"{width} pixels, {theme}"
    tab.close()


def test_nothing_moves_with_reduced_motion(browser, url):
    tab = browser.new_page(reduced_motion="reduce")
    tab.goto(url)
    tab.wait_for_selector("#sketchpad canvas")
    tab.evaluate("""() => {
      window.moving = [];
      const note = () => {
        const lasting = document.getAnimations().filter((each) => each.effect.getComputedTiming().duration > 0);
        moving.push(...lasting.map((each) => each.effect.target.outerHTML.slice(0, 200)));
        requestAnimationFrame(note);
      };
      note();
    }""")
    draw(tab, SEVEN)
    expect_verdict(tab, "read 7")
    tab.locator("#lineup tbody th button", has_text="1").click()
    expect(tab.locator("[data-part=heat] img").first).to_be_visible()
    assert list(open_tabs(tab, "layers", "training", "learn"))
    assert not tab.evaluate("moving")
    tab.close()


def test_the_page_works_without_webgl(page):
    page.add_init_script("""for (const { prototype } of [HTMLCanvasElement, OffscreenCanvas]) {
      const { getContext } = prototype;
      prototype.getContext = function (kind, ...rest) {
        return kind.includes("webgl") ? null : getContext.call(this, kind, ...rest);
      };
    }""")
    page.reload()
    draw(page, SEVEN)
    expect_verdict(page, "read 7")
    page.get_by_role("tab", name="Training").click()
    expect(page.locator("#training-loss polyline").first).to_be_visible()


def test_the_page_is_in_the_browsers_language_or_the_chosen_one(browser, url):
    tab = browser.new_page(locale="zh-CN")
    tab.goto(url)
    expect(tab.get_by_role("tab").first).to_have_text("对比")
    expect_verdict(tab, "一致预测为 3")
    draw(tab, SEVEN)
    expect_verdict(tab, "一致预测为 7")
    other = browser.new_page()
    tab.wait_for_url("**l=zh&p=t*")
    other.goto(tab.url)
    expect_verdict(other, "一致预测为 7")
    other.close()
    tab.get_by_text("English").click()
    expect_verdict(tab, "networks read 7")
    tab.wait_for_url("**l=en*")
    expect(tab.locator(".sketchpad-clear")).to_have_text("Clear")
    tab.reload()
    expect(tab.get_by_role("tab").first).to_have_text("Compare")
    tab.close()


def test_a_stroke_that_leaves_the_sheet_is_restored(page):
    draw(page, [(0.5, 0.2), (0.5, 0.5), (0.5, 1.15), (0.9, 1.15), (0.9, 0.5)])
    expect(page.locator("#verdict")).not_to_contain_text("The canvas is empty")
    page.wait_for_url("**p=t*")
    border = """() => {
      const canvas = document.querySelector("#sketchpad canvas");
      const rows = canvas.getContext("2d").getImageData(0, canvas.height - 4, canvas.width, 4).data;
      return rows.filter((value, index) => index % 4 === 0 && value < 128).length / 4;
    }"""
    before = page.evaluate(border)
    page.reload()
    expect(page.locator("#lineup .board-winner").first).to_be_visible()
    assert abs(page.evaluate(border) - before) < 8  # two crossings, without the way between them
