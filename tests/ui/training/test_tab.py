"""The Training tab's charts and tables, without a browser."""

import dataclasses
import json
import re
import shutil
from dataclasses import replace
from html import unescape

import gradio as gr
import pytest
import torch
from torch import nn

from cnn_models import ModelHub
from cnn_models.analysis.statistics import binomial_interval
from cnn_models.checkpoints.evaluation import Bin, Evaluation
from cnn_models.checkpoints.folder import CONFIG, EVALUATION
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run, find_runs
from cnn_models.specs import Split
from tests.cnn_models.checkpoints.test_runs import ROW
from tests.conftest import make_card
from training.recipes import RECIPES
from training.state import Progress, save_state
from ui.common.colours import COLOURS
from ui.common.recipe import recipe_words
from ui.training.curves import QUANTITIES, Point, View, curves, key_html, label, pareto
from ui.training.reliability import reliability_html
from ui.training.results import COSTS, final_figures, leaderboard, leaderboard_html, points
from ui.training.tab import training_tab

EPOCHS = [ROW | {"epoch": epoch, "val_accuracy": 80 + epoch, "seconds": 60} for epoch in (1, 2, 3, 4)]


def run(seed=0, gain=0.0, id="lenet5.mnist"):
    return Run(id, "best", seed, [row | {"val_accuracy": row["val_accuracy"] + gain} for row in EPOCHS])


def test_seeds_are_one_curve_with_a_band():
    figure = curves([[run(0), run(1, gain=2)]], "accuracy", View())
    band, line = figure.data[:2]
    assert list(line.y) == [82, 83, 84, 85] and list(line.x) == [1, 2, 3, 4]
    assert list(band.y) == [83, 84, 85, 86, 84, 83, 82, 81] and band.fill == "toself"


def test_reported_figures_are_lines():
    figure = curves([[run()]], "accuracy", View())
    assert [shape.y0 for shape in figure.layout.shapes] == [QUOTED["lenet5.mnist"].accuracy]
    named = [trace.hovertemplate.replace("<br>", " ") for trace in figure.data] + [final_figures([[run()]])]
    assert sum("in the course text on convolution arithmetic" in text for text in named) == 2
    assert not curves([[run()]], "loss", View()).layout.shapes
    chinese = curves([[run()]], "accuracy", View(language="zh")).data[-1].hovertemplate
    assert "课程文本" in chinese and max(map(len, chinese.removesuffix("<extra></extra>").split("<br>"))) <= 26


def test_reported_figures_are_in_sight_of_better_runs():
    better = run()
    better.history[:] = [row | {"train_accuracy": 99.5, "val_accuracy": 99.5} for row in better.history]
    low, high = curves([[better]], "accuracy", View()).layout.yaxis.range
    assert low < QUOTED["lenet5.mnist"].accuracy < 99.5 < high


def test_axes_can_be_time_and_logarithmic():
    figure = curves([[run()]], "accuracy", View(by_time=True, log=True))
    assert list(figure.data[0].x) == [1, 2, 3, 4] and list(figure.data[0].y) == [19, 18, 17, 16], "minutes, error"
    assert figure.layout.yaxis.type == "log" and "Error" in figure.layout.title.text
    assert figure.layout.xaxis.title.text == "minutes"
    assert figure.layout.shapes[0].y0 == pytest.approx(100 - QUOTED["lenet5.mnist"].accuracy)


def test_smoothing_and_language():
    figure = curves([[run()]], "accuracy", View(smoothing=0.5, language="zh"))
    assert figure.data[0].y[0] == 81 and 81 < figure.data[0].y[1] < 82
    assert figure.layout.title.text == "准确率（%）"


@pytest.mark.parametrize("quantity", ["lr", "images_per_second"])
def test_rate_and_speed_have_one_curve_a_run(quantity):
    figure = curves([[run()], [run(id="mini_resnet.mnist")]], quantity, View())
    assert [list(trace.y) for trace in figure.data] == [[ROW[quantity]] * 4] * 2


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_hovering_gives_the_values_of_every_curve(quantity):
    groups = [[run(0), run(1, gain=2)], [run(id="mini_resnet.mnist")]]
    curved = [trace for trace in curves(groups, quantity, View()).data if trace.hoverinfo != "skip"]
    reported = [trace for trace in curved if "course text" in trace.hovertemplate.replace("<br>", " ")]
    assert len(curved) - len(reported) == (4 if quantity in ("accuracy", "loss") else 2)
    for trace in curved:
        assert trace in reported or ("epoch %{x:" in trace.hovertemplate and "%{y:" in trace.hovertemplate)
    shown = pareto([Point("a", 10, 90, (89, 91))], "macs", "en").data[1].hovertemplate
    assert "%{x:,}" in shown and "%{y:.2f} % (89.00–91.00)" in shown


