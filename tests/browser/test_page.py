"""All tabs in Chromium, with the bundled networks."""

import csv
import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.averaged import read_averaged
from cnn_models.analysis.seeds import seeds_of
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.runs import find_runs
from cnn_models.errors import TranslatableError
from cnn_models.layers import architecture_layers
from ui.common.texts import mark_error, say
from ui.learn.tab import PAGES

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
PHONE = pytest.mark.parametrize("page", [(390, 844)], ids=["phone"], indirect=True)
# Selectors of what a painted tab shows.
SHOWN = {
    "compare": "#sketchpad canvas", "layers": ".layers-table, #layers summary", "training": "#training-loss polyline",
    "learn": "#learn",
}  # fmt: skip
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def open_tab(page, title, selector):
    """Open a tab; return once it is painted."""
    page.get_by_role("tab", name=title, exact=True).click()
    page.locator(selector).locator("visible=true").first.wait_for()
    page.evaluate(PAINTED)


def open_tabs(page, *names):
    """Open tabs of SHOWN one after another; yield the name of each once it is painted."""
    for name in names or SHOWN:
        open_tab(page, say("en", f"tab.{name}"), SHOWN[name])
        yield name


def draw(page, points, release=True, steps=10):
    canvas = page.locator("#sketchpad canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=steps)
    if release:
        page.mouse.up()


def trained(dataset):
    return [id.split(".")[0] for id, card in ModelHub().cards().items() if card.dataset == dataset]


def runs_of(prefix):
    """The number of groups of runs in `weights/` itself whose id begins with the prefix."""
    groups = find_runs(ModelHub().weights_dir).values()
    return sum(runs[0].id.startswith(prefix) and not runs[0].out for runs in groups)


def winners(page):
    cells = page.locator("#lineup .board-winner:not(.board-together)")
    return {c.get_attribute("data-model"): c.get_attribute("data-class") for c in cells.all()}


# On a slow machine the page must not be shown for its delay alone.
PATIENT = """addEventListener("DOMContentLoaded", () => document.head.insertAdjacentHTML(
  "beforeend", "<style>html gradio-app .contain { animation-delay: 600s !important }</style>"))"""


def test_the_page_is_hidden_until_its_scripts_run_and_it_is_translated(browser, url):
    tab, held = browser.new_page(locale="zh-CN"), []
    tab.add_init_script(PATIENT)
    tab.route("**/common/texts.js", lambda route: held.append(route))
    tab.goto(url)
    canvas = tab.locator("#sketchpad canvas")
    canvas.wait_for(state="attached")
    assert not canvas.is_visible()
    for route in held:
        route.continue_()
    expect(canvas).to_be_visible()
    assert tab.locator(".masthead p").inner_text() == say("zh", "page.motto")
    draw(tab, SEVEN)
    expect(tab.locator("#lineup .board-winner").first).to_be_visible()
    tab.close()


def test_the_page_is_shown_in_print_and_when_a_script_fails(browser, url):
    tab = browser.new_page()
    tab.route("**/compare/board.js", lambda route: route.abort())
    tab.goto(url)
    canvas = tab.locator("#sketchpad canvas")
    expect(canvas).to_be_visible()
    tab.emulate_media(media="print")
    tab.reload()
    canvas.wait_for(state="attached")
    assert canvas.is_visible()
    tab.close()


def test_a_seven_drawn_with_the_mouse_is_read_by_every_trained_network(page):
    names = trained("mnist")
    assert {"lenet5", "mini_inception", "mini_resnet"} <= set(names)
    expect(page.locator("#verdict")).to_contain_text("networks read 3")  # of the opening
    draw(page, SEVEN)
    expect(page.locator("#verdict")).to_have_text(f"All {len(names)} networks read 7.")
    assert winners(page) == dict.fromkeys(names, "7")
    assert page.locator("#lineup thead th[data-model]").count() == len(ARCHITECTURES)
    for name in ARCHITECTURES.keys() - set(names):
        note = page.locator("#lineup .board-missing", has_text=f"python -m training.train {name}.mnist")
        expect(note).to_have_count(1)
        expect(page.locator(f"#lineup th[data-model={name}]")).to_contain_text("not trained yet")
    for name in names:
        shown = page.locator(f"#lineup td[data-model={name}]").all_inner_texts()
        assert sum(float(text.split()[0].strip("<>")) for text in shown[:10]) == pytest.approx(100, abs=0.2)
        assert len(shown) == 14 and shown[11].endswith(" bit") and shown[12].endswith(" ms")
    seen = page.locator("#seen img").nth(5).evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert seen == [28, 28]


def test_predictions_follow_while_the_pointer_is_down(page):
    draw(page, SEVEN, release=False)
    expect(page.locator("#verdict")).to_contain_text("read")
    page.mouse.up()


def test_clear_empties_the_board(page):
    draw(page, SEVEN)
    expect(page.locator("#lineup .board-winner").first).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#verdict")).to_contain_text("The canvas is empty")
    expect(page.locator("#lineup .board-winner")).to_have_count(0)


def test_a_network_can_be_left_out(page):
    draw(page, SEVEN)
    expect(page.locator("#lineup .board-winner")).to_have_count(len(trained("mnist")) + 1)
    page.get_by_role("button", name="Hide LeNet-5").click()
    expect(page.locator("#lineup th[data-model=lenet5]")).to_have_count(0)
    expect(page.locator("#lineup .board-winner")).to_have_count(len(trained("mnist")))


def test_test_images_of_clothing_reach_the_networks_unchanged(page):
    page.get_by_role("radio", name="Clothing").check()
    expect(page.locator("#verdict")).to_contain_text("networks predict Ankle boot")  # of the opening
    expect(page.locator("#samples .samples:not([hidden]) button")).to_have_count(10)
    trousers = page.locator("#samples .samples:not([hidden]) button").nth(1)
    expect(trousers).to_have_attribute("title", "Trouser")
    trousers.click()
    expect(page.locator("#verdict")).to_have_text(f"All {len(trained('fashion_mnist'))} networks predict Trouser.")
    pixels = """async (image) => {
      const canvas = new OffscreenCanvas(28, 28);
      const pen = canvas.getContext("2d");
      pen.drawImage(image, 0, 0);
      return [...pen.getImageData(0, 0, 28, 28).data].filter((_, index) => index % 4 === 0);
    }"""
    sent = trousers.locator("img").evaluate(pixels)
    assert page.locator("#seen img").nth(5).evaluate(pixels) == sent and sum(sent) > 0


def test_an_uploaded_image_is_read(page, tmp_path):
    image = Image.open("ui/common/samples/mnist.4.png").resize((200, 200))
    canvas = Image.new("L", (640, 480), 250)
    canvas.paste(Image.eval(image, lambda value: 250 - value * 230 // 255), (30, 250))
    canvas.convert("RGB").save(tmp_path / "four.jpg")
    page.locator("#sketchpad input[type=file]").set_input_files(tmp_path / "four.jpg")
    expect(page.locator("#verdict")).to_contain_text("networks read 4")


@pytest.mark.parametrize(
    ("name", "content"), [("text.png", b"not an image"), ("cut.png", None)], ids=["not an image", "truncated"]
)
def test_a_broken_image_gets_a_sentence_and_the_page_goes_on(page, tmp_path, name, content):
    whole = (Image.open("ui/common/samples/mnist.4.png").resize((300, 300)), tmp_path / "whole.png")
    whole[0].save(whole[1])
    (tmp_path / name).write_bytes(content or whole[1].read_bytes()[:50])
    page.locator("#sketchpad input[type=file]").set_input_files(tmp_path / name)
    expect(page.locator("#verdict .verdict-alarm, #verdict.verdict-alarm")).to_contain_text("image")
    draw(page, SEVEN)
    expect(page.locator("#verdict")).to_contain_text("networks read 7")


def choose_layers(page, *names):
    """Choose these networks only on the Layers tab."""
    page.get_by_role("tab", name="Layers").click()
    for name, spec in ARCHITECTURES.items():
        page.get_by_label(f"{spec.title} ({spec.year})").set_checked(name in names)


def test_layers_show_arithmetic_and_parameters(page):
    for name in ARCHITECTURES:
        choose_layers(page, name)
        network = architecture_layers(name)
        expect(page.locator(".layers-sum")).to_contain_text(f"{network.macs:,}")
        expect(page.locator(".layers-totals")).to_contain_text(f"{network.parameters:,}")
        boxes = page.locator(".diagram a:not(.diagram-block)")
        expect(boxes).to_have_count(sum(step.index is not None for step in network.steps()))
        for link in page.locator(".diagram a").all():
            expect(page.locator(link.get_attribute("href"))).to_have_count(1)


def test_the_layers_show_the_activations_of_the_drawing(page):
    page.get_by_role("tab", name="Layers").click()
    expect(page.locator(".drawing-note")).to_contain_text("Nothing is drawn")
    page.get_by_role("tab", name="Compare").click()
    draw(page, SEVEN)
    expect(page.locator("#verdict")).to_contain_text("read 7")
    page.get_by_role("tab", name="Layers").click()
    expect(page.locator(".drawing-note")).to_contain_text("Activations of your drawing")
    page.locator(".strip button[title='c3: 16 of 16 channels']").click()
    expect(page.locator("dialog figure")).to_have_count(16)
    numbers = page.locator("dialog figure").all_inner_texts()
    assert sorted(map(int, numbers)) == list(range(16))
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_layers_of_googlenet_at_both_sizes(page):
    choose_layers(page, "googlenet")
    for size in (224, 96):
        page.get_by_label(f"GoogLeNet: {size}×{size}").check()
        expect(page.locator(".layers-sum")).to_contain_text(f"{architecture_layers('googlenet', size).macs:,}")
    page.locator(".diagram a[aria-label^='inception4a.three:']").click()
    formula = page.locator("details[open]").get_by_text("208·(96·3·3 + 1) = 179,920", exact=True)
    expect(formula.first).to_be_in_viewport()


def test_layers_of_several_networks_are_side_by_side_and_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_layers(page, "lenet5", "alexnet")
    expect(page.locator("#layer1-0")).to_be_visible()
    first, other = (page.locator(f"#layer{index}-0").bounding_box() for index in (0, 1))
    assert first["x"] + first["width"] <= other["x"]
    stage = page.locator("section", has=page.locator("h3 b", has_text="28"))
    expect(stage).to_contain_text("6×28×28")
    expect(stage).to_contain_text("96×26×26")
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.locator(".layers-tools")).to_contain_text("Copied.")
    assert re.search(r"^\|.*\b61,?706\b", page.evaluate("navigator.clipboard.readText()"), re.MULTILINE)
    page.get_by_role("button", name="Copy as CSV").click()
    expect(page.locator(".layers-tools")).to_contain_text("Copied.")
    rows = list(csv.DictReader(io.StringIO(page.evaluate("navigator.clipboard.readText()"))))
    assert [row["parameters"] for row in rows if row["stage"] == "total"] == ["61706", "46764746"]
    choose_layers(page)
    expect(page.locator("#layers-page")).to_have_text("Choose a network.")


def test_html_that_gradio_updates_stays_translated(page):
    choose_layers(page, "googlenet")
    page.locator(".language").get_by_text("简体中文").click()
    for size in (224, 96):
        page.get_by_label(f"GoogLeNet: {size}×{size}").check()
        expect(page.locator(".layers-sum")).to_contain_text(f"{architecture_layers('googlenet', size).macs:,}")
        expect(page.locator(".layers-totals")).to_contain_text("个参数")
        expect(page.locator("#layers")).not_to_contain_text("layers deep")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    why = TranslatableError("checkpoint.object")
    html = mark_error(CheckpointError("checkpoint.card", path="x/config.json", why=why))
    page.evaluate(
        "html => document.querySelector('#layers-page').insertAdjacentHTML('afterend', `<p id=why>${html}</p>`)", html
    )
    expect(page.locator("p#why")).to_have_text("x/config.json 不是检查点的卡片：卡片应是一个 JSON 对象")


def test_learn_pages_follow_their_controls(page):
    page.get_by_role("tab", name="Learn").click()
    for name, (_, controls) in PAGES.items():
        page.get_by_role("tab", name=say("en", f"learn.{name}"), exact=True).click()
        shown = page.locator(f"#{name}-shown")
        for control in controls:
            before, text = shown.inner_html(), shown.inner_text()
            value = control.value + 1 if control.value < control.high else control.value - 1
            box = page.get_by_label(f"number input for {say('en', f'lesson.{control.name}')}").locator("visible=true")
            box.fill(str(value))
            box.press("Tab")
            page.wait_for_function(
                "([id, html]) => document.getElementById(id).innerHTML !== html", arg=[f"{name}-shown", before]
            )
            box.locator("xpath=..").get_by_role("button").click()  # reset
            page.wait_for_function(
                "([id, text]) => document.getElementById(id).innerText === text", arg=[f"{name}-shown", text]
            )
        if name == "pooling":  # a number out of range, and an empty box
            box = page.get_by_label("number input for Size").locator("visible=true")
            for typed, said in (("99", "⌊(10 + 2·0 − 2) / 2⌋ + 1 = 5"), ("", "does not fit in 1 pixels")):
                box.fill(typed)
                expect(shown).to_contain_text(said)
            expect(page.locator(".toast-body")).to_have_count(0)
            box.press("Tab")


@PHONE
def test_a_phone_scrolls_nothing_but_the_board_sideways(page):
    draw(page, SEVEN)
    expect(page.locator("#verdict")).to_contain_text("read 7")
    for tab in open_tabs(page):
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{tab} is {width} pixels wide"
        heads = (
            page.locator("h1, h2, h3, h4, h5, h6")
            .locator("visible=true")
            .evaluate_all("all => all.map(h => h.tagName)")
        )
        levels = [int(head[1]) for head in heads]
        assert all(below <= above + 1 for above, below in zip([0, *levels], levels, strict=False)), f"{tab}: {heads}"
    page.get_by_role("tab", name="Compare").click()
    verdict, board = (page.locator(f"#{name}").bounding_box() for name in ("verdict", "lineup"))
    assert verdict["y"] < board["y"]
    for width in (720, 1024):  # as for 1440 at 200 %, and a small window
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        wide = "all => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)"
        assert not page.locator("#lineup :is(th, td), .compare-read > *").evaluate_all(wide), width


def test_branches_of_real_networks_are_ablated(page):
    draw(page, SEVEN)
    page.get_by_role("tab", name="Learn", exact=True).click()
    page.get_by_role("tab", name=say("en", "learn.shortcuts"), exact=True).click()
    expect(page.locator("#learn-shortcuts")).to_contain_text("Your drawing")
    page.get_by_label("block1 shortcut").check()
    expect(page.locator("#learn-shortcuts")).to_contain_text("Ablated")
    accuracies = page.locator("#shortcuts-test .lesson-bar > span")
    expect(page.locator("#shortcuts-test h3")).to_contain_text("all 10,000", timeout=60_000)
    expect(accuracies).to_have_count(2)
    whole, cut = (float(text.split(" %")[0]) for text in accuracies.all_inner_texts())
    assert whole == pytest.approx(ModelHub().card("mini_resnet.mnist").metrics["test_accuracy"], abs=0.02)
    assert cut < whole - 1
    page.get_by_role("button", name=say("en", "ablation.each")).locator("visible=true").click()
    rows = page.locator("#shortcuts-each tbody tr")
    expect(rows).to_have_count(4, timeout=120_000)
    expect(rows.nth(1)).to_contain_text(f"{cut:.2f} %")  # of block1's shortcut, as above
    page.get_by_role("tab", name="Compare", exact=True).click()
    page.get_by_role("radio", name="Clothing").check()
    page.get_by_role("tab", name="Learn", exact=True).click()
    expect(rows).to_have_count(0)


def test_whole_blocks_and_kinds_of_branches_are_ablated(page):
    page.get_by_role("tab", name="Learn", exact=True).click()
    page.get_by_role("tab", name=say("en", "learn.inception"), exact=True).click()
    grid, shown = page.locator("#inception-off"), page.locator("#learn-inception")
    off = grid.locator("input[value]:checked")
    page.get_by_label("All of inception1").check()
    expect(off).to_have_count(4)
    expect(grid.get_by_label("All of 5×5")).to_have_js_property("indeterminate", True)
    expect(shown).to_contain_text("Ablated")
    grid.get_by_label("inception2 5×5").check()
    expect(grid.get_by_label("All of 5×5")).to_be_checked()
    grid.get_by_label("All of 5×5").uncheck()
    expect(off).to_have_count(3)
    page.get_by_label("GoogLeNet").locator("visible=true").check()
    expect(grid.locator("tbody tr")).to_have_count(9)
    expect(off).to_have_count(0)
    expect(page.locator("#inception-test h3")).to_contain_text("so far")
    page.get_by_label("Mini Inception").locator("visible=true").check()  # while GoogLeNet is being measured
    expect(page.locator("#inception-test h3")).to_contain_text("all 10,000", timeout=60_000)


def test_ensembles_follow_their_choosers(page):
    page.get_by_role("tab", name="Learn", exact=True).click()
    page.get_by_role("tab", name=say("en", "learn.ensembles"), exact=True).click()
    shown = page.locator("#learn-ensembles")
    measured = next(iter(read_averaged(ModelHub().weights_dir).values()))  # of the data set chosen at first
    for chosen in (measured["weights"].keys(), {id for id in measured["weights"] if not id.startswith("lenet5.")}):
        (accuracy,) = (accuracy for ids, accuracy in measured["together"] if set(ids) == chosen)
        expect(shown).to_contain_text(f"Ensemble of {len(chosen)}: {accuracy:.2f} %")
        page.locator("#ensembles-networks").get_by_text("LeNet-5").click()
    averaged = read_averaged(ModelHub().weights_dir)
    for dataset in reversed(averaged):
        page.get_by_label(DATASETS[dataset].title, exact=True).locator("visible=true").check()
        chosen, accuracy = len(averaged[dataset]["weights"]), averaged[dataset]["accuracy"]
        expect(shown).to_contain_text(f"Ensemble of {chosen}: {accuracy:.2f} %")


def test_ensembles_over_seeds_follow_the_data_set(page):
    page.get_by_role("tab", name="Learn", exact=True).click()
    page.get_by_role("tab", name=say("en", "learn.ensembles"), exact=True).click()
    shown, weights = page.locator("#ensembles-shown"), ModelHub().weights_dir
    seeds = seeds_of(weights, find_runs(weights).values())
    for dataset in reversed(DATASETS):
        page.get_by_label(DATASETS[dataset].title, exact=True).locator("visible=true").check()
        measured = [found["accuracy"] for run, found in seeds if run.id.endswith(f".{dataset}")]
        for rows in measured:
            expect(shown.get_by_role("row", name=f"{len(rows)} seeds").first).to_contain_text(f"{rows[-1][0]:.2f} %")
        expect(shown.get_by_role("row", name="seeds")).to_have_count(len(measured))
