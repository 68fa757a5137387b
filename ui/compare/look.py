"""What the Compare tab shows for an image: verdict, board and strip, as HTML."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.ensemble import uncalibrated
from cnn_models.analysis.ood import lookalike
from cnn_models.analysis.test_errors import Predictions, predictions_of
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import COMMIT
from cnn_models.fair_queue import Activity
from cnn_models.hub.errors import DownloadPending, MissingCheckpoint
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.decode import Decoded, ImageError
from cnn_models.images.preprocess import BlankImage, Step, decoded, steps
from cnn_models.images.worker import decode_untrusted, read_untrusted
from cnn_models.layers import architecture_layers
from cnn_models.predict import MEASURING, Comparison, Prediction, PredictionCache
from cnn_models.visitors import VISITOR, Visitor, map_in_context
from ui.common.names import architecture
from ui.common.sketchpad import image_of
from ui.common.texts import say, translate
from ui.compare.ask import Ask
from ui.compare.batches import Batches
from ui.compare.board import Column, board
from ui.compare.steps import strip
from ui.compare.verdict import sentence, verdict_html

T = TypeVar("T")


@dataclass(eq=False)
class Question:
    """An ask, the places of its networks, whose it is, and what becomes of its image."""

    ask: Ask
    columns: dict[str, Column]
    visitor: Visitor = field(default_factory=VISITOR.get)
    image: Decoded | None = None
    seen: tuple[Step, ...] = ()
    shown: dict | None = None

    @cached_property
    def ready(self) -> list[str]:
        """Who can answer."""
        return [name for name, column in self.columns.items() if not column.missing]

    @cached_property
    def small(self) -> list[str]:
        """Who of them answers quickly."""
        return [name for name in self.ready if self.columns[name].side == DATASETS[self.ask.dataset].size]

    @cached_property
    def wanted(self) -> list[str]:
        """Who answers now; the large ones first, as the small ones are being answered by the quick ask meanwhile."""
        return sorted(self.small if self.ask.quick else self.ready, key=lambda name: (name in self.small, name))

    @property
    def alike(self) -> tuple:
        """What is the same for those that the same networks answer in the same way."""
        return self.ask.dataset, *self.ask.off, *self.wanted

    @property
    def line(self) -> Visitor:
        """Where it waits: not behind the whole ask of the same session, if it is a quick one."""
        return self.visitor._replace(session=f"{self.visitor.session} {self.ask.quick}")

    @property
    def complete(self) -> bool:
        return len(self.small) == len(self.ready)

    @property
    def strip(self) -> str:
        sides: dict[int, list[str]] = {}
        for name in self.ready or self.ask.models:
            sides.setdefault(self.columns[name].side, []).append(name)
        return strip(self.ask, self.seen, sides, is_turned=bool(self.image and self.image.is_turned))


class Looker:
    """Predictions of a hub's networks, remembered, and what the page makes of them."""

    def __init__(self, hub: ModelHub, activity: Activity | None = None):
        self._hub = hub
        self._predictions = PredictionCache()
        self._batches = Batches(self._look, lambda each: each.alike, lambda each: each.line, activity)
        self.sizes = {name: architecture_layers(name).parameters for name in ARCHITECTURES}

    def look(self, sent: object) -> dict:
        """`verdict`, `board` and `steps` as HTML (None: as it was), the `order` of the networks, their `answers`.

        A quick ask is answered by the small networks alone; it is `complete` when no other could answer. Who asks
        `again` finds more, as weights are on their way.
        """
        ask = Ask.read(sent)
        question = Question(ask, self._columns(ask))
        self._decode(question)  # before it takes a turn: others do not wait for what is slow to decode
        return self._batches(question)

    def _look(self, questions: list[Question]) -> list[dict]:
        """What is shown to each; they want answers of the same networks."""
        for question in questions:
            if not question.shown:
                self._see(question)
        answered = [question for question in questions if not question.shown]
        for name in answered[0].wanted if answered else ():
            self._answer(name, answered)
        return [question.shown or self._say(question) for question in questions]

    def _decode(self, question: Question) -> None:
        """The image, or what is shown where it cannot be used; neither where there is none."""
        try:
            if (image := image_of(question.ask.image)) is not None:
                question.image = read_untrusted(image, question.ask.off)
        except ImageError as error:
            self._refuse(question, error)

    def _see(self, question: Question) -> None:
        """What the networks will see of the image, or what is shown where they will see nothing."""
        ask = question.ask
        try:
            if question.image is None:
                raise BlankImage
            question.seen = steps(question.image.luminance, DATASETS[ask.dataset], ask.off)
            if not question.ready:
                raise ImageError("image.no_networks")
        except BlankImage as error:
            text = say(ask.language, f"verdict.empty.{DATASETS[ask.dataset].kind}")
            if question.image is not None:
                text, question.seen = translate(ask.language, error), (decoded(question.image.luminance),)
            question.shown = self._shown(question, verdict_html(text), question.strip, complete=True)
        except ImageError as error:
            self._refuse(question, error)

    def _refuse(self, question: Question, error: ImageError) -> None:
        language = question.ask.language
        text = say(language, "verdict.refused", why=error) if question.ready else translate(language, error)
        question.shown = self._shown(question, verdict_html(text, "alarm"), question.strip, complete=True)

    def _answer(self, name: str, questions: list[Question]) -> None:
        """A network's answers to all of them, or why it has none, in their columns."""
        asks, grids = [each.ask for each in questions], [each.seen[-1].image for each in questions]
        try:
            answers = self._answers(asks[0].id(name), asks, grids)
        except CheckpointError as error:
            for each in questions:
                each.columns[name] = replace(each.columns[name], missing=translate(each.ask.language, error))
        else:
            for each, answer in zip(questions, answers, strict=True):
                each.columns[name] = replace(each.columns[name], answer=answer)

    def _say(self, question: Question) -> dict:
        ask, columns, complete = question.ask, question.columns, question.complete
        answers = [column.answer for column in columns.values() if column.answer]
        text = None
        if answers and (complete or not ask.quick):
            grey, form = question.image.luminance, question.seen[-1].image
            like = lookalike(self._hub, ask.dataset, grey, form, ask.off, answers)
            comparison = Comparison.of(ask.dataset, question.seen, answers, like)
            text = verdict_html(sentence(comparison, ask.language), "unusual" * comparison.verdict.unusual)
        elif not answers and complete:
            text = verdict_html(say(ask.language, "image.no_networks"), "alarm")
        if not complete:
            late = [name for name in question.ready if (name in question.small) != ask.quick]
            columns |= {name: replace(columns[name], pending=True) for name in late}
        return self._shown(question, text, question.strip if ask.quick else None, complete)

    def ready(self, ask: Ask) -> tuple[list[str], Step | None]:
        """The ids of the chosen networks that can answer, and the image's last step. Raises ImageError."""
        image = image_of(ask.image)
        columns = self._columns(ask).values() if image is not None else ()
        ids = [ask.id(column.name) for column in columns if not column.missing]
        return ids, steps(decode_untrusted(image, ask.off), DATASETS[ask.dataset], ask.off)[-1] if ids else None

    def run(self, id: str, use: Callable[[LoadedModel], T]) -> T:
        """`ModelHub.run`."""
        return self._hub.run(id, use)

    def answer(self, ask: Ask, id: str, grid: np.ndarray) -> Prediction:
        """The network's answer, which is remembered, calibrated or not. Raises CheckpointError."""
        return self._answers(id, [ask], [grid])[0]

    def _answers(self, id: str, asks: list[Ask], grids: list[np.ndarray]) -> list[Prediction]:
        answers = self.run(id, lambda loaded: self._predictions(loaded.without(asks[0].off), grids))
        return [
            answer if ask.calibrated
            else replace(answer, probabilities=uncalibrated(answer.probabilities, answer.temperature))
            for ask, answer in zip(asks, answers, strict=True)
        ]  # fmt: skip

    def test_answers(self, dataset: str) -> Predictions:
        """What the networks answered to the test images."""
        return predictions_of(self._hub, dataset)

    def _shown(self, question: Question, text: str | None, seen: str | None, complete: bool) -> dict:
        ask, columns = question.ask, question.columns
        is_whole = complete or not ask.quick
        order = list(columns)
        if ask.sort != "confidence":
            specs = {name: architecture(name) for name in order}
            order.sort(key=lambda name: specs[name].year if ask.sort == "year" else self.sizes[specs[name].name])
        elif is_whole and not ask.drawing:  # while one draws, nothing changes its place
            answers = {name: column.answer for name, column in columns.items() if column.answer}
            order.sort(key=lambda name: -max(answers[name].probabilities.values()) if name in answers else 1)
            columns = {name: replace(column, pending=False) for name, column in columns.items()}
        table = board(ask, [columns[name] for name in order], self.sizes, together_pending=not is_whole)
        labels = {name: column.answer.label for name, column in columns.items() if column.answer}
        return {
            "verdict": text, "board": table, "steps": seen, "complete": complete, "order": order, "answers": labels,
            "again": any(column.coming for column in columns.values()),
        }  # fmt: skip

    def _columns(self, ask: Ask) -> dict[str, Column]:
        """Every chosen network's place. What may have to come from the Hub comes side by side."""
        if not (self._hub.namespace or any("/" in name for name in ask.models)):
            return {name: self._column(ask, name) for name in ask.models}
        with ThreadPoolExecutor() as pool:
            return dict(zip(ask.models, map_in_context(pool, partial(self._column, ask), ask.models), strict=True))

    def _column(self, ask: Ask, name: str) -> Column:
        """The network's place; with an image to answer for, its weights are loaded too."""
        id, side, brought = ask.id(name), architecture(name).input_size, "/" in name
        if coming := self._coming(ask, name, side):  # nobody waits for what is known to be on its way
            return coming
        try:
            measured = self._hub.measure(id, MEASURING) if brought else None
            # A quick ask does not wait for the weights of large networks, but says which are there.
            if not ask.image or (ask.quick and side != DATASETS[ask.dataset].size):
                return Column(name, side=self._hub.card(id).input_size, measured=measured)
            source, side = self.run(id, lambda loaded: (_source(loaded), loaded.card.input_size))
            return Column(name, source=source, side=side, measured=measured)
        except DownloadPending:
            fetched = Column(name, missing=say(ask.language, "board.fetched"), coming=(0, 0), side=side)
            return self._coming(ask, name, side) or fetched
        except MissingCheckpoint as error:
            if self._hub.namespace or brought:
                return Column(name, missing=translate(ask.language, error), side=side)
            hint = say(ask.language, "board.trains", command=f"python -m training.train {id}")
            return Column(name, missing=hint, untrained=True, side=side)
        except CheckpointError as error:
            return Column(name, missing=translate(ask.language, error), side=side)

    def _coming(self, ask: Ask, name: str, side: int) -> Column | None:
        """The place of a network whose weights are on their way, if it is known how far they are."""
        if not (coming := self._hub.progress(ask.id(name))):
            return None
        done, total = (f"{count / 1e6:.1f}" for count in coming)
        return Column(name, missing=say(ask.language, "bring.coming", done=done, all=total), coming=coming, side=side)


def _source(loaded: LoadedModel) -> str:
    """Where the weights came from: the folder's name, or the repository and the start of its commit."""
    repository, _, commit = loaded.source.rpartition("@")
    return f"{repository}@{commit[:7]}" if COMMIT.fullmatch(commit) else f"{Path(loaded.source).parent}/"
