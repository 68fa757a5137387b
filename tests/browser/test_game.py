"""The game "Can you split them?", in Chromium."""

import re

from playwright.sync_api import expect

from cnn_models import ModelHub
from cnn_models.analysis.disagreements import Disagreement, disagreements, images_of
from cnn_models.analysis.test_errors import predictions_of
from cnn_models.datasets.test_sets import load_test_set
from tests.traced import KEPT, Stroke, code, is_kept, margin, predictions, preprocessed, trace
from ui.common.texts import say
from ui.compare.game import DIGITS, ROUNDS

PAIR = ["lenet5", "mini_resnet"]
# Puts a drawing on the canvas by the address of the page.
PUT = """(code) => {
  const parts = new URLSearchParams(location.hash.slice(1));
  parts.set("p", code);
  location.hash = `#${parts}`;
}"""
# The first request for the points of a drawing fails, and the second waits for `release()`.
SLOW = """() => {
  const fetched = window.fetch;
  window.measured = 0;
  window.fetch = async (url, options) => {
    const isPoints = /"predict"/.test(options?.body) && !options.body.includes('"quick"');
    if (isPoints) window.measured += 1;
    if (isPoints && window.measured === 1) throw new TypeError("offline");
    if (isPoints && window.measured === 2) await new Promise((go) => (window.release = go));
    return fetched(url, options);
  };
}"""
# Requests for the points of a drawing fail, or are of the drawing that was sent before, until `restore()`.
UNKEPT = """(fails) => {
  const fetched = window.fetch;
  let shown = null;
  Object.assign(window, { failed: 0, restore: () => void (window.fetch = fetched) });
  window.fetch = async (url, options) => {
    if (!/"predict"/.test(options?.body)) return fetched(url, options);
    const isPoints = !options.body.includes('"quick"');
    if (isPoints && fails) {
      window.failed += 1;
      throw new TypeError("offline");
    }
    const body = JSON.parse(options.body);
    if (isPoints) body.data.image = shown;
    else shown ??= body.data.image;
    return fetched(url, { ...options, body: JSON.stringify(body) });
  };
}"""
LINKS = """async (module) => {
  const imported = (name) => import(new URL(`${module}/../../compare/${name}.js`, document.baseURI));
  const [{ draw, encode, parse }, { codesOf }] = [await imported("game_link"), await imported("game_score")];
  const tables = JSON.parse(document.getElementById("game").dataset.tables);
  const turn = (index) => [140 + index * Math.cos(index), 140 + index * Math.sin(index), 1];
  const spiral = Array.from({ length: 250 }, (_, index) => turn(index));
  const [short, long] = codesOf([{ width: 20, points: spiral }], 280);
  const kinds = ([dataset, table]) => [short, long].map((drawing) => {
    const game = { dataset, rounds: draw(table), codes: Array(10).fill(drawing), points: Array(10).fill(50) };
    const text = encode(game, table, true);
    return { kind: parse(text, tables).kind, length: text.length };
  });
  const rounds = Object.values(tables).flatMap((table) => Array.from({ length: 20 }, () =>
    draw(table).map(({ names, labels }) => names.map((name, index) => `${name} ${labels[index]}`).sort().join())));
  return { rounds, links: Object.entries(tables).map(kinds) };
}"""
DAMAGED = """async (module) => {
  const { saved } = await import(new URL(`${module}/../../compare/game_store.js`, document.baseURI));
  const tables = JSON.parse(document.getElementById("game").dataset.tables);
  const text = sessionStorage.getItem("lineup.game");
  const read = (changes) => {
    sessionStorage.setItem("lineup.game", JSON.stringify({ ...JSON.parse(text), ...changes }));
    return saved(tables);
  };
  const wrong = [
    { index: -1 }, { index: 11 }, { index: 0.5 }, { index: "1" }, { points: null }, { points: [1] },
    { points: Array(10).fill("9") }, { points: Array(10).fill(101) }, { codes: "tAAAA" }, { codes: Array(9).fill("") },
    { codes: Array(10).fill("tAAAA") }, { codes: Array(10).fill(null) }, { before: "lenet5" }, { before: [1] },
    { text: 1 }, { text: "mnist" },
  ].filter((changes) => read(changes) !== null);
  const whole = read({});
  const over = read({ index: 10, playing: true });
  sessionStorage.setItem("lineup.game", text);
  return { wrong, whole: whole.index, over: over.playing };
}"""
COPIES = (
    "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => (window.copied = text) } })"
)


