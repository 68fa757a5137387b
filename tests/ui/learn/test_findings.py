"""What the lessons found, against the networks and measurements themselves."""

import re

import torch
from torch import nn

from cnn_models import DATASETS, ModelHub, create_model
from cnn_models.analysis.ablation import sizes
from cnn_models.layers import architecture_layers
from ui.learn import findings


def test_a_convolution_is_compared_with_a_dense_layer_in_its_place():
    first = next(m for m in create_model("lenet5").modules() if isinstance(m, nn.Conv2d))
    own, dense = (sum(p.numel() for p in m.parameters()) for m in (first, nn.Linear(28 * 28, 6 * 28 * 28)))
    html = findings.convolution()
    assert f"has {own:,} parameters" in html and f"{dense:,}, {dense / own:,.0f} times" in html


def test_pooling_is_counted_in_values():
    assert f"{6 * 28 * 28:,} → {6 * 14 * 14:,}; {16 * 10 * 10:,} → {16 * 5 * 5}" in findings.pooling()


def test_reductions_are_counted_as_forward_hooks_count_them():
    with torch.device("meta"):
        model, macs = create_model("googlenet"), {}

    def count(name, module, output):
        macs[name] = module.weight.numel() * output.shape[-1] * output.shape[-2]

    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and re.search(r"\.(three|five)(_reduce)?\b", name):
            module.register_forward_hook(lambda module, _, output, name=name: count(name, module, output))
    side = next(architecture_layers("googlenet").steps()).inputs[0][-1]
    model(torch.zeros(1, 1, side, side, device="meta"))
    modules = dict(model.named_modules())
    direct = sum(
        count // modules[name].in_channels * modules[name.replace(last, f"{last}_reduce")].in_channels
        for name, count in macs.items()
        if (last := re.search("three|five", name)[0]) and "_reduce" not in name
    )
    reduced = sum(macs.values())
    assert len(macs) == 9 * 4
    assert f"take {reduced:,} multiply-accumulates" in (html := findings.pointwise())
    assert f"{direct:,} without: {direct / reduced:.1f} times" in html


def test_accuracies_are_those_of_the_cards(tmp_path):
    hub = ModelHub(device="cpu")
    html = findings.dense(hub)
    for dataset in DATASETS:
        large, small = (hub.card(f"{name}.{dataset}").metrics["test_accuracy"] for name in ("alexnet", "googlenet"))
        assert f"AlexNet {large:.2f} %, GoogLeNet {small:.2f} %" in html
    assert "Test accuracy" not in findings.dense(ModelHub(tmp_path))


def test_weights_of_branches_are_compared_with_those_before_training(tmp_path):
    hub = ModelHub(device="cpu")
    tensors, model = hub.snapshots("mini_inception.mnist"), create_model("mini_inception")
    before, after = (sizes({name: each[epoch] for name, each in tensors.items()}, model) for epoch in (0, -1))
    ratios = [after[name] / before[name] for name in before]
    assert f"end at {min(ratios):.2f} to {max(ratios):.2f} times" in findings.inception(hub)
    assert "Nothing is measured" in findings.inception(ModelHub(tmp_path))
