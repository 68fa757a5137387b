"""Branch ablation: predictions and test accuracy of trained networks with some branches zeroed, as HTML. No gradio."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence

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
from ui.common.reading import all_known, known
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import mark, mark_error
from ui.learn.ablation_grid import architecture_parts, part_mark
from ui.learn.lessons import ACCENT

CACHED = 1000  # accuracies
ROUND = 500  # test images of a round, for networks that take minutes for the whole test set
INTERVAL = 0.25  # seconds between two updates while the accuracy is being measured
KEYS = ("ablation.whole", "ablation.ablated")  # the texts of the whole and of the ablated network
Extra = Callable[[LoadedModel, Drawing, str], str]
"""HTML for a network (perhaps ablated), the drawing, and the class that the whole network predicts."""


class Accuracies:
    """Test accuracies of whole and ablated networks, cached for all visitors."""

    def __init__(self):
        self._right: dict[tuple, list[int]] = {}  # correct predictions in each batch of test images so far
        self._lock = threading.Lock()  # one measurement at a time: parallel ones slow each other and everything else

    def measured(self, net: LoadedModel, off: Sequence[str], count: int = 0) -> Measured:
        """The accuracy on the first `count` test images, measured if need be; for 0, on those already measured."""
        key = net.card.weights_sha256, tuple(sorted(off))
        if key not in self._right and len(self._right) >= CACHED:
            self._right.clear()
        right = self._right.setdefault(key, [])
        while len(right) * BATCH < count:
            with self._lock:
                if len(right) * BATCH < count:  # another thread may have measured it meanwhile
                    batch = slice(len(right) * BATCH, (len(right) + 1) * BATCH)
                    right.append(measure_part(net.model, net.card, batch).right)
        count = count or len(right) * BATCH
        return Measured(sum(right[: count // BATCH]), count)


class Ablation:
    """Branch ablation of some architectures; the arguments of its methods come from the visitor."""

    def __init__(self, hub: ModelHub, names: Sequence[str]):
        self.hub, self.names, self.accuracies = hub, names, Accuracies()

    def load(self, name: object, value: object, dataset: object) -> tuple[LoadedModel, Drawing, Prediction]:
        """The network, the drawing, and its prediction. Raises TranslatableError.

        Predicting first leaves the network on the device that has room for it: on the CPU, if the GPU is full.
        """
        name, drawing = known("network", name, self.names), drawing_of(value, dataset)
        net, whole = self.hub.run(f"{name}.{drawing.dataset}", lambda net: (net, predict(net, drawing.grid)))
        return net, drawing, whole

    def show(self, name: object, off: object, value: object, dataset: object, extra: Extra) -> Iterator[tuple]:
        """HTML of the predictions for the drawing, of the accuracy (on more images each time), and of `extra`."""
        try:
            off = all_known("off", off, architecture_parts(known("network", name, self.names)))
            net, drawing, whole = self.load(name, value, dataset)
            ablated = ablate(net, off)
            predictions = predictions_html(drawing, [whole, predict(ablated, drawing.grid)] if off else [whole])
            extra_html = extra(ablated, drawing, whole.label)
            yield predictions, accuracy_html([]), extra_html
            last = time.monotonic()
            for found in self._rounds([(net, []), (ablated, off)] if off else [(net, [])]):
                if time.monotonic() > last + INTERVAL or found[0].count == COUNT:
                    last = time.monotonic()
                    yield predictions, accuracy_html(found), extra_html  # all three, as gradio may skip updates
        except (TranslatableError, RuntimeError) as error:
            yield error_html(error), "", ""

    def _rounds(self, networks: Sequence[tuple[LoadedModel, Sequence[str]]]) -> Iterator[list[Measured]]:
        """The accuracies of networks on the same test images, a batch more each time, from the cached count on."""
        start = min(self.accuracies.measured(*each).count for each in networks)
        for count in range(max(start, BATCH), COUNT + 1, BATCH):
            yield [self.accuracies.measured(*each, count) for each in networks]

    def each_part(self, name: object, value: object, dataset: object) -> Iterator[str]:
        """HTML of a table with a row for each part ablated by itself, again after each row and each of the `rounds`."""
        try:
            net, drawing, whole = self.load(name, value, dataset)
            networks = {part: ablate(net, [part]) for part in parts(net.model)}
            predictions = {part: predict(ablated, drawing.grid) for part, ablated in networks.items()}
            counts, shown = rounds(net.card.architecture), {}
            for number, count in enumerate(counts):
                rows, before = [], self.accuracies.measured(net, [], count)
                for part, ablated in networks.items():
                    found = self.accuracies.measured(ablated, [part], count)
                    rows.append(_row(part, predictions[part], whole.label, found, before))
                    if not number or len(rows) == len(networks):  # else the rows of the last round, which is complete
                        shown = {"rows": rows, "count": count}
                    yield render(
                        "learn/ablation_table.html", done=number * len(networks) + len(rows),
                        whole=len(counts) * len(networks), **shown, all=COUNT, label=whole.label,
                    )  # fmt: skip
        except (TranslatableError, RuntimeError) as error:
            yield error_html(error)


def rounds(architecture: str) -> range:
    """The counts of test images that a table is measured on in turn; all of them at once for a small network."""
    step = COUNT if architecture_layers(architecture).macs < WHOLE_BELOW else ROUND
    return range(step, COUNT + 1, step)


def ablate(net: LoadedModel, off: Sequence[str]) -> LoadedModel:
    """The network with some parts ablated."""
    return dataclasses.replace(net, model=without(net.model, off))


def predictions_html(drawing: Drawing, predictions: Sequence[Prediction]) -> Markup:
    """The drawing, and the probability of the predicted class for the whole and, if given, the ablated network."""
    label = predictions[0].label
    found = zip(KEYS, predictions, strict=False)
    bars = [_bar(key, each.probabilities[label]) | {"label": each.label} for key, each in found]
    values = {"image": png(drawing.grid), "is_drawn": drawing.drawn, "label": label, "bars": bars}
    return render("learn/ablation_predictions.html", **values)


def accuracy_html(found: Sequence[Measured]) -> Markup:
    """The accuracy of the whole and, if given, the ablated network, and the number of images measured so far."""
    bars = [_bar(key, each.accuracy / 100) for key, each in zip(KEYS, found, strict=False)]
    return render("learn/ablation_accuracy.html", bars=bars, count=found[0].count if found else 0, all=COUNT)


def error_html(error: Exception) -> Markup:
    """The sentence for an error of the visitor's input, or for a full GPU. Raises any other error again."""
    if isinstance(error, RuntimeError) and is_out_of_memory(error):
        return render("learn/missing.html", text=mark("ablation.memory"), command="")
    if isinstance(error, TranslatableError):
        return render("learn/missing.html", text=mark_error(error), command="")
    raise error


def _bar(key: str, share: float) -> dict[str, object]:
    """A share as a bar under the text of a key."""
    return {"key": key, "percent": percent(share), "bar": [(f"{100 * share:.2f}", ACCENT)]}


def _row(
    part: str, answer: Prediction, label: str, found: Measured, before: Measured
) -> tuple[Markup, str, str, str, str]:
    """The ablated part, the probability of `label`, the prediction, the accuracy, and its change."""
    change = f"{found.accuracy - before.accuracy:+.2f}"
    return part_mark(part), percent(answer.probabilities[label]), answer.label, f"{found.accuracy:.2f}", change