def test_the_line_of_the_best_leaves_out_who_is_beaten():
    found = [Point("a", 10, 90, (89, 91)), Point("b", 20, 89, (88, 90)), Point("c", 30, 95, (94, 96))]
    line = pareto(found, "parameters", "en").data[0]
    assert (list(line.x), list(line.y)) == ([10, 30], [90, 95])


def test_the_bundled_runs_have_their_figures_and_intervals():
    hub = ModelHub()
    groups = find_runs(hub.weights_dir)
    assert {"lenet5.mnist best 60", "lenet5.mnist source 5"} <= set(groups)
    html = final_figures(list(groups.values()))
    for runs in groups.values():
        for each in runs:
            accuracy = each.card.metrics.get("test_accuracy", each.history[-1]["val_accuracy"])
            low, high = binomial_interval(round(100 * accuracy), 10_000)
            assert f"{accuracy:.2f} % <small>{low:.2f}–{high:.2f}</small>" in html
            loss = each.card.metrics.get("test_loss", each.history[-1]["val_loss"])
            assert f"<td>{loss:.4f}</td>" in html
            assert f"<code>{each.command}</code>" in html
    for dataset in ("mnist", "fashion_mnist"):
        entries = leaderboard(hub, dataset)
        assert [entry.accuracy for entry in entries] == sorted((entry.accuracy for entry in entries), reverse=True)
        for entry in entries:
            row = rf"<td>{entry.parameters:,}</td>\s*<td>{entry.macs:,}</td>"
            assert re.search(row, leaderboard_html(entries))
        assert all(point.cost > 0 for cost in COSTS for point in points(entries, cost))


def test_the_command_of_a_run_writes_where_the_run_is(checkpoint, tmp_path):
    weights = tmp_path / "weights"
    checkpoint("lenet5.mnist")
    checkpoint("lenet5.mnist", weights / "runs" / "a b")
    html = final_figures(list(find_runs(weights).values()))
    command = "python -m training.train lenet5.mnist --recipe test --seed 0"
    commands = [unescape(found) for found in re.findall("<code>(.*?)</code>", html)]
    assert commands == [command, f"{command} --out 'weights/runs/a b'"]


def test_a_training_that_went_on_tells_every_leg():
    first = {"command": "python -m training.train x --epochs 3", "commit": "c" * 40, "weights_sha256": "d" * 64}
    second = {"command": "python -m training.train y", "commit": "e" * 40, "weights_sha256": "f" * 64}
    further = replace(make_card(), recipe={"name": "best", "started_from": second | {"started_from": first}})
    legs = [replace(run(), card=further, changes={"init": "weights/lenet5.mnist", "epochs": 11})]
    assert label(legs, "en") == "LeNet-5 · MNIST · best, fine-tuning, 11 epochs"
    assert "best, fine-tuning, 11 epochs · seed 0" in re.sub("<[^>]+>", "", final_figures([legs]))
    text = re.sub("<[^>]+>", "", recipe_words(further.recipe))
    legs = [
        f"{leg['command']} at commit {leg['commit'][:12]}, whose weights had the SHA-256" for leg in (first, second)
    ]
    assert f"in turn: {legs[0]} {'d' * 12}…, {legs[1]} {'f' * 12}…, and the command above." in text


