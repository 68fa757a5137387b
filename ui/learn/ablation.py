"""Branch ablation of real networks, on the spot: what the drawing and the test set lose; without gradio."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from cnn_models import ModelHub
from cnn_models.analysis.ablation import WHOLE_BELOW, parts, without
from cnn_models.datasets.test_sets import BATCH, COUNT, Measured, measure_part
from cnn_models.errors import TranslatableError
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.layers import architecture_layers
from cnn_models.predict import Prediction, predict
from cnn_models.runtime import is_out_of_memory
from ui.common.drawing import Drawing, drawing_of
from ui.common.numbers import percent
from ui.common.reading import known, those_known
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import mark, mark_error
from ui.learn.ablation_grid import part_mark

T = TypeVar("T")
REMEMBERED = 1000  # measurements
PART = 500  # test images for each row of a table at first, of a network that takes long for all of them
EVERY = 0.25  # seconds between two reports of a measurement that is under way
KEYS = ("switches.whole", "switches.cut")  # of the whole network, and of the one with parts off
More = Callable[[LoadedModel, Drawing, str], str]
"""HTML that belongs to a network, which may have parts off, a drawing and a class."""


class Bar(NamedTuple):
    """A share as a bar under the text of a key; `label` is the class that is predicted with it."""

    key: str
    percent: str
    bar: list[tuple[str, str]]
    label: str = ""


class Accuracies:
    """The accuracy of networks with parts off on the test images, remembered, as all visitors see the same."""

    def __init__(self):
        self._right: dict[tuple, list[int]] = {}  # of each batch of test images so far
        self._turn = threading.Lock()  # several batches at once would slow each other, and all else

    def measured(self, net: LoadedModel, off: Sequence[str], count: int = 0) -> Measured:
        """On the first `count` test images, measured if need be; for 0, on those that were measured before."""
        key = net.card.weights_sha256, tuple(sorted(off))
        if key not in self._right and len(self._right) >= REMEMBERED:
            self._right.clear()
        right = self._right.setdefault(key, [])
        while len(right) * BATCH < count:
            with self._turn:
                if len(right) * BATCH < count:  # no other thread was quicker
                    part = slice(len(right) * BATCH, (len(right) + 1) * BATCH)
                    right.append(measure_part(net.model, net.card, part).right)
        count = count or len(right) * BATCH
        return Measured(sum(right[: count // BATCH]), count)


class Ablation:
    """The networks of a page, and what visitors see of them."""

    def __init__(self, hub: ModelHub, names: Sequence[str]):
        self.hub, self.names, self.accuracies = hub, names, Accuracies()

    def load(self, name: object, value: object, dataset: object) -> tuple[LoadedModel, Drawing, Prediction]:
        """The network, the drawing and the prediction; all arguments come from the visitor. Raises TranslatableError.

        After the prediction, the network is where it fits: on the CPU, if the GPU is full.
        """
        name, drawing = known(name, self.names), drawing_of(value, dataset)
        id = f"{name}.{drawing.dataset}"
        net, whole = self.hub.run(id, lambda net: (net, predict(net, drawing.grid)))
        return net, drawing, whole

    def show(self, name: object, off: object, value: object, dataset: object, more: More) -> Iterator[tuple]:
        """HTML of the predictions for the drawing, of the accuracy (again and again), and of `more`."""
        try:
            net, drawing, whole = self.load(name, value, dataset)
            off = those_known(off, parts(net.model))
            lesser = cut(net, off)
            answers = [whole, predict(lesser, drawing.grid)] if off else [whole]
            rest = more(lesser, drawing, whole.label)
            shown = answers_html(drawing, answers)
            yield shown, accuracy_html([]), rest
            both = [(net, []), (lesser, off)] if off else [(net, [])]
            for found in _now_and_then(self._rounds(both)):
                yield shown, accuracy_html(found), rest  # all of it: no message builds on another
        except (TranslatableError, RuntimeError) as error:
            yield refusal(error), "", ""

    def _rounds(self, both: Sequence[tuple[LoadedModel, Sequence[str]]]) -> Iterator[list[Measured]]:
        """The accuracy of the networks on the same images, more and more of them, from those that were measured."""
        start = min(self.accuracies.measured(*each).count for each in both)
        for count in range(max(start, BATCH), COUNT + 1, BATCH):
            yield [self.accuracies.measured(*each, count) for each in both]

    def each_part(self, name: object, value: object, dataset: object) -> Iterator[str]:
        """HTML of a table: each part off by itself, a row more each time, then of more and more test images."""
        try:
            net, drawing, whole = self.load(name, value, dataset)
            cuts = {part: cut(net, [part]) for part in parts(net.model)}
            answers = {part: predict(lesser, drawing.grid) for part, lesser in cuts.items()}
            counts, shown = rounds(net.card.architecture), {}
            for number, count in enumerate(counts):
                rows, before = [], self.accuracies.measured(net, [], count)
                for part, lesser in cuts.items():
                    found = self.accuracies.measured(lesser, [part], count)
                    rows.append(_row(part, answers[part], whole.label, found, before))
                    if not number or len(rows) == len(cuts):  # else the last round's, of as many images each
                        shown = {"rows": rows, "count": count}
                    yield render(
                        "learn/ablation_table.html", done=number * len(cuts) + len(rows), whole=len(counts) * len(cuts),
                        **shown, all=COUNT, label=whole.label,
                    )  # fmt: skip
        except (TranslatableError, RuntimeError) as error:
            yield refusal(error)


def rounds(architecture: str) -> range:
    """The counts of test images that a table is measured on, one after the other; one if all take some seconds only."""
    step = COUNT if architecture_layers(architecture).macs < WHOLE_BELOW else PART
    return range(step, COUNT + 1, step)


def cut(net: LoadedModel, off: Sequence[str]) -> LoadedModel:
    """The network with parts off."""
    return dataclasses.replace(net, model=without(net.model, off))


def answers_html(drawing: Drawing, answers: Sequence[Prediction]) -> Markup:
    """The drawing, and how probable the whole network's prediction is for it and for the one with parts off, if any."""
    label = answers[0].label
    bars = [_bar(key, each.probabilities[label], each.label) for key, each in zip(KEYS, answers, strict=False)]
    values = {"image": png(drawing.grid), "is_drawn": drawing.drawn, "label": label, "answers": bars}
    return render("learn/ablation_answers.html", **values)


