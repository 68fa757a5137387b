"""The Training tab's charts and tables, without a browser."""

import dataclasses
import json
import re
import shutil
from dataclasses import replace
from html import unescape

import gradio as gr
import pytest

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.statistics import binomial_interval
from cnn_models.checkpoints.evaluation import Bin, Evaluation
from cnn_models.checkpoints.folder import CONFIG, EVALUATION
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run, find_runs
from cnn_models.specs import Split
from tests.cnn_models.checkpoints.test_runs import ROW
from tests.conftest import make_card, save_unfinished
from tests.ui.tables import without_heads
from training.recipes import RECIPES
from ui.common.colours import COLOURS
from ui.common.recipe import recipe_words
from ui.training.curves import QUANTITIES, SCALES, View, curves, curves_html
from ui.training.leaderboard import COSTS, Entry, leaderboard, leaderboard_html, pareto
from ui.training.names import label
from ui.training.reliability import reliability_html
from ui.training.results import final_figures
from ui.training.run_grid import Choice, chosen_runs, grid_html, runs_of
from ui.training.tab import training_tab

EPOCHS = [ROW | {"epoch": epoch, "val_accuracy": 80 + epoch, "seconds": 60} for epoch in (1, 2, 3, 4)]


def run(seed=0, gain=0.0, id="lenet5.mnist"):
    return Run(id, "best", seed, [row | {"val_accuracy": row["val_accuracy"] + gain} for row in EPOCHS])


def lines_of(html):
    """Colour, dash and values of each line with a name: the texts of x and y at its points."""
    found = re.findall(r'<g fill="(.*?)"(?:(?!</g>).)*stroke-dasharray="(.*?)" data-texts=\'(.*?)\'', html, re.DOTALL)
    return [(colour, dash, json.loads(texts)) for colour, dash, texts in found]


def ticks_of(html):
    """The numbers on the vertical axis."""
    return [float(tick) for tick in re.findall(r'text-anchor="end">(.*?)<', html)]


def test_seeds_are_one_curve_with_a_band():
    html = curves([[run(0), run(1, gain=2)]], "accuracy", View())
    assert lines_of(html)[0][2] == [["1", "82"], ["2", "83"], ["3", "84"], ["4", "85"]]
    band, middle = (
        [float(pair.split(",")[1]) for pair in re.search(rf'<{tag} points="(.*?)"', html)[1].split()]
        for tag in ("polygon", "polyline")
    )
    assert all(high < y < low for high, y, low in zip(band[:4], middle, band[:3:-1], strict=True)), "y goes down"
    assert "<polygon" not in curves([[run()]], "accuracy", View())


def test_reported_figures_are_dashed_lines():
    html = curves([[run()]], "accuracy", View())
    figure = f"{QUOTED['lenet5.mnist'].accuracy}"
    assert html.count('stroke-dasharray="6 4"') == 2, "in the chart and beside its value"
    assert f"<b>{figure}</b>" in html
    assert 'LeNet-5 <span data-text="training.part.quoted">' in html
    assert "in the course text on convolution arithmetic" in final_figures([[run()]])
    assert "training.part.quoted" not in curves([[run()]], "loss", View())


def test_reported_figures_are_in_sight_of_better_runs():
    better = run()
    better.history[:] = [row | {"train_accuracy": 99.5, "val_accuracy": 99.5} for row in better.history]
    html = curves([[better]], "accuracy", View())
    (level,) = re.findall(r'<line x1.* y1="(.*?)" .*stroke-dasharray="6 4"', html)
    top, bottom = (float(y) for y in re.search(r'chart-pointer.* y1="(.*?)" y2="(.*?)"', html).groups())
    curve = float(re.search(r'<polyline points=".*?,(.*?) ', html)[1])
    assert top < curve < float(level) < bottom


def test_the_axis_of_the_accuracy_begins_where_runs_are_past_their_start():
    late = run()
    late.history[:] = [row | {"val_accuracy": value} for row, value in zip(EPOCHS, (10, 98, 98, 98), strict=True)]
    late.history[:] = [row | {"train_accuracy": row["val_accuracy"]} for row in late.history]
    html = curves([[late]], "accuracy", View())
    assert ticks_of(html)[0] == 98 and "10" in lines_of(html)[0][2][0]


