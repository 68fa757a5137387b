"""The board of the Compare tab, in Chromium."""

import re

import pytest
from playwright.sync_api import expect

from cnn_models import ModelHub
from cnn_models.folders import default_weights_dir
from tests.browser.test_page import SEVEN, draw, trained
from tests.browser.test_third_party import opened

SCRIBBLE = [(0.3, 0.25), (0.7, 0.25), (0.35, 0.5), (0.7, 0.7), (0.3, 0.75)]  # which the networks do not agree on
WINNERS = "#lineup .board-winner"


def wait_for_all(page, count):
    """Waits for the predictions of so many networks and of their ensemble, with the pen up."""
    expect(page.locator(WINNERS)).to_have_count(count + 1)
    expect(page.locator(".keep-strip button")).to_have_count(1)


def classes(page):
    return page.locator("#lineup tbody th [data-class]").all_inner_texts()


def networks(page):
    return page.locator("#lineup thead th[data-model]").evaluate_all("heads => heads.map((each) => each.dataset.model)")


def number(cell):
    return float(cell.inner_text().split()[0].strip("<>"))


def test_bars_are_as_long_as_the_probability_and_small_ones_are_dots_with_a_number(page):
    draw(page, SCRIBBLE)
    wait_for_all(page, len(trained("mnist")))
    for name in [*networks(page), "together"]:
        cells = page.locator(f"#lineup td[data-class][data-model={name}]").all()
        marks = {cell: cell.get_attribute("class") or "" for cell in cells}
        ranked = sorted(cells, key=number, reverse=True)
        assert [cell for cell in cells if "winner" in marks[cell]] == ranked[:1]
        assert [cell for cell in cells if "second" in marks[cell]] == [c for c in ranked[1:2] if number(c) >= 0.5]
        assert all(("faint" in marks[cell]) == (number(cell) < 0.5) for cell in cells)
    bar = page.locator(WINNERS).first.evaluate("cell => getComputedStyle(cell).backgroundImage")
    assert f"{number(page.locator(WINNERS).first):g}%" in bar
    dot = page.locator("#lineup .faint").first
    assert "·" in dot.evaluate("cell => getComputedStyle(cell, '::before').content")
    dot.hover()
    expect(dot).to_have_attribute("title", re.compile(r"^<?0\.\d\d$"))


def test_a_network_is_hidden_and_shown_again_with_the_keyboard(page):
    count = len(trained("mnist"))
    draw(page, SEVEN)
    wait_for_all(page, count)
    page.get_by_role("button", name="Hide AlexNet").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#lineup [data-model=alexnet]")).to_have_count(0)
    page.wait_for_url(lambda url: "alexnet" not in url)
    chip = page.get_by_role("group", name="Hidden networks").get_by_role("checkbox", name="AlexNet")
    expect(chip).to_be_focused()
    page.keyboard.press("Space")
    wait_for_all(page, count)
    expect(chip).to_be_hidden()
    expect(page.get_by_role("region", name="Predictions of each network")).to_be_focused()


# The cells in the row of another class.
MISPLACED = """[...document.querySelectorAll("#lineup td[data-class]")].filter(
  (cell) => cell.dataset.class !== cell.parentElement.querySelector("th button").dataset.class
).length"""


def test_classes_are_ordered_by_the_ensemble_but_not_while_one_draws(page):
    count = len(trained("mnist"))
    draw(page, SEVEN)
    wait_for_all(page, count)
    page.get_by_role("button", name="Ensemble").click()
    expect(page.locator("#lineup th[aria-sort=descending]")).to_contain_text("Ensemble")
    expect(page.locator("#lineup tbody th").first).to_have_text("7")
    assert not page.evaluate(MISPLACED)
    page.wait_for_url("**&r=1*")
    page.reload()
    wait_for_all(page, count)
    assert not page.evaluate(MISPLACED)
    ranked, likeliest = classes(page), page.locator(f"{WINNERS}.board-together")
    assert ranked[0] == "7"
    before = likeliest.inner_text()
    draw(page, SCRIBBLE, release=False)
    expect(likeliest).not_to_have_text(before)
    assert classes(page) == ranked
    page.mouse.up()
    page.get_by_role("button", name="Class", exact=True).click()
    expect(page.locator("#lineup tbody th").first).to_have_text("0")
    assert classes(page) == sorted(ranked)
    assert not page.evaluate(MISPLACED)


