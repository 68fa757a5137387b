"""The map: each network's features of test images in two dimensions, and the drawing among them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import NamedTuple

import gradio as gr
import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.projection import COMPONENTS, COUNT, IMAGES, NEIGHBOURS, Nearest, Projection, read_projection
from cnn_models.analysis.test_errors import predictions_of
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.images.decode import ImageError
from cnn_models.specs import Card
from ui.common.drawing import Drawing, drawing_of
from ui.common.modules import on_load
from ui.common.reading import fields, known, whole
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import Text, mark
from ui.training.names import colour_of, title_of

METHODS = [("tsne", 2), ("pca", 1)]  # of the maps, with their indices in SPACES
SIDE = 2**16 - 1  # the greatest number of a place along a side of a map


class Mapped(NamedTuple):
    """A network's projection, where the drawing is in it, if it could be computed, and its predictions, N, if known."""

    card: Card
    projection: Projection
    drawing: Nearest | None
    predicted: np.ndarray | None

    @property
    def title(self) -> str:
        return title_of(self.card.id)

    @property
    def colour(self) -> str:
        return colour_of(self.card.id)

    @property
    def accuracies(self) -> list[float]:
        """Of the five nearest neighbours, in percent: in all features, on the map by PCA, on that by t-SNE."""
        return self.projection.scores[:, 0].tolist()

    @property
    def silhouette(self) -> float:
        """The silhouette coefficient of the classes in all features."""
        return self.projection.scores[0, 1].item()

    @property
    def data(self) -> str:
        """What `projection.js` draws, as JSON: places from 0 to 1, y downwards, those of the images in base64."""
        own = self.drawing
        pca, own_pca = places_on_map(self.projection.places[:, :2], own and own.pca)
        tsne, own_tsne = places_on_map(self.projection.tsne, own and own.tsne)
        return json.dumps({
            "places": {"pca": _packed(pca), "tsne": _packed(tsne)},
            "drawing": own and {"pca": own_pca, "tsne": own_tsne},
            "nearest": own.indices if own else [],
            "predicted": "" if self.predicted is None else _digits(self.predicted),
        })  # fmt: skip


def projection_component(hub: ModelHub) -> tuple:
    """`page` as a component, with the drawing and its data set as controls that a script fills in."""

    def show(dataset: str, value: object, drawn_for: object) -> list:
        try:
            drawing = drawing_of(value if drawn_for == dataset else None, dataset)
        except ImageError as error:
            found, missing, errors = mapped(hub, dataset, None)
            return [page(dataset, None, found, missing, [error, *errors])]
        return [page(dataset, drawing, *mapped(hub, dataset, drawing))]

    def test_image(sent: object) -> str:
        """A test image of the maps as a data URL. Raises Refused."""
        request = fields("request", sent)
        dataset = known("dataset", request.get("dataset"), DATASETS)
        images, _ = load_test_set(dataset)
        return png(images[IMAGES][whole("index", request.get("index"), 0, COUNT - 1)])

    shown = gr.HTML(
        js_on_load=on_load("training/projection.js"),
        server_functions=[test_image],
        elem_id="projection",
        apply_default_css=False,
    )
    return [gr.Textbox(visible=False), gr.Textbox(visible=False)], [shown], show


def mapped(hub: ModelHub, dataset: str, drawing: Drawing | None) -> tuple[list[Mapped], list[str], list[Exception]]:
    """The networks of a data set with a projection, the titles of those without, and the errors of damaged ones."""
    found, missing, errors = [], list[str](), list[Exception]()
    predicted = predictions_of(hub, dataset).predicted
    for id, card in hub.cards().items():
        if card.dataset != dataset:
            continue
        try:
            projection = read_projection(hub.weights_dir, card)
        except CheckpointError as error:
            errors.append(error)
            continue
        if projection is None:
            missing.append(title_of(id))
            continue
        nearest = None
        try:
            nearest = drawing and projection.nearest(_features(hub, id, drawing))
        except CheckpointError as error:
            errors.append(error)
        own = predicted.get(card.architecture)
        found.append(Mapped(card, projection, nearest, None if own is None else own[IMAGES]))
    return found, missing, errors


def _features(hub: ModelHub, id: str, drawing: Drawing) -> Tensor:
    image = torch.tensor(drawing.grid)[None]
    return hub.run(id, lambda net: net.features(image))[0]


def page(
    dataset: str,
    drawing: Drawing | None,
    found: Sequence[Mapped],
    missing: Sequence[str] = (),
    errors: Sequence[Exception] = (),
) -> Markup:
    """HTML of the maps, of the nearest test images under each, and of a table with how far apart the classes are."""
    images, labels = (each[IMAGES] for each in load_test_set(dataset))
    classes = DATASETS[dataset].classes

    def nearest(each: Mapped) -> list[tuple[str, str]]:
        """The nearest test images and their classes."""
        indices = each.drawing.indices if each.drawing else []
        return [(png(images[index]), classes[labels[index]]) for index in indices]

    cross = ""
    if drawing and any(each.drawing for each in found):
        cross = Text("projection.cross.drawn" if drawing.drawn else "projection.cross.undrawn")
    return render(
        "training/projection.html",
        dataset=DATASETS[dataset],
        count=f"{COUNT:,}",
        step=IMAGES.step,
        side=SIDE,
        labels=_digits(labels),
        networks=[(each, nearest(each)) for each in found],
        drawing=drawing,
        cross=cross,
        image=drawing and png(drawing.grid),
        finding=sentence(found),
        methods=METHODS,
        neighbours=NEIGHBOURS,
        components=COMPONENTS,
        agreement=[f"{share:.0%}" for share in sorted(each.projection.agreement.item() for each in found)],
        missing=missing,
        errors=errors,
    )


def sentence(found: Sequence[Mapped]) -> Markup:
    """Which network has the classes furthest apart, and what its maps lose; "" for fewer than two networks."""
    if len(found) < 2:
        return Markup()
    best, worst = (choose(found, key=lambda each: each.silhouette) for choose in (max, min))
    features, pca, tsne = (f"{accuracy:.2f}" for accuracy in best.accuracies)
    return mark(
        "projection.finding", best=best.title, most=f"{best.silhouette:.2f}", worst=worst.title,
        least=f"{worst.silhouette:.2f}", neighbours=NEIGHBOURS, features=features, pca=pca, tsne=tsne,
    )  # fmt: skip


def places_on_map(places: Tensor, own: Tensor | None) -> tuple[np.ndarray, list[float] | None]:
    """Places N x 2 and the drawing's own one on a map: from 0 to 1, both axes on one scale, y downwards."""
    rows = places if own is None else torch.cat([places, own[None]])
    low, high = rows.amin(0), rows.amax(0)
    unit = (rows - (low + high) / 2) / (high - low).amax().clamp(min=1e-6) + 0.5
    unit[:, 1] = 1 - unit[:, 1]
    return unit[: len(places)].numpy(), None if own is None else unit[-1].tolist()


def _packed(places: np.ndarray) -> str:
    """Places from 0 to 1 as base64 of 16-bit numbers, x and y in turn."""
    return base64.b64encode((SIDE * places).round().astype(np.uint16).tobytes()).decode()


def _digits(classes: np.ndarray) -> str:
    return "".join(map(str, classes.tolist()))
