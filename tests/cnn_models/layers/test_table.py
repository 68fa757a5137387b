"""The formulas of each layer, the stages that align networks, and the table as Markdown and CSV."""

import csv
import io
import re

import pytest

from cnn_models import ARCHITECTURES
from cnn_models.layers import architecture_layers
from cnn_models.layers.__main__ import main
from cnn_models.layers.formulas import formulas
from cnn_models.layers.table import COLUMNS, column, markdown, stage, stages
from tests.cnn_models.layers.test_trace import every_network


def value(text: str) -> int:
    """What one side of a formula comes to."""
    text = re.sub(r"⌊(.*) / (\d+)⌋", r"((\1) // \2)", text)
    return eval(text.replace("·", "*").replace("−", "-").replace(",", ""))


def all_layers(layer):
    yield layer
    for child in layer.children:
        yield from all_layers(child)


@every_network
def test_every_formula_comes_to_the_number_of_the_layer(name, size):
    for layer in all_layers(architecture_layers(name, size)):
        found = formulas(layer)
        assert layer.children or not layer.macs or {"parameters", "macs"} <= found.keys()
        for key, text in found.items():
            left, right = text.split(" = ")
            sizes = {"output": layer.output[-1 if layer.kernel else 0], "receptive_field": layer.field.size}
            wanted = sizes[key] if key in sizes else getattr(layer, key)
            assert value(left) == value(right) == wanted, (layer, text)


def test_formulas_have_the_numbers_of_the_layer_in_them():
    first = architecture_layers("lenet5").children[0]
    assert formulas(first) == {
        "output": "⌊(28 + 2·2 − 5) / 1⌋ + 1 = 28",
        "receptive_field": "1 + (5 − 1)·1 = 5",
        "parameters": "6·(1·5·5 + 1) = 156",
        "macs": "6·28·28·1·5·5 = 117,600",
        "memory": "6·28·28·4 = 18,816",
    }


def test_networks_are_aligned_by_the_size_of_their_maps():
    found = stages([column(name) for name in ("lenet5", "alexnet", "mini_resnet")])
    assert list(found) == [56, 28, 14, 7, 4, 1]
    sides = [[sorted({layer.output[-1] for layer in layers}) for layers in row] for row in found.values()]
    assert sides[:5] == [[[], [54], []], [[28], [26], [24]], [[10, 14], [12], [12]], [[5], [5], [8]], [[], [], [4]]]
    for row, layers in enumerate(zip(*found.values(), strict=True)):
        network = architecture_layers(("lenet5", "alexnet", "mini_resnet")[row])
        assert [layer for part in layers for layer in part] == list(network.children), "none lost, in order"


@pytest.mark.parametrize(("size", "wanted"), [(96, [56, 28, 14, 7, 4, 1]), (224, [112, 56, 28, 14, 7, 1])])
def test_googlenet_has_the_stages_of_its_size(size, wanted):
    assert list(stages([column("googlenet", size)])) == wanted
    assert {stage(layer) for layer in architecture_layers("googlenet", size).children} == set(wanted)


def test_csv_has_every_step_and_totals_that_are_the_sums(capsys):
    main(["lenet5", "alexnet", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(rows[0]) == COLUMNS
    for name in ("lenet5", "alexnet"):
        own = [row for row in rows if row["network"] == ARCHITECTURES[name].title]
        *steps, total = own
        assert len(steps) == len(list(architecture_layers(name).steps())) and total["stage"] == "total"
        for key in ("parameters", "MACs", "memory bytes", "milliseconds", "MACs %"):
            assert sum(float(row[key]) for row in steps) == pytest.approx(float(total[key]), rel=0.01)
    assert [row["stage"] for row in rows][:6] == ["56", "56", "28", "28", "28", "28"], "side by side"


def test_markdown_is_one_table():
    lines = markdown([column("mini_inception")]).splitlines()
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 1}
    assert lines[2].startswith("| Mini Inception | 28 | conv1 | convolution | 5×5 | 1×1 | 0×0 | 1×1 | 1×28×28 |")
    assert "| 97,298 | 100.0 | 6,019,200 | 100.0 |" in lines[-1]


def test_every_row_says_in_which_block_it_is(capsys):
    main(["lenet5", "googlenet", "--size", "224", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    for title, side in (("LeNet-5", "1×28×28"), ("GoogLeNet", "1×224×224")):  # the size is for who can take it
        own = [row for row in rows if row["network"] == title]
        assert own[0]["input"] == side
    names = [row["name"] for row in own]
    assert {"relu", "inception3a.one", "inception3a.relu", "inception5b.cat"} <= set(names)
    for block in architecture_layers("googlenet", 224).children:
        inside = [name for name in names if name.startswith(f"{block.name}.")]
        assert len(inside) == (len(list(block.steps())) if block.children else 0)


def test_a_size_that_a_network_cannot_take_ends_with_a_sentence():
    with pytest.raises(SystemExit, match="lenet5 takes images of 28 to 28 pixels a side, not 30"):
        main(["lenet5", "--size", "30"])