def clearest():
    """The split of two small networks that a drawing shows with the greatest margin, and the code of the drawing."""
    hub, found = ModelHub(), predictions_of(ModelHub(), "mnist")
    images, _ = load_test_set("mnist")
    chosen = [
        (split, index) for split in disagreements(found) if list(split[:2]) == PAIR for index in images_of(found, split)
    ]
    drawings = [trace(images[index]) for _, index in chosen]
    assert all(map(is_kept, drawings))
    inputs = [preprocessed(each, "mnist") for each in drawings]
    both = zip(*(predictions(hub, f"{name}.mnist", inputs) for name in PAIR), strict=True)
    margins = [margin(split, "mnist", *each) for (split, _), each in zip(chosen, both, strict=True)]
    best = max(range(len(chosen)), key=margins.__getitem__)
    return chosen[best][0], code(drawings[best])


def text_of(split: Disagreement) -> str:
    """A game of ten times the same round, as the address holds it."""
    return f"mnist.{'-'.join(PAIR)}." + ("01" + DIGITS[split.label] + DIGITS[split.other]) * ROUNDS


def module_of(page) -> str:
    """The address of a module of the page, from which others are imported."""
    return page.locator("link[rel=modulepreload][href*='common/save.js']").get_attribute("href")


def check_leaving_a_linked_game(page, link: str):
    """The points of a linked game are not computed any further when another game is begun."""
    page.evaluate("[window.measured, window.release] = [1, null]")
    page.evaluate("(link) => (location.hash = new URL(link).hash)", link)
    page.wait_for_function("!!window.release")
    page.locator("#game").get_by_role("button", name=say("en", "game.same")).click()
    with page.expect_response(lambda response: '"quick"' not in (response.request.post_data or "")):
        page.evaluate("window.release()")
    leave = page.get_by_role("button", name=say("en", "game.leave"))
    leave.click()
    expect(leave).to_be_hidden()
    expect(page.locator("#game .game-note")).to_have_text("")
    expect(page.locator("#game .game-result")).to_be_hidden()
    assert page.evaluate("window.measured") == 2 and "game=" not in page.url


def check_refusals(page, drawing: str):
    """A drawing whose points cannot be computed, or that splits nothing in the form to be kept, is refused."""
    line, points = code([Stroke(20, 140, 60, 220)]), page.locator("#game-round .game-points")
    page.evaluate(UNKEPT, True)
    page.evaluate(PUT, drawing)
    for tries in (1, 2):  # again after each answer
        page.wait_for_function("(tries) => window.failed >= tries", arg=tries)
        page.evaluate("document.querySelector('[name=model][value=mini_inception]').click()")
    expect(points).to_have_text(say("en", "game.unmeasured"))
    page.evaluate("window.restore()")
    page.evaluate(UNKEPT, False)
    page.evaluate(PUT, line)
    expect(points).to_have_text(say("en", "game.unsplit"))
    page.evaluate(PUT, drawing)
    expect(points).to_have_text(say("en", "game.unkept"))
    page.evaluate("window.restore()")
    page.get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_function("!/[#&]p=t/.test(location.hash)")


