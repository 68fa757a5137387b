"""The game "Can you split them?", in Chromium."""

import re

from playwright.sync_api import expect

from cnn_models import ModelHub
from cnn_models.analysis.splits import Split, images_of, splits
from cnn_models.analysis.test_errors import predictions_of
from cnn_models.datasets.test_sets import load_test_set
from tests.traced import code, margin, predictions, preprocessed, trace
from ui.common.texts import say
from ui.compare.game import DIGITS, ROUNDS

PAIR = ["lenet5", "mini_resnet"]
# Puts a drawing on the canvas by the address of the page.
PUT = """(code) => {
  const parts = new URLSearchParams(location.hash.slice(1));
  parts.set("p", code);
  location.hash = `#${parts}`;
}"""
COPIES = (
    "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => (window.copied = text) } })"
)


def clearest():
    """The split of two small networks that a drawing shows with the greatest margin, and the code of the drawing."""
    hub, found = ModelHub(), predictions_of(ModelHub(), "mnist")
    images, _ = load_test_set("mnist")
    chosen = [(split, index) for split in splits(found) if list(split[:2]) == PAIR for index in images_of(found, split)]
    drawings = [trace(images[index]) for _, index in chosen]
    inputs = [preprocessed(each, "mnist") for each in drawings]
    both = zip(*(predictions(hub, f"{name}.mnist", inputs) for name in PAIR), strict=True)
    margins = [margin(split, "mnist", *each) for (split, _), each in zip(chosen, both, strict=True)]
    best = max(range(len(chosen)), key=margins.__getitem__)
    return chosen[best][0], code(drawings[best])


def text_of(split: Split) -> str:
    """A game of ten times the same round, as the address holds it."""
    return f"mnist.{'-'.join(PAIR)}." + ("01" + DIGITS[split.label] + DIGITS[split.other]) * ROUNDS


def test_a_game_is_played_and_its_link_shows_the_points_of_its_drawings(page):
    split, drawing = clearest()
    rounds, fold = page.locator("#game-round"), page.locator("#game")
    note, items = fold.locator(".game-note"), fold.locator(".game-result li")
    page.evaluate(COPIES)
    shown = page.locator("#lineup th[data-model]").count()
    page.evaluate("(text) => (location.hash = `#game=${text}`)", text_of(split))
    expect(note).to_have_text(say("en", "game.opened.rounds"))
    fold.get_by_role("button", name=say("en", "game.same")).click()

    # The two networks alone are on the board; a drawing that splits them is kept, and a worse one changes nothing.
    expect(rounds.locator(".game-task")).to_contain_text(
        f"Make LeNet-5 say {split.label} and Mini ResNet say {split.other}"
    )
    expect(page.locator("#lineup th[data-model]")).to_have_count(2)
    page.evaluate(PUT, drawing)
    expect(rounds.locator(".game-right")).to_have_count(2)
    expect(rounds.get_by_role("status")).to_contain_text("Split")
    points = int(re.sub(r"\D", "", rounds.get_by_role("status").inner_text()))
    assert points > 0
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(rounds.locator(".game-points")).to_have_text(say("en", "game.best", best=points))

    # Test images do not count. The page that is loaded again continues the game.
    page.locator(".samples:not([hidden]) button").first.click()
    expect(rounds.locator(".game-points")).to_have_text(say("en", "game.drawn"))
    page.reload()
    expect(rounds.locator(".game-head b")).to_have_text(say("en", "game.round", round=1, rounds=ROUNDS))
    rounds.get_by_role("button", name=say("en", "game.next")).click()
    for _ in range(ROUNDS - 2):
        rounds.get_by_role("button", name=say("en", "game.skip")).click()
    rounds.get_by_role("button", name=say("en", "game.finish")).click()

    # The result; the board is as it was before.
    total = {"split": 1, "rounds": ROUNDS, "total": points}
    expect(note).to_have_text(say("en", "game.total", **total))
    expect(items).to_have_count(ROUNDS)
    expect(rounds).to_be_hidden()
    expect(page.locator("#lineup th[data-model]")).to_have_count(shown)

    # The link has the drawing and no points: they are computed where it is opened.
    page.evaluate(COPIES)
    fold.get_by_role("button", name=say("en", "game.link")).click()
    expect(fold.locator(".game-tools [role=status]")).to_have_text(say("en", "keep.copied"))
    link = page.evaluate("window.copied")
    assert len(link) < 2000
    page.evaluate("sessionStorage.clear()")
    page.evaluate("(link) => (location.hash = new URL(link).hash)", link)
    expect(note).to_have_text(say("en", "game.opened.drawings", **total))
    expect(items.locator("img[src]")).to_have_count(1)

    # Points alone are as reported; what is no game is said.
    page.evaluate("(text) => (location.hash = `#game=${text}.${Array(10).fill(99).join('-')}`)", text_of(split))
    expect(note).to_have_text(say("en", "game.opened.points", split=ROUNDS, rounds=ROUNDS, total=990))
    for wrong in ("mnist", f"constructor.{'-'.join(PAIR)}.{'0127' * 10}", f"{text_of(split)}.tAAAA"):
        page.evaluate("(text) => (location.hash = `#game=${text}`)", wrong)
        expect(note).to_have_text(say("en", "game.invalid"))
        page.evaluate("(text) => (location.hash = `#game=${text}`)", text_of(split))
        expect(note).to_have_text(say("en", "game.opened.rounds"))
