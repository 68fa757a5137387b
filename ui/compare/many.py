"""Several images at once: a table of the predictions for each, and what they add up to, as HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import PurePosixPath

from anyio import to_thread
from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.analysis.statistics import binomial_interval
from cnn_models.batch.files import MOST_IMAGES, Files, opened
from cnn_models.batch.labels import labels_of
from cnn_models.batch.rows import BATCH, Answer, Row, compare_images, decode_images
from cnn_models.batch.summary import VOTE, Summary
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.errors import Refused
from cnn_models.images.decode import Decoded, ImageError
from cnn_models.images.worker import read_untrusted
from cnn_models.visitors import VISITOR
from ui.common.names import network_name
from ui.common.numbers import whole_percent
from ui.common.reading import fields, flag, items, known, text, whole
from ui.common.sketchpad import uploaded
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import translate
from ui.compare.predictor import Predictor
from ui.compare.request import Request
from ui.compare.verdict import sentence
from ui.server.turns import Turns

LONGEST_NAME = 255  # characters


def many() -> Markup:
    """The fold with the chooser of files."""
    return render("compare/many.html", most=MOST_IMAGES, batch=BATCH)


class Many:
    """Compares the networks of a Predictor on a few of several images at a time, in `slow` turns."""

    def __init__(self, predictor: Predictor, slow: Turns):
        self._predictor, self._slow = predictor, slow

    async def compare_many(self, sent: object) -> dict:
        """The `table` of a few images as HTML, `done` of `count` of them with those before; or an `error` sentence.

        `sent` has the options of the tab and either `images`, a list of {file, upload}, or `zip`, an upload, and
        `start`, the index of the first image in it.
        """
        request, given = Request.read(sent), fields("request", sent)
        start = whole("start", given.get("start"), 0, MOST_IMAGES, 0)
        try:
            return await self._compare(request, given, start)
        except (CheckpointError, ImageError, Refused) as error:
            return {"error": translate(request.language, error)}

    async def _compare(self, request: Request, given: dict, start: int) -> dict:
        with ExitStack() as opening:
            source = _zip(given["zip"]) if given.get("zip") else _images(given)
            files, names, read = await to_thread.run_sync(opening.enter_context, source)
            part = names[start : start + BATCH]
            images = await to_thread.run_sync(decode_images, part, read)
            async with self._slow.turn(VISITOR.get()):
                ids, rows = await to_thread.run_sync(self._rows, request, files, images)
        table = rows_html(request, ids, rows)
        return {"table": table, "done": start + len(part), "count": len(names)}

    def _rows(
        self, request: Request, files: Files, images: dict[str, Decoded | ImageError]
    ) -> tuple[list[str], list[Row]]:
        """The ids of the networks that are there, and the rows of the images. Raises CheckpointError, ImageError."""
        if not (ids := self._predictor.ids(request)):
            raise ImageError("image.no_networks")
        labels = labels_of(files, DATASETS[request.dataset]).classes
        return ids, compare_images(images, labels, request.dataset, ids, self._predictor.hub)


Source = tuple[Files, list[str], Callable[[str], Decoded]]


@contextmanager
def _zip(upload: object) -> Iterator[Source]:
    """The files of an uploaded zip, the names of the images, and their reader. Raises TranslatableError."""
    with opened(uploaded(upload), public=True) as files:
        yield files, files.images, lambda name: read_untrusted(files.read(name))


@contextmanager
def _images(given: dict) -> Iterator[Source]:
    """The same for uploaded images, of any names. Raises TranslatableError."""
    each = [fields("images", one) for one in items("images", given.get("images"), [], most=BATCH)]
    uploads: dict[str, object] = {}
    for one in each:
        uploads[_free(_name(one), uploads)] = one.get("upload")
    names = list(uploads)
    yield Files(names, lambda name: b""), names, lambda name: read_untrusted(uploaded(uploads[name]))


def _free(name: str, taken: Collection[str]) -> str:
    """The name, with a number where it is taken: some phones give all photos the same."""
    path = PurePosixPath(name)
    numbered = (f"{path.stem} ({number}){path.suffix}" for number in range(2, len(taken) + 3))
    return next(each for each in chain([name], numbered) if each not in taken)


def _name(sent: dict) -> str:
    """The name of a file, as Unicode text."""
    return text("file", sent.get("file"), LONGEST_NAME).encode(errors="replace").decode()


def rows_html(request: Request, ids: list[str], rows: list[Row]) -> Markup:
    """A table with the label and the predictions for each image, and why they may be wrong or are missing."""
    return render(
        "compare/many_rows.html",
        networks=[(id, network_name(id)) for id in ids],
        rows=[_shown(request, row) for row in rows],
        whole_percent=whole_percent,
    )


def _shown(request: Request, row: Row) -> dict:
    """What the table shows of a row; `wrong` predictions differ from the label or, without one, from the vote."""
    answer = row.answer
    shown = {"file": row.file, "label": row.label, "answer": json.dumps(answer._asdict()), "refused": None}
    if isinstance(row.result, ImageError):
        return shown | {"refused": row.result}
    verdict, truth = row.result.verdict, row.label or answer.vote
    guesses = [(each.label, each.probabilities[each.label], each.label != truth) for each in row.result.models]
    return shown | {
        "image": png(row.result.image),
        "vote": answer.vote,
        "is_wrong": answer.vote != truth,
        "votes": verdict.votes[answer.vote],
        "guesses": guesses,
        "warning": sentence(row.result, request.language) if verdict.warning else "",
    }


def sum_up(sent: object) -> str:
    """What the `answers` of the rows in a request add up to, as HTML. Raises Refused."""
    request, given = Request.read(sent), fields("request", sent)
    answers = [_answer(request, each) for each in items("answers", given.get("answers"), [], most=MOST_IMAGES)]
    ids = list(dict.fromkeys(id for answer in answers for id in answer.predicted))
    summary = Summary(request.dataset, ids)
    summary.add(*answers)
    return summary_html(summary)


def _answer(request: Request, sent: object) -> Answer:
    given, classes = fields("answers", sent), DATASETS[request.dataset].classes
    ids = [request.id(model) for model in request.models]
    predicted = islice(fields("predicted", given.get("predicted"), {}).items(), len(ids))
    return Answer(
        known("label", given.get("label"), classes, None),
        {str(known("predicted", id, ids)): str(known("predicted", label, classes)) for id, label in predicted},
        str(known("vote", given.get("vote"), classes, classes[0])),
        flag("warned", given.get("warned"), False),
    )


def summary_html(summary: Summary) -> Markup:
    """The counts and, where there are labels, the accuracy and the confusion matrix of each network and of the vote."""
    scores = []
    for name, counts in summary.confusion.items():
        right, count = summary.right(name), summary.count(name)
        if not count:
            continue
        most = max(1, int(counts.max()))
        matrix = [(label, [(n, n / most) for n in row]) for label, row in zip(summary.classes, counts, strict=True)]
        title = None if name == VOTE else network_name(name)
        scores.append((title, right, count, 100 * right / count, binomial_interval(right, count), matrix))
    return render("compare/many_summary.html", summary=summary, scores=scores)
