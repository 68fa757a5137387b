"""Photographs on the Compare tab: several digits, and one that lies on its side."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_compare import expect_verdict
from tests.browser.test_page import SEVEN, draw, trained
from tests.photographs import generate
from ui.common.sketchpad import sample

SEVENS = f"All {len(trained('mnist'))} networks read 7."
CHOSEN = "#found input:checked"


def photograph(digits, path, quarters=0):
    """Saves a photograph of test images side by side, on warm paper that is darker at one side; returns the path."""
    ink = np.hstack([np.asarray(Image.open(sample("mnist", digit))) for digit in digits])
    ink = np.asarray(Image.fromarray(np.pad(ink, 28)).resize((560 + 140 * len(digits), 700), Image.Resampling.BICUBIC))
    light = np.linspace(235, 150, ink.shape[1])[None, :, None] * [1, 0.97, 0.9]
    noise = np.random.default_rng(0).normal(0, 2, (*ink.shape, 3))
    pixels = light * (1 - 0.8 * ink[..., None] / 255) + noise
    Image.fromarray(np.rot90(pixels.clip(0, 255).astype(np.uint8), quarters)).save(path, quality=90)
    return path


def upload(page, path):
    page.locator("#sketchpad input[type=file]").set_input_files(path)


@pytest.mark.parametrize("page", [(1440, 900), (360, 800)], ids=["desktop", "phone"], indirect=True)
def test_each_of_several_digits_is_read_chosen_with_the_keyboard_explained_and_kept(page, tmp_path):
    upload(page, photograph([4, 7], tmp_path / "both.jpg"))
    expect_verdict(page, "Several digits: 4 7. The first:")
    expect(page.locator("#found b")).to_have_text(["4", "7"])
    expect(page.locator(CHOSEN)).to_have_value("0")
    expect(page.locator("#seen [data-step=components] rect")).to_have_count(2)
    page.locator("[data-part=heat] summary").click()
    expect(page.locator("[data-part=heat]")).to_contain_text("Evidence for 4")
    page.locator(CHOSEN).focus()
    page.keyboard.press("ArrowRight")
    expect_verdict(page, "The second: All")
    expect(page.locator("#lineup .board-winner.board-together")).to_have_attribute("data-class", "7")
    expect(page.locator("[data-part=heat]")).to_contain_text("Evidence for 7")
    assert page.evaluate("document.activeElement.value") == "1"
    expect(page.locator(".keep-strip button")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    draw(page, SEVEN)
    expect_verdict(page, "read 7.")
    expect(page.locator("#found")).to_be_empty()
    expect(page.locator("#seen [data-step=components]")).to_be_hidden()
    page.locator(".sketchpad-undo").click()
    expect_verdict(page, "The second: All")


def test_an_image_on_its_side_is_turned_by_the_tool_undone_and_forgotten(page, tmp_path):
    turn = page.locator(".sketchpad-turn")
    expect(turn).to_be_hidden()
    upload(page, photograph([7], tmp_path / "seven.jpg", quarters=2))
    expect(page.locator("#lineup .board-winner").first).to_be_visible()
    for _ in range(2):
        turn.click()
    expect_verdict(page, SEVENS)
    expect(turn).to_be_visible()
    page.locator(".sketchpad-undo").click()
    expect(page.locator("#verdict")).not_to_contain_text(SEVENS)
    page.locator(".sketchpad-redo").click()
    expect_verdict(page, SEVENS)
    page.locator("[data-part=heat] summary").click()
    expect(page.locator("[data-part=heat]")).to_contain_text("Evidence for 7")
    form = page.locator("#seen [data-step=centre] img").get_attribute("src")
    with page.expect_request(lambda request: form in (request.post_data or "")):  # the turned one, in other tabs too
        page.get_by_role("tab", name="Layers").click()
    page.get_by_role("tab", name="Compare").click()
    upload(page, photograph([4], tmp_path / "four.jpg"))
    expect_verdict(page, "networks read 4.")
    page.keyboard.press("Escape")
    expect_verdict(page, "canvas is empty")
    expect(turn).to_be_hidden()


@pytest.mark.parametrize("drawn", [False, True], ids=["uploaded", "drawn"])
def test_a_button_below_the_verdict_turns_a_photograph_or_a_drawing(page, tmp_path, drawn):
    if drawn:
        draw(page, [(y, 1 - x) for x, y in SEVEN])
    else:
        upload(page, photograph([7], tmp_path / "seven.jpg", quarters=1))
    expect_verdict(page, "It may be turned")
    button = page.locator("#found .found-helpful")
    button.click()
    expect_verdict(page, SEVENS)
    expect(page.locator("#sketchpad canvas")).to_be_focused()
    page.locator(".sketchpad-undo").click()
    expect(page.locator("#verdict")).not_to_contain_text(SEVENS)


def test_the_digit_on_a_shadowed_sheet_on_a_desk_is_read(page, tmp_path):
    pixels, label, _ = next(generate("shadowed sheet on a desk", 1))
    Image.fromarray(pixels).save(tmp_path / "desk.jpg", quality=90)
    upload(page, tmp_path / "desk.jpg")
    expect_verdict(page, f"networks read {label}.")
    expect(page.locator("#seen [data-step=sheet] polygon")).to_be_visible()
    expect(page.locator("#seen [data-step=components] rect")).to_have_count(1)


def test_each_of_several_drawn_digits_is_read(page):
    draw(page, [(0.2, 0.25), (0.2, 0.8)])
    draw(page, [(0.5, 0.25), (0.85, 0.25), (0.65, 0.8)])
    expect_verdict(page, "Several digits: 1 7. The first:")
    expect(page.locator("#found b")).to_have_text(["1", "7"])
