"""The similarity of the layers of two networks, and linear probes after them: results of `training.similarity`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.similarity import compared_layers
from cnn_models.analysis.similarity_results import (
    TEST,
    Matrix,
    Similarities,
    architecture_of,
    closest,
    current_similarities,
    is_checkpoint,
    mean_best,
)
from cnn_models.checkpoints.folder import CheckpointError
from ui.common.modules import on_load
from ui.common.reading import fields, known
from ui.common.templates import render
from ui.common.texts import mark, mark_error
from ui.layers.probes import probes_html

BRIGHT = 0.68  # CKA from which the number in a cell has the other colour, see `similarity.css`
Sentence = tuple[str, Mapping[str, object]]  # key of a text, and its values


def similarity_component(hub: ModelHub) -> gr.HTML:
    """A fold whose content is requested when it is opened, and again when a data set or a network is chosen."""

    def similarity(sent: object) -> str:
        """HTML of the similarity of the chosen networks. Raises Refused."""
        return similarity_html(hub, fields("request", sent))

    return gr.HTML(
        render("layers/similarity_fold.html"),
        js_on_load=on_load("layers/similarity.js"),
        server_functions=[similarity],
        elem_id="similarity",
        apply_default_css=False,
    )


def similarity_html(hub: ModelHub, request: dict) -> Markup:
    """Choosers, heat maps of the chosen pair and of the yardstick, and the probes of the data set.

    `request` has the `dataset`, and `first` and `second` as keys of networks; what is missing or not measured together
    with the others is chosen here. A sentence with the command, where nothing is measured or the file is damaged.
    Raises Refused for unknown names.
    """
    try:
        measured = current_similarities(hub.weights_dir)
    except CheckpointError as error:
        return render("layers/similarity_missing.html", sentence=mark_error(error))
    by_dataset = {name: _Networks(measured[name], name) for name in DATASETS if name in measured}
    compared = {name: networks for name, networks in by_dataset.items() if networks.firsts()}
    if not compared:
        return render("layers/similarity_missing.html", sentence=mark("similarity.none"))
    dataset = _chosen("dataset", request, DATASETS, list(compared))
    found, every = compared[dataset], {key: None for networks in compared.values() for key in networks.names}
    first = _chosen("first", request, every, found.firsts())
    second = _chosen("second", request, every, found.seconds(first))
    seeds = found.yardstick((first, second))
    pairs = [(first, second), *([seeds] if seeds and seeds != (first, second) else [])]
    return render(
        "layers/similarity.html",
        datasets={name: DATASETS[name].title for name in compared},
        chosen={"dataset": dataset, "first": first, "second": second},
        firsts={key: found.title(key) for key in found.firsts()},
        seconds={key: found.option(key, first) for key in found.seconds(first)},
        sentences=list(found.sentences(first, second, seeds)),
        maps=[found.heat_map(*pair) for pair in pairs],
        no_yardstick=seeds is None,
        test=f"{TEST:,}",
        bright=BRIGHT,
        probes=probes_html(found.results.probes),
    )


def _chosen(argument: str, request: dict, every: Collection[str], possible: Sequence[str]) -> str:
    """The value of an argument, or the first possible one for what is missing or not possible. Raises Refused."""
    value = known(argument, request.get(argument), every, possible[0])
    return value if value in possible else possible[0]


class _Networks:
    """The networks of a data set by keys that are the same for all data sets: `lenet5`, `runs/best.1/lenet5`."""

    def __init__(self, results: Similarities, dataset: str):
        self.results, self.dataset = results, dataset
        order = list(ARCHITECTURES)
        names = sorted(results.weights, key=lambda name: (not is_checkpoint(name), order.index(architecture_of(name))))
        self.names = {name.removesuffix(f".{dataset}"): name for name in names}

    def cka(self, first: str, second: str) -> Matrix | None:
        return self.results.pair(self.names[first], self.names[second])

    def firsts(self) -> list[str]:
        """The checkpoints that were compared with a network."""
        return [key for key in self.names if is_checkpoint(key) and self.seconds(key)]

    def seconds(self, first: str) -> list[str]:
        """The networks that were compared with the first one, itself last."""
        keys = [key for key in self.names if self.cka(first, key)]
        return sorted(keys, key=lambda key: key == first)

    def yardstick(self, preferred: Sequence[str]) -> tuple[str, str] | None:
        """A network and another seed of it, one of the preferred networks if they have one; None without any."""
        pairs = [(key, seed) for key in self.firsts() for seed in self.seconds(key) if not is_checkpoint(seed)]
        if tuple(preferred) in pairs:
            return preferred[0], preferred[1]
        return min(pairs, key=lambda pair: pair[0] not in preferred, default=None)

    def title(self, key: str) -> str:
        """`LeNet-5`, or `LeNet-5, best.1` for another seed."""
        title, folders = ARCHITECTURES[architecture_of(key)].title, key.split("/")[1:-1]
        return ", ".join([title, *folders])

    def option(self, key: str, first: str) -> str | Sentence:
        """The text of an option of what the first network is compared with."""
        if key == first:
            return "similarity.itself", {}
        return self.title(key) if is_checkpoint(key) else ("similarity.seed", {"folder": key.split("/")[1]})

    def layers(self, key: str) -> list[str]:
        return [layer.name for layer in compared_layers(architecture_of(key))]

    def heat_map(self, first: str, second: str) -> dict[str, Any]:
        """The values of a heat map, the network with more layers down the side."""
        if len(self.layers(second)) > len(self.layers(first)):
            first, second = second, first
        rows = list(zip(self.layers(first), self.cka(first, second) or [], strict=True))
        return {"names": [self.title(first), self.title(second)], "rows": rows, "columns": self.layers(second)}

    def sentences(self, first: str, second: str, seeds: tuple[str, str] | None) -> Iterator[Sentence]:
        """What was found for the chosen pair, the yardstick and all pairs."""
        if first != second:
            yield self._closest(first, second)
        if seeds:
            same = [row[index] for index, row in enumerate(self.cka(*seeds) or [])][:-1]
            values = {"network": self.title(seeds[0]), "low": f"{min(same):.2f}", "high": f"{max(same):.2f}"}
            yield "similarity.seeds", values | {"mean": f"{self._mean(*seeds):.2f}"}
        keys = self.firsts()
        pairs = [(a, b) for index, a in enumerate(keys) for b in keys[index + 1 :] if self.cka(a, b)]
        if len(pairs) > 1:
            ordered = sorted(pairs, key=lambda pair: self._mean(*pair))
            values: dict[str, object] = {"dataset": DATASETS[self.dataset].title}
            for end, pair in (("least", ordered[0]), ("most", ordered[-1])):
                values |= {end: " – ".join(map(self.title, pair)), f"{end}_mean": f"{self._mean(*pair):.2f}"}
            yield "similarity.pairs", values

    def _closest(self, first: str, second: str) -> Sentence:
        i, j, value = closest(self.cka(first, second) or [])
        values = {"first": self.title(first), "second": self.title(second), "value": f"{value:.2f}"}
        values |= {"a": self.layers(first)[i], "b": self.layers(second)[j]}
        return "similarity.closest", values | {"mean": f"{self._mean(first, second):.2f}"}

    def _mean(self, first: str, second: str) -> float:
        return mean_best(self.cka(first, second) or [])
