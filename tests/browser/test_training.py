"""The Training tab in Chromium, with the bundled networks."""

import json
import re

import pytest
from playwright.sync_api import expect

from cnn_models import ModelHub
from cnn_models.analysis.test_errors import RIGHT, WRONG, paired_comparison, predictions_of, select
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import find_runs
from tests.browser.test_page import trained
from ui.common.texts import say
from ui.training.leaderboard import COSTS

SECTIONS = {
    "curves": "#training-loss polyline", "leaderboard": "#training-pareto path",
    "calibration": "#training-reliability polyline", "comparison": "#comparison .errors-table",
    "errors": "#errors .errors-matrix", "epochs": "#epochs .epochs-predictions", "map": "#projection canvas",
    "runs": "#training-figures tbody tr",
}  # fmt: skip
BOXES = "#training-grid input[name]"


def open_section(page, name):
    """Open a section of the Training tab through its address; return once it is shown."""
    page.evaluate("name => { location.hash = `t=training.${name}` }", name)
    page.locator(SECTIONS[name]).first.wait_for()


def groups_of(prefix):
    """The groups of runs whose id begins with the prefix, by name."""
    found = find_runs(ModelHub().weights_dir)
    return {group: runs for group, runs in found.items() if runs[0].id.startswith(prefix)}


def ticks_of(page, chart):
    """The numbers on the vertical axis of a chart."""
    return [float(text) for text in page.locator(f"{chart} text[text-anchor=end]").all_text_contents()]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_link_opens_a_section(browser, url, name):
    tab = browser.new_page()
    tab.goto(f"{url}#t=training.{name}")
    expect(tab.locator(SECTIONS[name]).first).to_be_visible()
    expect(tab.locator("#training [role=tab][aria-selected=true][id]")).to_have_text(say("en", f"training.tab.{name}"))
    for other in SECTIONS:
        expect(tab.locator(f"#training-{other}")).to_be_visible(visible=other == name)
    tab.close()


def test_runs_are_chosen_in_the_grid_by_cell_by_network_and_by_recipe(page):
    open_section(page, "curves")
    lines, chosen = page.locator("#training-lr polyline"), page.locator(f"{BOXES}:checked")
    page.locator("#training-drawn").get_by_text("Learning rate").click()
    own = len(trained("mnist"))
    expect(lines).to_have_count(own)
    expect(chosen).to_have_count(own)
    reported = sum(f"{name}.mnist" in QUOTED for name in trained("mnist"))
    expect(page.locator("#training-accuracy svg svg > line")).to_have_count(reported)
    lenet = groups_of("lenet5.mnist")
    page.get_by_role("rowheader", name="LeNet-5").get_by_role("checkbox").check()
    expect(lines).to_have_count(own - 1 + len(lenet))
    column = page.get_by_role("columnheader", name="source").get_by_role("checkbox")
    column.check()
    others = {group for group, runs in groups_of("").items() if runs[0].recipe == "source" and ".mnist" in group}
    expect(lines).to_have_count(own - 1 + len(lenet.keys() | others))
    column.uncheck()
    kept = sum(runs[0].recipe != "source" for runs in lenet.values())
    expect(lines).to_have_count(own - 1 + kept)
    page.locator(f"{BOXES}:checked").last.press("Space")
    expect(lines).to_have_count(own - 2 + kept)
    assert page.evaluate("document.activeElement.name"), "the grid keeps the focus"
    page.locator("#training-dataset").get_by_text("Fashion-MNIST").click()
    expect(chosen).to_have_count(len(trained("fashion_mnist")))
    expect(page.locator(BOXES)).to_have_count(sum(".fashion_mnist" in group for group in groups_of("")))


