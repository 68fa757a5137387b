"""The Layers tab in Chromium."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from cnn_models import ARCHITECTURES
from cnn_models.layers import architecture_layers
from tests.browser.test_page import choose_layers

A4 = 718  # pixels of 190 mm
NARROW = 360
TOO_WIDE = """all => all.filter((each) => each.scrollWidth > each.clientWidth)
    .map((each) => [each.className, each.textContent.trim(), each.scrollWidth, each.clientWidth])"""


def box(locator):
    found = locator.bounding_box()
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


def test_overview_diagram_and_table_are_in_this_order(page):
    choose_layers(page, "alexnet")
    expect(page.locator(".layers-totals")).to_contain_text("46,764,746 parameters")
    expect(page.locator(".layers-totals")).to_contain_text("8 layers deep")
    expect(page.locator(".layers-totals")).to_contain_text("195 px receptive field")
    tops = [box(page.locator(part))[1] for part in ("#layers-overview", "#layers-diagram", "#layers-table", "#versus")]
    assert tops == sorted(tops)


def test_the_pool_of_alexnet_that_changes_nothing_is_called_the_identity(page):
    choose_layers(page, "alexnet")
    expect(page.locator(".diagram-identity")).to_have_count(1)
    expect(page.locator(".diagram-label", has_text="identity")).to_have_text("identity256×5×5")
    expect(page.locator("summary", has_text="= identity")).to_contain_text("fit")


@pytest.mark.parametrize("page", [(1440, 900), (NARROW, 640)], ids=["wide", "narrow"], indirect=True)
def test_the_receptive_field_of_the_row_that_is_pointed_at_is_drawn_over_the_input(page):
    page.get_by_role("tab", name="Layers").click()
    row, field, square = page.locator("#layer0-3 > summary"), page.locator(".field"), page.locator(".field-square")
    expect(field).to_be_attached()
    row.scroll_into_view_if_needed()
    row.hover()
    expect(field).to_contain_text("c3 14 × 14 px")
    expect(field).to_be_in_viewport(ratio=1)
    expect(square).to_have_attribute("x", str(100 * 8 / 28))  # unit 5 of 10, from pixel 5 x 2 - 2
    expect(square).to_have_attribute("width", "50")  # 14 of 28
    line, figure = box(row), box(field)
    assert figure[1] >= line[3] or figure[3] <= line[1] or figure[0] >= line[2], "beside the row"
    page.keyboard.press("Escape")
    expect(field).not_to_have_class(re.compile("field-shown"))
    page.locator("#layer0-6 > summary").focus()
    expect(field).to_contain_text("c5 32 × 32 px")
    expect(square).to_have_attribute("x", str(100 * -2 / 28))
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("page", [(320, 568), (NARROW, 640), (768, 1024)], ids=str, indirect=True)
def test_table_strips_and_comparison_of_one_network_fit_the_width(page):
    for name in ARCHITECTURES:
        choose_layers(page, name)
        expect(page.locator(".layers-sum")).to_contain_text(f"{architecture_layers(name).macs:,}")
        expect(page.locator(".strip").first).to_be_attached()
        page.locator("#layers-table details").evaluate_all("all => all.forEach((each) => (each.open = true))")
        parts = page.locator(":is(.layers-scroll, .layers-row, .layers-row > span, .layers-more, .strip):visible")
        assert parts.evaluate_all(TOO_WIDE) == []
    page.locator(".versus summary").click()
    expect(page.locator(".versus table")).to_be_visible()
    assert page.locator(".versus").evaluate_all(TOO_WIDE) == []


@pytest.mark.parametrize("page", [(NARROW, 640)], ids=["narrow"], indirect=True)
def test_a_row_on_a_phone_has_parameters_and_macs_and_the_other_cells_in_its_details(page):
    page.get_by_role("tab", name="Layers").click()
    row, details = page.locator("#layer0-3 > summary"), page.locator("#layer0-3 > .layers-more")
    expect(page.locator(".field")).to_be_attached()
    row.scroll_into_view_if_needed()
    for text in ("16×10×10", "5×5", "2,416", "240,000"):
        expect(row.get_by_text(text)).to_be_in_viewport(ratio=1)
    expect(row.get_by_text("6.4 kB")).to_be_hidden()
    row.click()
    for text in ("14 px", "6.4 kB", "ms"):
        expect(details.get_by_text(text).first).to_be_visible()


def test_the_printed_table_has_all_columns_and_the_chosen_networks_are_ticked(page):
    choose_layers(page, "alexnet")
    expect(page.locator("summary", has_text="= identity")).to_be_visible()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4, "height": 1000})
    for row in page.locator(".layers-head, .layers-sum").all():
        cells = [box(cell) for cell in row.locator(":scope > span").all()]
        assert cells[-1][2] <= A4 and min(right - left for left, _, right, _ in cells) > 30
        assert all(left[2] <= right[0] + 1 for left, right in pairwise(cells)), cells
    total = page.locator(".layers-sum")
    for text in ("46,764,746", "938,146,176", "ms"):
        expect(total.get_by_text(text).first).to_be_visible()
    ticks = page.locator("#layers-network input:checked")
    assert ticks.evaluate_all("all => all.map(each => getComputedStyle(each).printColorAdjust)") == ["exact"]


def test_several_networks_on_paper_have_field_memory_and_time_in_each_row(page):
    choose_layers(page, "lenet5", "alexnet")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4, "height": 1000})
    row = page.locator(".layers-row", has_text="Linear output").first
    for text in ("all", "40 B", "850", "840", "ms"):
        expect(row.get_by_text(text).first).to_be_visible()
    right = page.locator(".strip img").locator("visible=true").evaluate_all(
        "all => Math.max(...all.map((each) => each.getBoundingClientRect().right))"
    )  # fmt: skip
    assert right <= A4


def test_similarities_are_computed_when_opened_and_read_cell_by_cell(page):
    page.evaluate("location.hash = 't=layers.similarity'")
    fold = page.locator("#layers-similarity")
    chosen = fold.locator(".heat").first
    expect(chosen).to_contain_text("LeNet-5 (across)")
    fold.get_by_label("compared with").select_option("lenet5")
    expect(chosen).to_contain_text("LeNet-5 (down) and LeNet-5 (across)")
    expect(fold.get_by_label("compared with")).to_be_focused()
    chosen.locator("table").focus()
    value = chosen.locator("output")
    for key, text in {"ArrowDown": "c1 × c1: 1.00", "ArrowRight": "c1 × c3: ", "End": "c1 × c3: "}.items():
        page.keyboard.press(key)
        expect(value).to_contain_text(text)
    chosen.locator("td[style]").last.hover()
    expect(value).to_have_text("output × output: 1.00")
    expect(fold.locator(".probes-found")).to_contain_text("LeNet-5: 9")
