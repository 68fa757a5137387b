"""The comparison of LeNet-5 and AlexNet: its rows and figures."""

from cnn_models.layers import architecture_layers
from ui.layers.comparison import PAIR, ROWS, comparison


def test_every_step_of_both_networks_is_in_one_row():
    for side, name in enumerate(PAIR):
        indices = [index for row in ROWS.values() for index in row[side]]
        assert sorted(indices) == [step.index for step in architecture_layers(name).steps()]


def test_a_row_holds_steps_of_one_kind():
    kinds = {}
    for side, name in enumerate(PAIR):
        steps = list(architecture_layers(name).steps())
        for key, row in ROWS.items():
            kinds.setdefault(key, set()).update(steps[index].kind for index in row[side])
    assert kinds == {
        "conv1": {"convolution"}, "conv2": {"convolution"}, "deep": {"convolution"}, "activation": {"tanh", "ReLU"},
        "pool1": {"average pool", "max-pool"}, "pool2": {"average pool", "max-pool"},
        "pool3": {"max-pool", "adaptive average pool"}, "flatten": {"flatten"}, "dense": {"linear"},
        "dropout": {"dropout"}, "output": {"linear"},
    }  # fmt: skip


def test_the_figures_are_those_of_the_networks():
    html = comparison()
    for name in PAIR:
        network = architecture_layers(name)
        assert f"{network.parameters:,} parameters, {network.macs:,} MACs" in html
    assert "with stride 4 reduces" in html and "16 times the filters" in html and "53 times the values" in html
    assert "the same 28×28 images" in html and "mirrored, recoloured" in html
    dense = sum(step.parameters for step in architecture_layers("alexnet").steps() if step.index in ROWS["dense"][1])
    assert f"{dense:,} parameters" in html and dense == 42_999_808
