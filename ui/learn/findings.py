"""What each lesson found: computed from the networks, or read from cards, snapshots and measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import gradio as gr
from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.architectures import googlenet
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.layers import architecture_layers, arithmetic
from cnn_models.layers.table import shape
from ui.common.templates import render
from ui.common.texts import mark
from ui.learn.branch_sizes import branch_sizes

EVENT: dict[str, Any] = dict(
    queue=False, show_progress="hidden", trigger_mode="always_last", api_visibility="private"
)  # fmt: skip
FADED = 0.1  # of the size before training, below which the weights of a branch count as faded
Sentence = tuple[str, Mapping[str, object]]  # key of a text, and its values


def why(name: str) -> None:
    """The text of a lesson."""
    gr.HTML(mark(f"learn.{name}.why", "p class='lesson-why'"), apply_default_css=False)


def found_html(sentences: Iterable[Sentence]) -> Markup:
    """The sentences under a heading; one that nothing is measured, if there are none."""
    return render("learn/found.html", sentences=list(sentences))


def convolution() -> Markup:
    """The parameters of LeNet-5's first convolution beside those of a dense layer in its place."""
    step = next(step for step in architecture_layers("lenet5").steps() if step.kind == "convolution")
    given, output = step.inputs[0], step.output
    dense = arithmetic.parameters(math.prod(given), math.prod(output), 1)
    values = {
        "network": ARCHITECTURES["lenet5"].title,
        "parameters": f"{step.parameters:,}",
        "input": shape(given),
        "output": shape(output),
        "dense": f"{dense:,}",
        "ratio": f"{dense / step.parameters:,.0f}",
    }
    return found_html([("found.convolution", values)])


def pooling() -> Markup:
    """The values before and after each pooling layer of LeNet-5."""
    steps = [step for step in architecture_layers("lenet5").steps() if step.kind.endswith("pool")]
    counts = [f"{math.prod(step.inputs[0]):,} → {math.prod(step.output):,}" for step in steps]
    values = {"network": ARCHITECTURES["lenet5"].title, "count": len(steps), "values": "; ".join(counts)}
    return found_html([("found.pooling", values)])


def pointwise() -> Markup:
    """The MACs of GoogLeNet's large kernels with their 1×1 reductions, and without."""
    steps = {step.name: step for step in architecture_layers("googlenet").steps()}
    reduced = direct = 0
    for block in googlenet.BLOCKS:
        for kernel, branch in ((3, "three"), (5, "five")):
            first, last = (steps[f"inception{block}.{branch}{part}"] for part in ("_reduce", ""))
            reduced += first.macs + last.macs
            direct += arithmetic.multiplications(first.inputs[0][0], last.output[0], kernel, last.output[1])
    values = {
        "network": ARCHITECTURES["googlenet"].title,
        "blocks": len(googlenet.BLOCKS),
        "direct": f"{direct:,}",
        "reduced": f"{reduced:,}",
        "ratio": f"{direct / reduced:.1f}",
    }
    return found_html([("found.pointwise", values)])


def inception(hub: ModelHub) -> Markup:
    """How much of their size before training the branches of Mini Inception have after it."""
    return found_html(_branches(hub))


def _branches(hub: ModelHub) -> Iterator[Sentence]:
    cards = hub.cards()
    for dataset, spec in DATASETS.items():
        card = cards.get(f"mini_inception.{dataset}")
        try:
            history = branch_sizes(hub, card) if card else []
        except CheckpointError:
            continue
        if history:
            before, after = history[0], history[-1]
            ratios = sorted(after[name] / before[name] for name in before)
            key = "found.inception.none" if ratios[0] > FADED else "found.inception.faded"
            values = {"low": f"{ratios[0]:.2f}", "high": f"{ratios[-1]:.2f}", "dataset": spec.title}
            yield key, values | {"network": ARCHITECTURES["mini_inception"].title}


def dense(hub: ModelHub) -> Markup:
    """Parameters and test accuracies of AlexNet and GoogLeNet."""
    return found_html(_accuracies(hub))


def _accuracies(hub: ModelHub) -> Iterator[Sentence]:
    large, small = "alexnet", "googlenet"
    counts = [architecture_layers(name).parameters for name in (large, small)]
    names = {"large": ARCHITECTURES[large].title, "small": ARCHITECTURES[small].title}
    yield "found.dense", names | {"ratio": f"{counts[0] / counts[1]:.1f}"}
    cards = hub.cards()
    for dataset, spec in DATASETS.items():
        found = [cards[id].on_test_set("accuracy") for name in (large, small) if (id := f"{name}.{dataset}") in cards]
        if len(found) == 2 and None not in found:
            first, second = (f"{accuracy:.2f}" for accuracy in found)
            yield "found.dense.accuracy", names | {"dataset": spec.title, "first": first, "second": second}


COMPUTED: dict[str, Callable[[], Markup]] = {"convolution": convolution, "pooling": pooling, "pointwise": pointwise}
MEASURED: dict[str, Callable[[ModelHub], Markup]] = {"inception": inception, "dense": dense}