def accuracy_html(found: Sequence[Measured]) -> Markup:
    """The accuracy of the whole network and of the one with parts off, if any, and on how many images so far."""
    bars = [_bar(key, each.accuracy / 100) for key, each in zip(KEYS, found, strict=False)]
    count = found[0].count if found else 0
    return render("learn/ablation_accuracy.html", accuracies=bars, count=count, all=COUNT)


def refusal(error: Exception) -> Markup:
    """The sentence for an error of the visitor's input, or for a full GPU. Raises any other error again."""
    if isinstance(error, RuntimeError) and is_out_of_memory(error):
        return render("learn/missing.html", text=mark("switches.memory"), command="")
    if isinstance(error, TranslatableError):
        return render("learn/missing.html", text=mark_error(error), command="")
    raise error


def _now_and_then(found: Iterator[T]) -> Iterator[T]:
    """Some of them and the last."""
    last, each = time.monotonic(), None
    for each in found:
        if time.monotonic() > last + EVERY:
            last = time.monotonic()
            yield each
    yield each


def _bar(key: str, share: float, label: str = "") -> Bar:
    return Bar(key, percent(share), [(f"{100 * share:.2f}", "a")], label)


def _row(
    part: str, answer: Prediction, label: str, found: Measured, before: Measured
) -> tuple[Markup, str, str, str, str]:
    """A part that is off, how probable `label` is and what is predicted without it, the accuracy, and its change."""
    change = f"{found.accuracy - before.accuracy:+.2f}"
    return (part_mark(part), percent(answer.probabilities[label]), answer.label, f"{found.accuracy:.2f}", change)