def test_the_charts_follow_trainings_that_begin_and_end(checkpoint, hub):
    """As the page asks while the tab is shown, of a network that is trained, and once more."""
    with gr.Blocks() as blocks, gr.Tabs(), gr.Tab("Training") as tab:
        training_tab(hub, tab)
    (event,) = (each for each in blocks.fns.values() if "tick" in [name for _, name in each.targets])
    done, running = "lenet5.mnist test 0", "lenet5.mnist training"

    seen, cards, tables = [], {}, []

    def follow(shown, *chosen):
        """Whether to ask again, the groups to choose from, those chosen anew, and how many curves are drawn anew."""
        view, tabled = (["loss"], "epoch", False, 0, "en"), ("mnist", "macs", "en", "mnist", "mnist")
        timer, running, now, chooser, _, _, loss, *rest = event.fn(
            shown, list(seen), dict(cards), list(chosen), *view, *tabled
        )
        if shown:
            seen[:] = running
            cards.clear()
            cards.update(now)
        tables[:] = rest[-4:]
        drawn = len(json.loads(loss.value["plot"])["data"]) if isinstance(loss, gr.Plot) else None
        return timer.active, [group for _, group in chooser.get("choices", ())], chooser.get("value"), drawn

    assert follow(True) == (True, [], None, None)
    checkpoint("lenet5.mnist")
    assert follow(True, done) == (True, [done], None, 2), "its card is new"
    assert ["LeNet-5" in str(table) for table in tables] == [True] * 4
    assert follow(True, done) == (True, [done], None, None) and not any("LeNet-5" in str(table) for table in tables)
    card = hub.weights_dir / "lenet5.mnist" / CONFIG
    card.write_text(card.read_text().replace('"test_accuracy": 10.0', '"test_accuracy": 12.5'))
    assert follow(True, done)[3] == 2 and "12.50 %" in tables[0], "it was evaluated"
    state, module = hub.weights_dir / ".training" / "lenet5.mnist.safetensors", nn.Linear(1, 1)
    save_state(state, {"seed": 0}, Progress(history=[ROW]), {"model": module}, torch.optim.SGD(module.parameters()))
    assert follow(True, done) == (True, [done, running], [done, running], 4), "it begins"
    assert follow(True, done) == (True, [done, running], None, None), "it was unticked"
    assert follow(True, running)[2:] == (None, 2), "its curves grow"
    state.unlink()
    assert follow(True, running) == (True, [done], [done], 2), "it has become the checkpoint"
    assert follow(False, running) == (False, [], None, None)


def test_without_evaluations_the_leaderboard_says_what_to_do(hub):
    assert "python -m training.evaluate" in leaderboard_html(leaderboard(hub, "mnist"))


def test_a_network_has_one_colour_and_its_runs_differ_by_symbols():
    source = [replace(run(), recipe="source")]
    figure = curves([[run()], source, [run(id="mini_resnet.mnist")]], "lr", View())
    looks = [(trace.line.color, trace.mode) for trace in figure.data]
    assert looks == [
        (COLOURS["lenet5"], "lines"), (COLOURS["lenet5"], "lines+markers"), (COLOURS["mini_resnet"], "lines")
    ]  # fmt: skip
    key = key_html([[run()], source, [run(id="mini_resnet.mnist")]], "en")
    entries = re.findall(r'stroke="(#\w+)".*?</svg> (.*?)</li>', key)
    assert entries == [
        (COLOURS["lenet5"], "LeNet-5 · MNIST · under way"),
        (COLOURS["lenet5"], "● LeNet-5 · MNIST · under way"),
        (COLOURS["mini_resnet"], "Mini ResNet · MNIST · under way"),
    ]


@pytest.mark.parametrize("id", RECIPES)
def test_every_recipe_is_said_in_words(id):
    for recipe in RECIPES[id].values():
        words = re.sub("<[^>]+>", "", recipe_words(dataclasses.asdict(recipe)))
        assert f"{recipe.epochs} epochs," in words and f"{recipe.lr}" in words and "?" not in words
        assert ("horizontal flip" in words) == recipe.flip and ("rotation" in words) == bool(recipe.degrees)
        assert ("test set" in words) == (not recipe.held_out) and ("Distilled" in words) == bool(recipe.teachers)


def test_calibration_is_drawn_from_the_bins(tmp_path):
    hub = ModelHub(tmp_path)
    shutil.copytree(ModelHub().weights_dir / "lenet5.mnist", tmp_path / "lenet5.mnist")
    path = tmp_path / "lenet5.mnist" / EVALUATION
    found = Evaluation.from_json(path.read_text())
    right = sum(found.confusion[index][index] for index in range(10))
    bins = (Bin(100, 80, 90.0), *[Bin(0, 0, 0)] * 13, Bin(9_900, right - 80, 9_880.0))
    path.write_text(dataclasses.replace(found, reliability=(bins, bins)).to_json())
    html = reliability_html(hub, "mnist")
    assert html.count("90.0 % → 80.0 % (80 / 100)") == 2 and COLOURS["lenet5"] in html and "LeNet-5" in html
    path.write_text(dataclasses.replace(found, reliability=None).to_json())
    assert "LeNet-5: not evaluated, or evaluated before this diagram existed" in reliability_html(hub, "mnist")


def test_a_card_that_does_not_say_its_split_is_shown_without_one():
    html = final_figures([[replace(run(), card=make_card())]])
    assert re.search(r'<p><span data-text="training.made"', html) and "recipe.split" not in html
    held = final_figures([[replace(run(), card=replace(make_card(), split=Split(55_000, 5_000)))]])
    assert re.search(r'<p><span data-text="recipe.split" .*?>; <.*?data-text="training.made"', held)