def test_axes_can_be_time_and_logarithmic():
    html = curves([[run()]], "accuracy", View(by_time=True, scale="error"))
    assert lines_of(html)[0][2] == [["1", "19"], ["2", "18"], ["3", "17"], ["4", "16"]], "minutes, error"
    assert ticks_of(html) == [2, 5, 10, 20] and 'data-text="training.chart.error"' in html
    assert '<small translate="yes" aria-live="polite"><span data-text="training.minutes"' in html
    assert f"<b>{100 - QUOTED['lenet5.mnist'].accuracy:.5g}</b>" in html


def test_values_are_smoothed():
    values = [float(y) for _, y in lines_of(curves([[run()]], "accuracy", View(smoothing=0.5)))[0][2]]
    assert values[0] == 81 and 81 < values[1] < 82


@pytest.mark.parametrize("quantity", ["lr", "images_per_second"])
def test_rate_and_speed_have_one_curve_a_run(quantity):
    html = curves([[run()], [run(id="mini_resnet.mnist")]], quantity, View())
    assert [[float(y) for _, y in texts] for _, _, texts in lines_of(html)] == [[ROW[quantity]] * 4] * 2


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_failed_training_is_drawn_as_far_as_it_is_finite(quantity, scale):
    failed = run()
    failed.history[2:] = [row | dict.fromkeys(("train_loss", "val_loss"), float("nan")) for row in EPOCHS[2:]]
    html = curves([[failed]], quantity, View(scale=scale))
    assert "nan" not in html and len(lines_of(html)[0][2]) == (2 if quantity == "loss" else 4)
    assert not lines_of(curves([], quantity, View(scale=scale))), "nothing is chosen"


def entry(name, parameters, accuracy):
    card = replace(make_card(), architecture=name)
    return Entry(card, accuracy, (accuracy - 1, accuracy + 1), parameters, 1, 1.0, 1.0)


def test_the_line_of_the_best_leaves_out_who_is_beaten():
    html = pareto([entry("lenet5", 10, 90), entry("alexnet", 20, 89), entry("googlenet", 30, 95)], "parameters")
    front, *points = re.findall(r'<polyline points="(.*?)"', html)
    first, corner, last, end = dict.fromkeys(front.split())
    assert (first, last) == (points[0], points[2]) and corner == f"{last.split(',')[0]},{first.split(',')[1]}"
    assert end == f"410.0,{last.split(',')[1]}", "it goes on to the end of the axis"
    assert lines_of(html)[0][2] == [["10", "LeNet-5: 90.00 % (89.00–91.00)"]]
    assert html.count("<polygon") == 3, "an error bar for each"


def test_the_bundled_runs_have_their_figures_and_intervals():
    hub = ModelHub()
    groups = find_runs(hub.weights_dir)
    assert {"lenet5.mnist best 60", "lenet5.mnist source 5"} <= set(groups)
    html = without_heads(final_figures(list(groups.values())))
    for runs in groups.values():
        for each in runs:
            accuracy = each.card.metrics.get("test_accuracy", each.history[-1]["val_accuracy"])
            low, high = binomial_interval(round(100 * accuracy), 10_000)
            assert f"{accuracy:.2f} % <small>{low:.2f}–{high:.2f}</small>" in html
            loss = each.card.metrics.get("test_loss", each.history[-1]["val_loss"])
            assert f"<td>{loss:.4f}</td>" in html
            assert f">{each.command}</code>" in html
    for dataset in ("mnist", "fashion_mnist"):
        entries = leaderboard(hub, dataset)
        assert [entry.accuracy for entry in entries] == sorted((entry.accuracy for entry in entries), reverse=True)
        for entry in entries:
            row = rf"<td>{entry.parameters:,}</td>\s*<td>{entry.macs:,}</td>"
            assert re.search(row, without_heads(leaderboard_html(entries)))
        assert all(len(lines_of(pareto(entries, cost))) == len(entries) for cost in COSTS)


def test_the_command_of_a_run_writes_where_the_run_is(checkpoint, tmp_path):
    weights = tmp_path / "weights"
    checkpoint("lenet5.mnist")
    checkpoint("lenet5.mnist", weights / "runs" / "a b")
    html = final_figures(list(find_runs(weights).values()))
    command = "python -m training.train lenet5.mnist --recipe test --seed 0"
    commands = [unescape(found) for found in re.findall("<code.*?>(.*?)</code>", html)]
    assert commands == [command, f"{command} --out 'weights/runs/a b'"]


