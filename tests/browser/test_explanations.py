"""The explanations of the Compare tab: laid out in the width there is, on shared axes, visible in forced colours."""

import re

import pytest
from playwright.sync_api import expect

from cnn_models import ARCHITECTURES
from tests.browser.conftest import PATIENCE
from tests.browser.test_page import SEVEN, draw
from tests.ui.common.test_colours import contrast
from ui.common.texts import say

# Of the visible elements with a selector: the places of their edges, and how many begin at each height.
PLACES = """(selector) => {
  const boxes = [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect());
  const tops = boxes.map(({ top }) => Math.round(top));
  const rows = [...new Set(tops)].map((top) => tops.filter((each) => each === top).length);
  return { rows, right: Math.max(...boxes.map(({ right }) => right)) };
}"""
INK = "(line) => getComputedStyle(line).stroke"


def explain(page, part, selector):
    """Draw, and open an explanation; return once it shows what the selector finds."""
    draw(page, SEVEN)
    expect(page.locator("#verdict")).to_contain_text("7")
    page.locator(f"[data-part={part}] summary").click()
    page.locator(f"[data-part={part}] {selector}").first.wait_for(timeout=PATIENCE)


@pytest.mark.parametrize(("page", "across", "charts"), [((1440, 900), 5, 3), ((360, 640), 2, 1)], indirect=["page"])
def test_explanations_fill_the_width_and_never_scroll_sideways(page, across, charts):
    explain(page, "looks", "dd")
    explain(page, "break", ".chart")
    right = page.locator("#why").evaluate("why => why.getBoundingClientRect().right")
    networks, shown = page.evaluate(PLACES, ".why-networks > section"), page.evaluate(PLACES, ".why-charts > .chart")
    assert networks["rows"][0] == across and sum(networks["rows"]) == len(ARCHITECTURES)
    assert set(shown["rows"]) == {charts} and sum(shown["rows"]) == 6
    assert networks["right"] == shown["right"] == pytest.approx(right, abs=1)
    steps = page.evaluate(PLACES, ".steps-image:has(> img)")
    assert steps["right"] == pytest.approx(right, abs=1) and (steps["rows"] == [8] or across == 2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_charts_of_robustness_share_their_axis_and_their_legend(page):
    explain(page, "break", ".chart")
    numbers = page.locator(".why-charts text[text-anchor=end]")
    assert len([each for each in numbers.all() if each.is_visible()]) == 2 * 6, "0 to 100, once a row"
    page.get_by_role("checkbox", name="AlexNet").and_(page.locator(".chart-legend input")).uncheck()
    expect(page.locator(".why-charts g:not(.chart-off)")).to_have_count(6 * (len(ARCHITECTURES) - 1))
    draw(page, [(0.3, 0.5), (0.7, 0.5)])
    expect(page.locator("[data-part=break] progress")).to_be_visible()
    expect(page.locator("[data-part=break] progress")).to_be_hidden(timeout=PATIENCE)
    expect(page.locator(".why-charts g:not(.chart-off)")).to_have_count(6 * (len(ARCHITECTURES) - 1))


def test_a_fold_says_what_it_holds_and_shows_its_progress(page):
    draw(page, SEVEN)
    expect(page.locator("#verdict")).to_contain_text("7")
    fold, held, holds = page.locator("[data-part=looks]"), [], [True]
    page.route(re.compile("component_server"), lambda route: held.append(route) if holds else route.continue_())
    fold.locator("summary").click()
    expect(fold.locator("summary")).to_contain_text(say("en", "why.looks.hint"))
    expect(fold.get_by_role("progressbar", name=say("en", "why.wait"))).to_be_visible()
    holds.clear()
    for route in held:
        route.continue_()
    expect(fold.locator("dd").first).to_be_visible(timeout=PATIENCE)
    expect(fold.get_by_role("progressbar")).to_have_count(0)


def as_hex(colour):
    """Of `rgb(1, 2, 3)`."""
    return "#" + "".join(f"{int(value):02x}" for value in re.findall(r"\d+", colour)[:3])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_forced_colours_lines_and_bars_of_each_network_stand_out_and_can_be_told_apart(page, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.reload()
    explain(page, "looks", "dd")
    explain(page, "break", ".chart")
    lines = page.locator(".why-charts .chart").first.locator("polyline")
    bars = page.locator(".why-networks dd i")
    inks = {line.evaluate(INK) for line in lines.all()}
    assert inks == {bar.evaluate("bar => getComputedStyle(bar).backgroundColor") for bar in bars.all()}
    assert len(inks) == len({line.get_attribute("stroke-dasharray") for line in lines.all()}) == len(ARCHITECTURES)
    paper = as_hex(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert all(contrast(as_hex(ink), paper) >= 3 for ink in inks), "WCAG 2.2, 1.4.11"


def test_a_nearest_error_shows_its_label_and_what_each_network_predicts(page):
    explain(page, "alike", "figure img")
    for figure in page.locator(".why-errors figure").all():
        expect(figure.locator("b")).to_contain_text("label: ")
        predictions = ", ".join(figure.locator("dd").all_text_contents())
        assert sorted(predictions.split(", ")) == sorted(spec.title for spec in ARCHITECTURES.values())


def test_an_attack_is_chosen_and_its_choices_outlast_what_they_change(page):
    explain(page, "attack", "dl")
    fold = page.locator("[data-part=attack]")
    expect(fold.locator("img")).to_have_count(3)
    for name, value in (("attacked", "mini_resnet"), ("norm", "linf"), ("target", "3")):
        fold.locator(f"[name={name}]").focus()
        fold.locator(f"[name={name}]").select_option(value)
        expect(fold.locator("progress")).to_be_hidden(timeout=PATIENCE)
        expect(fold.locator(f"[name={name}]")).to_have_value(value)
        expect(fold.locator(f"[name={name}]")).to_be_focused()
    expect(fold.locator(".attack-verdict")).to_contain_text("makes Mini ResNet predict 3")
    expect(fold.locator("section", has_text="Mini ResNet").locator("dd").last).to_contain_text("3 \N{NOT EQUAL TO}")
    page.locator("[name=dataset][value=fashion_mnist]").check(force=True)
    expect(fold.locator("form")).to_have_attribute("data-dataset", "fashion_mnist", timeout=PATIENCE)
    expect(fold.locator("[name=attacked]")).to_have_value("mini_resnet")
    expect(fold.locator("[name=target]")).to_have_value("")
    page.route(re.compile("component_server"), lambda route: route.fulfill(body="no JSON"), times=1)
    fold.locator("[name=norm]").select_option("l2")
    expect(fold.locator("div").first).to_contain_text(say("en", "failed.other"))
    for norm in ("linf", "l2"):  # the choices outlast a failed request too
        fold.locator("[name=norm]").select_option(norm)
        expect(fold.locator("img")).to_have_count(3, timeout=PATIENCE)
        expect(fold.locator("progress")).to_be_hidden(timeout=PATIENCE)
        expect(fold.locator("[name=norm]")).to_have_value(norm)
