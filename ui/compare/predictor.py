"""Predictions of the Compare tab: verdict, board and preprocessing of an image, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import islice

import numpy as np

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.disagreements import ink
from cnn_models.analysis.doubts import doubt
from cnn_models.analysis.ensemble import uncalibrated
from cnn_models.analysis.log_linear import factors_of
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.fair_queue import Activity
from cnn_models.hub.errors import DownloadPending, MissingCheckpoint
from cnn_models.images.decode import Decoded, ImageError
from cnn_models.images.preprocess import BlankImage, Preprocessed, decoded, preprocess
from cnn_models.images.segment import is_photograph
from cnn_models.images.steps import Step
from cnn_models.images.worker import read_untrusted
from cnn_models.layers import architecture_layers
from cnn_models.predict import MEASURING, Comparison, Prediction, PredictionCache
from cnn_models.visitors import VISITOR, Visitor, map_in_context
from ui.common.names import architecture
from ui.common.sketchpad import image_of
from ui.common.texts import say, translate
from ui.compare.answers import answers_html
from ui.compare.batches import Batches
from ui.compare.board import Column, board
from ui.compare.found import found_html
from ui.compare.order import BY_ANSWER, in_order
from ui.compare.request import Request
from ui.compare.steps import strip
from ui.compare.verdict import sentence, verdict_html

NOTHING = Preprocessed((), ())


@dataclass(eq=False)
class Job:
    """A request in progress: its columns by network, its image, and what was found in it once that is computed.

    `answers` are the predictions of each network: one, or one for each digit.
    `response` is set before any prediction where there is nothing to predict; `refused` is the code of the error if
    the image cannot be decoded.
    """

    request: Request
    columns: dict[str, Column]
    visitor: Visitor = field(default_factory=VISITOR.get)
    image: Decoded | None = None
    found: Preprocessed = NOTHING
    answers: dict[str, list[Prediction]] = field(default_factory=dict)
    response: dict | None = None
    refused: str = ""

    @cached_property
    def available(self) -> list[str]:
        """The networks whose weights are there."""
        return [name for name, column in self.columns.items() if not column.missing]

    @cached_property
    def small(self) -> list[str]:
        """Those of them whose input is no larger than the image."""
        return [name for name in self.available if self.columns[name].side == DATASETS[self.request.dataset].size]

    @cached_property
    def wanted(self) -> list[str]:
        """The networks to run; the large ones first, as the quick request runs the small ones meanwhile."""
        names = self.small if self.request.quick else self.available
        return sorted(names, key=lambda name: (name in self.small, name))

    @property
    def key(self) -> tuple:
        """Equal for jobs that can share a batch; photographs take longer, and do not delay drawings."""
        is_slow = self.image is not None and is_photograph(self.image.pixels)
        return is_slow, self.request.dataset, *self.request.off, *self.wanted

    @property
    def queue(self) -> Visitor:
        """The session to wait in: quick requests do not wait behind the other requests of their session."""
        return self.visitor._replace(session=f"{self.visitor.session} {self.request.quick}")

    @property
    def digit(self) -> int:
        """The index of the digit that is shown."""
        return min(self.request.digit, len(self.found.images) - 1)

    @property
    def complete(self) -> bool:
        return len(self.small) == len(self.available)

    @property
    def strip(self) -> str:
        sides: dict[int, list[str]] = {}
        for name in self.available or self.request.models:
            sides.setdefault(self.columns[name].side, []).append(name)
        return strip(self.request, self.found.steps, sides, is_turned=bool(self.image and self.image.is_turned))


class Predictor:
    """Predicts with the networks of a hub, in batches, and caches the predictions."""

    def __init__(self, hub: ModelHub, activity: Activity | None = None):
        self.hub = hub
        self._predictions = PredictionCache()
        self._batches = Batches(self._compute, lambda job: job.key, lambda job: job.queue, activity)
        self.sizes = {name: architecture_layers(name).parameters for name in ARCHITECTURES}

    def predict(self, sent: object) -> dict:
        """`verdict`, `found`, `row`, `board`, `steps` as HTML (None: unchanged); `order` and `answers` of networks.

        `probabilities`, by network and class, have four decimals; `ink` is the share of the input that is bright.
        `complete` is true if a quick request would have the same response; `again` while weights are downloading;
        `refused` is the code of the error if the image cannot be decoded.
        """
        request = Request.read(sent)
        job = Job(request, self._columns(request))
        self._decode(job)  # outside the batch, which would wait for a slow image
        return self._batches(job)

    def _compute(self, jobs: list[Job]) -> list[dict]:
        """The responses to a batch of jobs with the same key."""
        for job in jobs:
            if not job.response:
                self._preprocess(job)
        valid = [job for job in jobs if not job.response]
        for name in valid[0].wanted if valid else ():
            self._run(name, valid)
        return [job.response or self._respond(job) for job in jobs]

    def _decode(self, job: Job) -> None:
        """Set the job's image, if there is one, or the response that refuses it."""
        try:
            if (image := image_of(job.request.image)) is not None:
                job.image = _turned(read_untrusted(image, job.request.off), job.request.turn)
        except ImageError as error:
            job.refused = error.code
            self._refuse(job, error)

    def _preprocess(self, job: Job) -> None:
        """Set the job's steps, or the response where there is nothing to predict."""
        request, dataset = job.request, DATASETS[job.request.dataset]
        if job.image is None:
            return self._finish(job, say(request.language, f"verdict.empty.{dataset.kind}"))
        try:
            job.found = preprocess(job.image, dataset, request.off, request.digit)
            if not job.available:
                raise ImageError("image.no_networks")
        except BlankImage as error:
            job.found = Preprocessed((decoded(job.image),), ())
            self._finish(job, translate(request.language, error))
        except ImageError as error:
            self._refuse(job, error)

    def _refuse(self, job: Job, error: ImageError) -> None:
        language = job.request.language
        text = say(language, "verdict.refused", why=error) if job.available else translate(language, error)
        self._finish(job, text, "alarm")

    def _finish(self, job: Job, text: str, kind: str = "") -> None:
        job.response = self._response(job, verdict_html(text, kind), "", job.strip, complete=True, warned=bool(kind))

    def _run(self, name: str, jobs: list[Job]) -> None:
        """Set the column of a network in each job: its prediction, or why it has none."""
        pairs = [(job.request, grid) for job in jobs for grid in job.found.images]
        try:
            answers = iter(self._answers(pairs[0][0].id(name), *map(list, zip(*pairs, strict=True))))
        except CheckpointError as error:
            for job in jobs:
                job.columns[name] = replace(job.columns[name], missing=translate(job.request.language, error))
        else:
            for job in jobs:
                job.answers[name] = list(islice(answers, len(job.found.images)))
                job.columns[name] = replace(job.columns[name], answer=job.answers[name][job.digit])

    def _respond(self, job: Job) -> dict:
        request, columns, complete = job.request, job.columns, job.complete
        answers = [column.answer for column in columns.values() if column.answer]
        text, below, warned = None, None, None
        if job.image and answers and (complete or not request.quick):
            warning = doubt(self.hub, request.dataset, job.image, job.found, request.off, answers)
            comparison = Comparison.of(request.dataset, job.found, list(job.answers.values()), warning, job.digit)
            words = sentence(comparison, request.language, job.digit)
            text = verdict_html(words, "unusual" * comparison.verdict.unusual)
            warned = bool(comparison.verdict.warning)
            below = found_html(comparison, job.found, job.digit, request.language)
        elif not answers and complete:
            text, below, warned = verdict_html(say(request.language, "image.no_networks"), "alarm"), "", True
        if not complete:
            pending = [name for name in job.available if (name in job.small) != request.quick]
            columns |= {name: replace(columns[name], pending=True) for name in pending}
        return self._response(job, text, below, job.strip if request.quick else None, complete, warned)

    def available(self, request: Request) -> tuple[list[str], Step | None]:
        """The ids of the chosen networks whose weights are there, and the last preprocessing step; None without them.

        Raises ImageError.
        """
        if (image := image_of(request.image)) is None:
            return [], None
        if not (ids := self.ids(request)):
            return [], None
        decoded = _turned(read_untrusted(image, request.off), request.turn)
        return ids, preprocess(decoded, DATASETS[request.dataset], request.off, request.digit).steps[-1]

    def ids(self, request: Request) -> list[str]:
        """The ids of the chosen networks whose weights are there."""
        return [request.id(column.name) for column in self._columns(request).values() if not column.missing]

    def answer(self, request: Request, id: str, grid: np.ndarray) -> Prediction:
        """The prediction of a network for a 28 x 28 image, from the cache if it is there. Raises CheckpointError."""
        return self._answers(id, [request], [grid])[0]

    def _answers(self, id: str, requests: list[Request], grids: list[np.ndarray]) -> list[Prediction]:
        answers = self.hub.run(id, lambda loaded: self._predictions(loaded.without(requests[0].off), grids))
        return [
            answer if request.calibrated
            else replace(answer, probabilities=uncalibrated(answer.probabilities, answer.temperature), temperature=1.0)
            for request, answer in zip(requests, answers, strict=True)
        ]  # fmt: skip

    def _response(
        self, job: Job, text: str | None, below: str | None, strip: str | None, complete: bool, warned: bool | None
    ) -> dict:
        request, columns = job.request, job.columns
        is_whole = complete or not request.quick
        is_settled = is_whole and not request.drawing  # while the pen is down, columns keep their places
        if is_settled and request.sort in BY_ANSWER:
            columns = {name: replace(column, pending=False) for name, column in columns.items()}
        ordered = in_order(columns.values(), request.sort, self.sizes, is_settled)
        ids = map(request.id, request.models)
        factors = factors_of(self.hub, request.dataset, [*ids]) if request.log_linear else None
        answers = {name: column.answer for name, column in columns.items() if column.answer}
        return {
            "verdict": text, "found": below, "steps": strip, "complete": complete,
            "board": board(request, ordered, self.sizes, together_pending=not is_whole, factors=factors),
            "row": answers_html(request, ordered, warned),
            "answers": {name: answer.label for name, answer in answers.items()},
            "probabilities": {name: _rounded(answer.probabilities) for name, answer in answers.items()},
            "ink": round(float(ink(job.found.images[job.digit])), 4) if job.found.images else 0,
            "order": [column.name for column in ordered],
            "again": any(column.coming for column in ordered), "refused": job.refused,
        }  # fmt: skip

    def _columns(self, request: Request) -> dict[str, Column]:
        """The columns by network; those that may need the Hub are made concurrently."""
        names = request.models
        if not (self.hub.namespace or any("/" in name for name in names)):
            return {name: self._column(request, name) for name in names}
        with ThreadPoolExecutor() as pool:
            return dict(zip(names, map_in_context(pool, partial(self._column, request), names), strict=True))

    def _column(self, request: Request, name: str) -> Column:
        """A network's column; if there is an image, its weights are loaded too."""
        id, side, is_third_party = request.id(name), architecture(name).input_size, "/" in name
        if coming := self._coming(request, name, side):  # a known download is not waited for
            return coming
        try:
            measured = self.hub.measure(id, MEASURING) if is_third_party else None
            # A quick request does not wait for the weights of large networks.
            if not request.image or (request.quick and side != DATASETS[request.dataset].size):
                return Column(name, side=self.hub.card(id).input_size, measured=measured)
            source, side = self.hub.run(id, lambda loaded: (loaded.source, loaded.card.input_size))
            return Column(name, source=source, side=side, measured=measured)
        except DownloadPending:
            fetched = Column(name, missing=say(request.language, "board.fetched"), coming=(0, 0), side=side)
            return self._coming(request, name, side) or fetched
        except MissingCheckpoint as error:
            if self.hub.namespace or is_third_party:
                return Column(name, missing=translate(request.language, error), side=side)
            hint = say(request.language, "board.trains", command=f"python -m training.train {id}")
            return Column(name, missing=hint, untrained=True, side=side)
        except CheckpointError as error:
            return Column(name, missing=translate(request.language, error), side=side)

    def _coming(self, request: Request, name: str, side: int) -> Column | None:
        """The column of a network whose weights are downloading, if their progress is known."""
        if not (coming := self.hub.progress(request.id(name))):
            return None
        done, total = (f"{count / 1e6:.1f}" for count in coming)
        text = say(request.language, "bring.coming", done=done, all=total)
        return Column(name, missing=text, coming=coming, side=side)


def _rounded(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {label: round(probability, 4) for label, probability in probabilities.items()}


def _turned(image: Decoded, quarters: int) -> Decoded:
    """The image turned clockwise by so many quarters."""
    return replace(image, pixels=np.ascontiguousarray(np.rot90(image.pixels, -quarters))) if quarters else image