def test_the_log_linear_ensemble_is_an_option_for_all_bundled_networks(page):
    count = len(trained("mnist"))
    draw(page, SCRIBBLE)
    wait_for_all(page, count)
    before = page.locator("#lineup td.board-together").all_inner_texts()
    page.locator("#options summary").click()
    page.get_by_label("Log-linear ensemble").check()
    ensemble = page.locator("#lineup td[data-model=log_linear][data-class]")
    expect(ensemble).to_have_count(10)
    assert sum(map(number, ensemble.all())) == pytest.approx(100, abs=0.1)
    together = page.locator("#lineup td[data-model=together][data-class]")
    assert together.all_inner_texts() == before
    factors = page.locator("#lineup tr", has=page.get_by_text("Factor", exact=True)).locator("td")
    assert all(float(text) >= 0 for text in factors.all_inner_texts()[:count])
    page.wait_for_url("**&g=1*")
    page.reload()
    expect(ensemble).to_have_count(10)
    page.get_by_role("button", name="Ensemble").click()
    expect(page.locator("#lineup th[aria-sort=descending]")).to_contain_text("soft vote")
    assert not page.evaluate(MISPLACED)
    page.get_by_role("button", name="Hide AlexNet").click()
    expect(page.locator("#lineup td[data-model=log_linear]").get_by_text("show exactly these")).to_be_visible()
    assert not page.evaluate(MISPLACED)


def test_the_order_of_the_classes_moves_networks_without_weights_along(browser, tmp_path):
    (tmp_path / "lenet5.mnist").symlink_to(default_weights_dir() / "lenet5.mnist")
    with opened(browser, ModelHub(tmp_path)) as page:
        draw(page, SEVEN)
        wait_for_all(page, 1)
        page.get_by_role("button", name="Ensemble").click()
        expect(page.locator("#lineup tbody th").first).to_have_text("7")
        for name in ("alexnet", "mini_resnet"):
            head, cell = (page.locator(f"#lineup {tag}[data-model={name}]").bounding_box() for tag in ("th", "td"))
            assert abs(head["x"] - cell["x"]) < 1


def test_a_figure_sorts_the_networks_until_it_is_pressed_again(page):
    draw(page, SCRIBBLE)
    wait_for_all(page, len(trained("mnist")))
    by_year, button = networks(page), page.get_by_role("button", name="Margin")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("""() => {
      const cells = [...document.querySelector("#lineup .board-facts").cells].slice(1, -1);
      const margins = cells.map((cell) => Number(cell.textContent));
      return margins.length > 1 && margins.every((each, index) => !index || margins[index - 1] >= each);
    }""")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert networks(page) == by_year


@pytest.mark.parametrize("page", [(320, 640)], ids=["phone"], indirect=True)
def test_on_a_phone_the_classes_stay_beside_the_networks_in_forced_colours_too(page):
    page.emulate_media(forced_colors="active")
    draw(page, SEVEN)
    wait_for_all(page, len(trained("mnist")))
    page.locator(".board").evaluate("board => { board.scrollIntoView(); board.scrollTo(1000, 0); }")
    for place in ("tbody th", "thead th", "thead th.board-together"):
        expect(page.locator(f"#lineup {place}").first).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    winner = page.locator(f"{WINNERS}.board-together")
    image, colour = winner.evaluate(
        "cell => [getComputedStyle(cell).backgroundImage, getComputedStyle(cell).backgroundColor]"
    )
    assert "gradient" in image and colour != page.locator("#lineup .faint").first.evaluate(
        "cell => getComputedStyle(cell).backgroundColor"
    )