def test_axes_show_where_curves_differ_or_all_from_zero(page):
    open_section(page, "curves")
    page.locator("#training-drawn").get_by_text("Learning rate").click()
    expect(page.locator("#training-lr polyline").first).to_be_visible()
    low, *_ = ticks_of(page, "#training-accuracy")
    assert low > 90
    for chart in ("#training-loss", "#training-lr"):
        first, second, *_ = (tick for tick in sorted(ticks_of(page, chart)) if f"{tick:.0e}"[0] == "1")
        assert second / first == pytest.approx(10), "powers of ten"
    page.get_by_label(say("en", "training.scale.whole")).check()
    expect(page.locator("#training-accuracy text[text-anchor=end]").first).to_have_text("0")
    assert ticks_of(page, "#training-loss")[0] == 0
    page.get_by_label(say("en", "training.scale.error")).check()
    expect(page.locator("#training-accuracy figcaption")).to_have_text("Error (%)")
    page.get_by_label("minutes").check()
    expect(page.locator("#training-loss small")).to_contain_text("minutes")
    before = page.locator("#training-loss polyline").first.get_attribute("points")
    box = page.get_by_label("number input for Smoothing")
    box.fill("0.5")
    box.press("Tab")
    expect(page.locator("#training-loss polyline").first).not_to_have_attribute("points", before)


def test_an_entry_of_the_legend_that_is_pointed_at_or_has_the_focus_stands_out(page):
    open_section(page, "curves")
    entry, faint = page.locator("#training-charts .chart-legend li").nth(1), page.locator(".chart-faint")
    every = page.locator("#training-charts g[data-switch]").count()
    own = page.locator(f"#training-charts g[data-switch='{entry.get_attribute('data-lines')}']")
    entry.hover()
    expect(faint).to_have_count(every - own.count())
    expect(own.first).not_to_have_class("chart-faint")
    page.mouse.move(0, 0)
    expect(faint).to_have_count(0)
    page.locator("#training-charts .chart-legend input").first.focus()
    page.keyboard.press("Tab")
    expect(faint).to_have_count(every - own.count())
    page.keyboard.press("Shift+Tab")
    expect(own.first).to_have_class("chart-faint")


def test_the_leaderboard_has_round_numbers_and_the_frontier(page):
    open_section(page, "leaderboard")
    entries = len(trained("mnist"))
    ranking = page.locator("#training-ranking tbody tr")
    expect(ranking).to_have_count(entries)
    expect(page.locator("#training-pareto polyline")).to_have_count(1 + entries)
    expect(page.locator("#training-pareto text[text-anchor=middle]:not(.chart-note)").first).to_have_text("10k")
    boxes = [note.bounding_box() for note in page.locator(".chart-note").all()]
    boxes += [point.bounding_box() for point in page.locator("#training-pareto path").all()]
    assert len(boxes) == 2 * entries
    for index, a in enumerate(boxes):
        for b in boxes[index + 1 :]:
            across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
            down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
            assert min(across, down) <= 1, "a name is over another or over a point"
    page.locator("#training-dataset").get_by_text("Fashion-MNIST").click()
    best = max(card.metrics["test_accuracy"] for card in ModelHub().cards().values() if card.dataset != "mnist")
    expect(ranking.first).to_contain_text(f"{best:.2f} %")
    for name in reversed(COSTS):
        title = say("en", f"training.cost.{name}")
        page.locator("#training-cost").get_by_text(title, exact=True).click()
        expect(page.locator("#training-pareto small")).to_contain_text(title)


def test_runs_have_their_final_figures_and_commands(page):
    open_section(page, "runs")
    table = page.locator("#training-figures")
    for id, card in ModelHub().cards().items():
        if card.dataset == "mnist":
            expect(table).to_contain_text(f"{card.metrics['test_accuracy']:.2f} %")
            expect(table).to_contain_text(f"python -m training.train {id}")


