"""The time machine of the Training tab: what the drawing was taken for before the training and after each epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import NamedTuple

import gradio as gr
import numpy as np

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.checkpoints.folder import CheckpointError, read_history
from cnn_models.checkpoints.snapshots import replay
from cnn_models.images.decode import PictureError
from cnn_models.specs import Card
from ui.common.chart import Axis, Line, around, chart
from ui.common.colours import COLOURS, DASH
from ui.common.drawing import SENT, Drawing, drawing_of
from ui.common.modules import on_load
from ui.common.names import class_mark
from ui.common.numbers import percent
from ui.common.strips import png
from ui.common.texts import attribute, mark, mark_error

REMEMBERED = 64  # pictures through all epochs of a network
LEAST = 0.01  # % of error: a logarithmic axis has no place for none


class Replay(NamedTuple):
    """A network's probabilities (epochs + 1 x 10) for the drawing, and its validation error after each epoch in %."""

    card: Card
    probabilities: list[list[float]]
    errors: list[float]

    @property
    def title(self) -> str:
        return ARCHITECTURES[self.card.architecture].title


def time_machine(hub: ModelHub, tab: gr.Tab) -> None:
    """The component, made anew whenever the tab is opened, as there may be another drawing by then."""

    @lru_cache(REMEMBERED)
    def replayed(id: str, snapshots_sha256: str, picture: bytes) -> Replay:
        card, history = hub.card(id), read_history(hub.folder(id))
        found = replay(hub.snapshots(id), card, np.frombuffer(picture, np.uint8).reshape(28, 28))
        return Replay(card, found.tolist(), [100 - row["val_accuracy"] for row in history])

    def show(value: object, dataset: object) -> str:
        try:
            drawing = drawing_of(value, dataset)
        except PictureError as error:
            return f"<p class='training-none'>{mark_error(error)}</p>"
        found, notes = [], []
        for card in hub.cards().values():
            if card.dataset == drawing.dataset and card.snapshots_sha256:
                try:
                    found.append(replayed(card.id, card.snapshots_sha256, drawing.grid.tobytes()))
                except CheckpointError as error:
                    notes.append(f"<p class='training-none'>{mark_error(error)}</p>")
        return page(drawing, found) + "".join(notes)

    shown = gr.HTML(
        "",
        js_on_load=on_load("training/time_machine.js"),
        elem_id="time-machine",
        apply_default_css=False,
    )
    sent = [gr.Textbox(visible=False), gr.Textbox(visible=False)]
    tab.select(
        show, sent, shown, js=SENT, queue=False, show_progress="hidden", trigger_mode="always_last",
        api_visibility="private",
    )  # fmt: skip


def page(drawing: Drawing, found: Sequence[Replay]) -> str:
    """The drawing, the slider, the answers of the networks at its epoch (the last, at first), and two charts."""
    if not found:
        command = f"python -m training.train lenet5.{drawing.dataset}"
        name = DATASETS[drawing.dataset].title
        return f"<p class='training-none'>{mark('machine.none', dataset=name)} <code>{command}</code></p>"
    classes = DATASETS[drawing.dataset].classes
    last = max(len(each.probabilities) for each in found) - 1
    label = int(np.sum([each.probabilities[-1] for each in found], axis=0).argmax())
    slider = f"<input type='range' min='0' max='{last}' value='{last}' {attribute('aria-label', 'machine.slider')}>"
    play = f"<button type='button'>{mark('machine.play')}</button>"
    when = mark("machine.epoch", "output", epoch=last, last=last)
    x = Axis(0, last, whole=True)
    chances = [_line(each, [row[label] for row in each.probabilities], 0) for each in found]
    errors = [[max(error, LEAST) for error in each.errors] for each in found]
    learnt = [_line(each, values, 1) for each, values in zip(found, errors, strict=True)]
    axis = around([error for values in errors for error in values], log=True)
    charts = chart(
        mark("machine.chance") + " " + class_mark(classes[label]), mark("training.epoch"), chances, x, Axis(0, 1), True,
        attribute("aria-label", "machine.answers", answer=classes[label]),
    ) + chart(
        mark("machine.error"), mark("training.epoch"), learnt, x, axis, True, attribute("aria-label", "machine.error")
    )  # fmt: skip
    return (
        f"<div class='machine-head'><img src='{png(drawing.grid)}' alt=''>"
        f"<p>{mark('machine.drawn' if drawing.drawn else 'machine.undrawn')}</p></div>"
        f"<div class='machine-control'>{play}{slider}{when}</div>"
        f"<div class='machine-answers'>{''.join(_answers(each, classes) for each in found)}</div>"
        f"<div class='charts-row'>{charts}</div>"
    )


def _line(each: Replay, values: Sequence[float], first: int) -> Line:
    name = each.card.architecture
    return Line(each.title, COLOURS[name], list(enumerate(values, first)), DASH[name])


def _short(probability: float) -> float:
    """A probability in few digits, enough to read the same in percent; only certainty is 1, only 0 is 0."""
    if 0 < probability < 1:
        return min(max(round(probability, 4), 1e-5), 1 - 1e-5)
    return probability


def _answers(each: Replay, classes: Sequence[str]) -> str:
    """A network's probabilities at the last epoch as bars; `data-frames` holds those of all."""
    frames = escape(json.dumps([[_short(p) for p in row] for row in each.probabilities], separators=(",", ":")))
    now = each.probabilities[-1]
    rows = "".join(
        f"<tr{' class=machine-first' * (p == max(now))}><th scope='row'>{class_mark(label)}</th>"
        f"<td><i style='--p:{p:.4f}'></i></td><td>{percent(p)}</td></tr>"
        for label, p in zip(classes, now, strict=True)
    )
    colour = COLOURS[each.card.architecture]
    return (
        f"<figure style='--network:{colour}' data-frames='{frames}'>"
        f"<figcaption><i></i>{escape(each.title)}</figcaption><table>{rows}</table></figure>"
    )