def test_a_training_that_went_on_tells_every_leg():
    first = {"command": "python -m training.train x --epochs 3", "commit": "c" * 40, "weights_sha256": "d" * 64}
    second = {"command": "python -m training.train y", "commit": "e" * 40, "weights_sha256": "f" * 64}
    further = replace(make_card(), recipe={"name": "best", "started_from": second | {"started_from": first}})
    legs = [replace(run(), card=further, changes={"init": "weights/lenet5.mnist", "epochs": 11})]
    assert re.sub("<[^>]+>", "", label(legs)) == "LeNet-5 · best, fine-tuning, 11 epochs"
    assert "best, fine-tuning, 11 epochs, seed 0" in re.sub("<[^>]+>", "", final_figures([legs]))
    text = re.sub("<[^>]+>", "", recipe_words(further.recipe))
    legs = [
        f"{leg['command']} at commit {leg['commit'][:12]}, whose weights had the SHA-256" for leg in (first, second)
    ]
    assert f"in turn: {legs[0]} {'d' * 12}…, {legs[1]} {'f' * 12}…, and the command above." in text


def page(hub):
    """The function that updates the page; it gets the open section, what was seen, the data set and all controls."""
    with gr.Blocks() as blocks, gr.Tabs(), gr.Tab("Training") as tab:
        training_tab(hub, tab)
    (event,) = (each for each in blocks.fns.values() if "tick" in [name for _, name in each.targets])
    return event.fn


def test_a_section_is_computed_when_it_is_opened_and_again_when_its_cards_change(checkpoint, hub):
    """As the page asks, for the leaderboard, and while the tab is hidden."""
    checkpoint("lenet5.mnist")
    update, controls = page(hub), (None, ["loss"], "epoch", "detail", 0, "macs", "", "")

    def opened(section, seen, dataset="mnist"):
        """Whether to ask again, what was seen, and the HTML that is new."""
        timer, seen, *rest = update(section, seen, dataset, *controls)
        return timer.active, seen, [str(each) for each in rest if isinstance(each, str)]

    active, seen, (table, plot) = opened("leaderboard", {})
    assert active and "LeNet-5" in table and "<svg" in plot
    assert opened("leaderboard", seen)[2] == []
    assert len(opened("leaderboard", seen, "fashion_mnist")[2]) == 2
    card = hub.weights_dir / "lenet5.mnist" / CONFIG
    card.write_text(card.read_text().replace('"test_accuracy": 10.0', '"test_accuracy": 12.5'))
    assert "12.50 %" in opened("leaderboard", seen)[2][0], "it was evaluated"
    active, _, new = opened("", seen)
    assert not active and not new
    for section in ("curves", "calibration", "comparison", "errors", "epochs", "runs"):
        assert len(opened(section, seen)[2]) == (2 if section == "curves" else 1)


def test_the_charts_follow_trainings_that_begin_and_end(checkpoint, hub):
    """As the page asks while the curves are shown, of a network that is trained."""
    done, running = "lenet5.mnist test 0", "lenet5.mnist training"
    update, seen = page(hub), {}

    def follow(choice):
        """The groups in the grid, those checked in it, if it is new, and how many curves are drawn anew."""
        sent = choice and choice._asdict()
        _, found, grid, charts, *_ = update(
            "curves", dict(seen), "mnist", sent, ["loss"], "epoch", "detail", 0, "macs", "", ""
        )
        seen.update(found)
        boxes = re.findall(r'name="network:.*?" value="(.*?)"( checked)?', grid) if isinstance(grid, str) else None
        drawn = len(lines_of(charts)) if isinstance(charts, str) else None
        return boxes and [group for group, _ in boxes], boxes and [group for group, on in boxes if on], drawn

    assert follow(None)[1:] == ([], 0)
    checkpoint("lenet5.mnist")
    assert follow(None) == ([done], [done], 2), "the checkpoints are chosen at first"
    assert follow(Choice([done], [])) == (None, None, 0), "it was unticked"
    assert follow(Choice([done], [done])) == (None, None, 2)
    assert follow(Choice([done], [done])) == (None, None, None), "nothing has changed"
    state = hub.weights_dir / ".training" / "lenet5.mnist.safetensors"
    save_unfinished(state, [ROW], seed=0)
    assert follow(Choice([done], [done])) == ([done, running], [done, running], 4), "it begins"
    assert follow(Choice([done, running], [done])) == (None, None, 2), "it was unticked"
    state.unlink()
    assert follow(Choice([done, running], [running])) == ([done], [done], 2), "it has become the checkpoint"