def read_at(page, chart, share, tap=False):
    """The rows of values that a chart shows with the pointer, or the finger, at a share of its width."""
    svg = page.locator(f"{chart} figure > svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    at = (box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    page.touchscreen.tap(*at) if tap else page.mouse.move(*at)
    return page.locator(f"{chart} .chart-values li").locator("visible=true")


def test_a_chart_shows_its_values_at_the_pointer_and_at_the_arrow_keys(page):
    open_section(page, "curves")
    found, at = read_at(page, "#training-loss", 0.11), page.locator("#training-loss small")
    expect(at).to_have_text("epoch 1")
    every = page.locator("#training-loss polyline").count()
    expect(found).to_have_text([re.compile(r"^ *[\d.]+ .+ (validation|training)$")] * every)
    page.mouse.move(0, 0)
    expect(found).to_have_count(0)
    page.locator("#training-loss figure > svg").focus()
    expect(at).to_have_text("epoch 1")
    first = found.first.inner_text()
    page.keyboard.press("ArrowRight")
    expect(at).to_have_text("epoch 2")
    expect(found.first).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    expect(at).to_have_text("epoch 1")
    page.keyboard.press("Tab")
    expect(found).to_have_count(0)
    expect(at).to_have_text("epoch")
    expect(read_at(page, "#training-loss", 0.97)).to_have_count(2)
    assert every > 2, "curves that end earlier have no value there"


def test_an_entry_of_the_legend_switches_its_curves_off_until_it_is_ticked_again(page):
    open_section(page, "curves")
    entry = page.locator("#training-charts .chart-legend label").first
    lines = page.locator("#training-loss polyline").locator("visible=true")
    expect(lines.first).to_be_visible()
    every = lines.count()
    entry.click()
    expect(lines).to_have_count(every - 2)
    expect(read_at(page, "#training-loss", 0.11)).to_have_count(every - 2)
    page.get_by_label(say("en", "training.scale.error")).check()
    expect(page.locator("#training-accuracy figcaption")).to_have_text("Error (%)")
    expect(lines).to_have_count(every - 2)
    expect(entry.locator("input")).not_to_be_checked()
    entry.click()
    expect(lines).to_have_count(every)


def test_charts_change_their_language_without_the_server(page):
    open_section(page, "curves")
    caption = page.locator("#training-loss figcaption")
    expect(caption).to_have_text("Loss")
    held = []
    page.route("**/gradio_api/**", lambda route: held.append(route))
    page.locator(".language").get_by_text("简体中文").click()
    expect(caption).to_have_text(say("zh", "training.chart.loss"))
    expect(page.locator("#training-charts .chart-legend li").first).to_contain_text("轮")
    svg = page.locator("#training-loss figure > svg")
    expect(svg).to_have_attribute("aria-label", say("zh", "training.chart.loss"))
    page.unroute_all(behavior="ignoreErrors")


def test_a_finger_shows_the_values_of_a_chart(browser, url):
    phone = browser.new_page(viewport={"width": 360, "height": 780}, has_touch=True)
    phone.goto(url)
    open_section(phone, "curves")
    expect(read_at(phone, "#training-accuracy", 0.11, tap=True).first).to_be_visible()
    expect(phone.locator("#training-accuracy small")).to_have_text("epoch 1")
    phone.touchscreen.tap(5, 5)
    expect(phone.locator("#training-accuracy .chart-values")).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    phone.close()


def test_misclassified_images_are_shown_on_a_click(page):
    open_section(page, "errors")
    answers = predictions_of(ModelHub(), "mnist")
    wrong, images = (
        select(answers, dict.fromkeys(answers.predicted, WRONG)),
        page.locator("#errors .errors-images figure"),
    )
    expect(images).to_have_count(len(wrong))
    alone = select(answers, {name: RIGHT if name == "lenet5" else WRONG for name in answers.predicted})
    page.get_by_role("button", name=f"Only LeNet-5 correct ({len(alone)})").click()
    expect(images).to_have_count(len(alone))
    page.locator("#errors select").select_option(label="GoogLeNet")
    expect(page.locator("#errors figcaption").first).to_contain_text("GoogLeNet")
    cell = page.locator(".errors-matrix td:not(.errors-correct) button").first
    asked = json.loads(cell.get_attribute("data-pick"))
    assert list(asked["says"]) == ["googlenet"]
    fitting = select(answers, asked["says"], asked["truth"])
    cell.click()
    expect(page.locator(f".errors-images img[title='#{fitting[0]}']")).to_be_visible()
    expect(images).to_have_count(len(fitting))

    open_section(page, "comparison")
    page.locator("#comparison select[name=second]").select_option(label="Mini Inception")
    found = paired_comparison(answers, "lenet5", "mini_inception")
    cells = page.locator(".errors-table tbody td")
    expect(cells).to_have_text([f"{count:,}" for count in found[:4]])
    images = page.locator("#comparison .errors-images figure")
    expect(images).to_have_count(found.only_first)
    cells.nth(2).locator("button").click()
    expect(images).to_have_count(found.only_second)
