"""Predictions over the epochs: the probabilities for the drawing before training and after each epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import gradio as gr
import numpy as np
from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.checkpoints.folder import CheckpointError, read_history
from cnn_models.checkpoints.snapshots import replay
from cnn_models.images.decode import ImageError
from cnn_models.specs import Card
from ui.common.chart import Axis, Line, around, chart
from ui.common.colours import COLOURS, DASH
from ui.common.drawing import Drawing, drawing_of
from ui.common.modules import on_load
from ui.common.names import class_mark
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import attribute, mark

CACHED = 64  # replays of a network and a drawing
LEAST = 0.01  # % of error that stands for 0 on the logarithmic axis


class Replay(NamedTuple):
    """A network's probabilities (epochs + 1 x 10) for the drawing, and its validation error after each epoch in %."""

    card: Card
    probabilities: list[list[float]]
    errors: list[float]

    @property
    def title(self) -> str:
        return ARCHITECTURES[self.card.architecture].title

    @property
    def colour(self) -> str:
        return COLOURS[self.card.architecture]

    @property
    def frames(self) -> str:
        """The probabilities as JSON, rounded."""
        return json.dumps([[_short(p) for p in row] for row in self.probabilities], separators=(",", ":"))


def epochs_component(hub: ModelHub) -> tuple:
    """`page` as a component, with the drawing and its data set as controls that a script fills in."""

    @lru_cache(CACHED)
    def replayed(id: str, snapshots_sha256: str | None, image: bytes) -> Replay | None:
        if (snapshots := hub.snapshots(id)) is None:
            return None
        card, history = hub.card(id), read_history(hub.folder(id))
        found = replay(snapshots, card, np.frombuffer(image, np.uint8).reshape(28, 28))
        return Replay(card, found.tolist(), [100 - row["val_accuracy"] for row in history])

    def show(dataset: str, value: object, drawn_for: object) -> list:
        try:
            drawing = drawing_of(value if drawn_for == dataset else None, dataset)
        except ImageError as error:
            return [page(None, [], [error])]
        found, errors = [], []
        for card in hub.cards().values():
            if card.dataset == drawing.dataset:
                try:
                    found.append(replayed(card.id, card.snapshots_sha256, drawing.grid.tobytes()))
                except CheckpointError as error:
                    errors.append(error)
        return [page(drawing, [each for each in found if each], errors)]

    shown = gr.HTML(js_on_load=on_load("training/epochs.js"), elem_id="epochs", apply_default_css=False)
    return [gr.Textbox(visible=False), gr.Textbox(visible=False)], [shown], show


def page(drawing: Drawing | None, found: Sequence[Replay], errors: Sequence[Exception] = ()) -> Markup:
    """HTML of the drawing, a slider over the epochs, the probabilities at the last epoch, two charts, and errors.

    Without a drawing, only the errors.
    """
    return render(
        "training/epochs.html",
        drawing=drawing,
        dataset=drawing and DATASETS[drawing.dataset],
        image=drawing and png(drawing.grid),
        networks=found,
        last=max((len(each.probabilities) for each in found), default=1) - 1,
        charts=_charts(drawing, found) if drawing and found else (),
        errors=errors,
    )


def _charts(drawing: Drawing, found: Sequence[Replay]) -> list[Markup]:
    """Charts of the probability of the class that the ensemble predicts, and of the validation error."""
    index = int(np.sum([each.probabilities[-1] for each in found], axis=0).argmax())
    label = DATASETS[drawing.dataset].classes[index]
    x = Axis(0, max(len(each.probabilities) for each in found) - 1, whole=True)
    probabilities = [_line(each, [row[index] for row in each.probabilities], 0) for each in found]
    errors = [[max(error, LEAST) for error in each.errors] for each in found]
    error_lines = [_line(each, values, 1) for each, values in zip(found, errors, strict=True)]
    y = around([error for values in errors for error in values], log=True)
    title, answers = mark("epochs.probability") + " " + class_mark(label), {"answer": label}
    return [
        chart(title, mark("training.epoch"), probabilities, x, Axis(0, 1), True,
              attribute("aria-label", "epochs.chart", **answers)),
        chart(mark("epochs.error"), mark("training.epoch"), error_lines, x, y, True,
              attribute("aria-label", "epochs.error")),
    ]  # fmt: skip


def _line(each: Replay, values: Sequence[float], first: int) -> Line:
    return Line(each.title, each.colour, list(enumerate(values, first)), DASH[each.card.architecture])


def _short(probability: float) -> float:
    """A probability rounded so that `percent` shows the same; only 1 becomes 1, only 0 becomes 0."""
    if 0 < probability < 1:
        return min(max(round(probability, 4), 1e-5), 1 - 1e-5)
    return probability