def check_links(page):
    """Games have ten different rounds; ten short drawings fit into their links, and ten long ones do not."""
    found = page.evaluate(LINKS, module_of(page))
    assert found["rounds"] and all(len(set(each)) == ROUNDS for each in found["rounds"])
    for short, long in found["links"]:
        assert (short["kind"], long["kind"]) == ("drawings", "points")
        assert short["length"] <= 1900 and long["length"] <= 1900


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
        f"Make LeNet-5 predict {split.label} and Mini ResNet predict {split.other}"
    )
    expect(page.locator("#lineup th[data-model]")).to_have_count(2)
    page.evaluate(PUT, drawing)
    expect(rounds.locator(".game-right")).to_have_count(2)
    expect(rounds.get_by_role("status")).to_contain_text("Split")
    points = int(re.sub(r"\D", "", rounds.get_by_role("status").inner_text()))
    assert points > 0
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(rounds.locator(".game-points")).to_have_text(say("en", "game.best", best=points))

    # A drawing with too many strokes is not kept, which is said aloud.
    page.evaluate(PUT, code([Stroke(20, 20 + 3 * row, 100, 180) for row in range(KEPT // 9 + 1)]))
    expect(rounds.locator(".game-points")).to_have_text(say("en", "game.long"))
    expect(rounds.get_by_role("status")).to_have_text(say("en", "game.long"))

    # A damaged game in the storage is none.
    assert page.evaluate(DAMAGED, module_of(page)) == {"wrong": [], "whole": 0, "over": False}
    check_links(page)

    # Test images do not count. The page that is loaded again continues the game.
    page.locator(".samples:not([hidden]) button").first.click()
    expect(rounds.locator(".game-points")).to_have_text(say("en", "game.drawn"))
    page.reload()
    expect(rounds.locator(".game-head b")).to_have_text(say("en", "game.round", round=1, rounds=ROUNDS))
    rounds.get_by_role("button", name=say("en", "game.next")).click()

    check_refusals(page, drawing)

    # A drawing whose points are requested again after a failure, and come when the next round is open.
    page.evaluate(SLOW)
    page.evaluate(PUT, drawing)
    expect(rounds.locator(".game-right")).to_have_count(2)
    page.wait_for_function("window.measured > 0")
    page.get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_function("!!window.release")
    rounds.get_by_role("button", name=say("en", "game.skip")).click()
    expect(rounds.locator(".game-head b")).to_have_text(say("en", "game.round", round=3, rounds=ROUNDS))
    page.evaluate("window.release()")

    # A round can be opened again.
    rounds.get_by_role("button", name=say("en", "game.back")).click()
    expect(rounds.locator(".game-points")).to_have_text(say("en", "game.best", best=points))
    rounds.get_by_role("button", name=say("en", "game.next")).click()
    for _ in range(ROUNDS - 3):
        rounds.get_by_role("button", name=say("en", "game.skip")).click()
    rounds.get_by_role("button", name=say("en", "game.finish")).click()

    # The result; the board is as it was before.
    total = {"split": 2, "rounds": ROUNDS, "total": 2 * points}
    expect(note).to_have_text(say("en", "game.total", **total))
    expect(items).to_have_count(ROUNDS)
    expect(rounds).to_be_hidden()
    expect(page.locator("#lineup th[data-model]")).to_have_count(shown)

    # The link has the drawings and no points: they are computed where it is opened.
    page.evaluate(COPIES)
    fold.get_by_role("button", name=say("en", "game.link")).click()
    expect(fold.locator(".game-tools [role=status]")).to_have_text(say("en", "keep.copied"))
    link = page.evaluate("window.copied")
    assert len(link) < 2000
    page.evaluate("sessionStorage.clear()")
    check_leaving_a_linked_game(page, link)
    page.evaluate("(link) => (location.hash = new URL(link).hash)", link)
    expect(note).to_have_text(say("en", "game.opened.drawings", **total))
    expect(items.locator("img[src]")).to_have_count(2)

    # Points alone are as reported; what is no game is said.
    page.evaluate("(text) => (location.hash = `#game=${text}.${Array(10).fill(99).join('-')}`)", text_of(split))
    expect(note).to_have_text(say("en", "game.opened.points", split=ROUNDS, rounds=ROUNDS, total=990))
    same = f"mnist.lenet5-lenet5.{'0127' * 10}"
    for wrong in ("mnist", f"constructor.{'-'.join(PAIR)}.{'0127' * 10}", same, f"{text_of(split)}.tAAAA"):
        page.evaluate("(text) => (location.hash = `#game=${text}`)", wrong)
        expect(note).to_have_text(say("en", "game.invalid"))
        page.evaluate("(text) => (location.hash = `#game=${text}`)", text_of(split))
        expect(note).to_have_text(say("en", "game.opened.rounds"))

    # A drawing of the visitor's takes the game out of the address.
    page.locator("#sketchpad canvas").click()
    page.wait_for_function("!location.hash.includes('game=')")