def test_the_grid_has_the_runs_of_a_network_and_a_recipe_in_a_cell():
    hub = ModelHub()
    found = runs_of(hub, "mnist")
    chosen = chosen_runs(hub, found, None)
    assert {group.split()[0] for group in chosen} == {id for id, card in hub.cards().items() if card.dataset == "mnist"}
    html = grid_html("mnist", found, chosen)
    assert html.count(" checked") == len(chosen) and html.count('name="network:') == len(found)
    box = re.search(r'name="network:lenet5/recipe:source" value="(.*?)"', html)
    assert found[unescape(box[1])][0].recipe == "source"


def test_without_runs_the_section_of_curves_says_how_to_make_one():
    assert "training.no_runs" in grid_html("mnist", {}, [])


def test_without_evaluations_the_leaderboard_says_what_to_do(hub):
    assert "python -m training.evaluate" in leaderboard_html(leaderboard(hub, "mnist"))


def test_a_network_has_one_colour_and_its_runs_differ_by_symbols():
    source = [replace(run(), recipe="source")]
    html = curves_html([[run()], source, [run(id="mini_resnet.mnist")]], ["lr"], View())
    assert [colour for colour, _, _ in lines_of(html)] == [
        COLOURS["lenet5"], COLOURS["lenet5"], COLOURS["mini_resnet"]
    ]  # fmt: skip
    assert [group.count("<path") for group in html.split("<polyline")[1:]] == [0, 4, 0]
    entries = re.findall(r'<li.*?><label>.*?stroke="(.*?)".*?</svg> (.*?)</label></li>', html)
    assert [(colour, re.sub("<.*?>", "", name)) for colour, name in entries] == [
        (COLOURS["lenet5"], "LeNet-5 · under way"),
        (COLOURS["lenet5"], "● LeNet-5 · under way"),
        (COLOURS["mini_resnet"], "Mini ResNet · under way"),
    ]


def test_an_entry_of_the_legend_switches_the_lines_of_its_group():
    groups = [[run()], [run(id="mini_resnet.mnist")]]
    html = curves_html(groups, ["accuracy", "loss"], View())
    for runs in groups:
        assert html.count(f'<g fill="{COLOURS[runs[0].id.split(".")[0]]}"') == 4
        assert html.count(f'data-switch="{runs[0].group}"') == 2 * 4, "a line and its values"
        assert html.count(f'<input type="checkbox" value="{runs[0].group}" checked>') == 1


@pytest.mark.parametrize("id", RECIPES)
def test_every_recipe_is_said_in_words(id):
    for recipe in RECIPES[id].values():
        words = re.sub("<[^>]+>", "", recipe_words(dataclasses.asdict(recipe)))
        assert f"{recipe.epochs} epochs," in words and f"{recipe.lr}" in words and "?" not in words
        assert ("horizontal flip" in words) == recipe.flip and ("rotation" in words) == bool(recipe.degrees)
        assert ("test set" in words) == (not recipe.held_out) and ("Distilled" in words) == bool(recipe.teachers)


@pytest.mark.parametrize("dataset", DATASETS)
def test_calibration_is_drawn_from_the_bins_once_where_the_temperature_is_one(tmp_path, dataset):
    hub, id = ModelHub(tmp_path), f"lenet5.{dataset}"
    shutil.copytree(ModelHub().weights_dir / id, tmp_path / id)
    path = tmp_path / id / EVALUATION
    found = Evaluation.from_json(path.read_text())
    right = sum(found.confusion[index][index] for index in range(10))
    bins = (Bin(100, 80, 90.0), *[Bin(0, 0, 0)] * 13, Bin(9_900, right - 80, 9_880.0))
    path.write_text(dataclasses.replace(found, reliability=(bins, bins)).to_json())
    html = reliability_html(hub, dataset)
    assert html.count("90.0 % → 80.0 % (80 / 100)") == 1 + (hub.card(id).temperature != 1)
    assert COLOURS["lenet5"] in html and "LeNet-5" in html
    path.write_text(dataclasses.replace(found, reliability=None).to_json())
    assert "LeNet-5: not evaluated, or evaluated before this diagram existed" in reliability_html(hub, dataset)


def test_a_card_that_does_not_say_its_split_is_shown_without_one():
    html = final_figures([[replace(run(), card=make_card())]])
    assert re.search(r'<p><span data-text="training.made"', html) and "recipe.split" not in html
    held = final_figures([[replace(run(), card=replace(make_card(), split=Split(55_000, 5_000)))]])
    assert re.search(r'<p><span data-text="recipe.split" .*?>; <.*?data-text="training.made"', held)
