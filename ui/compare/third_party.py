"""Third-party checkpoints: visitors add checkpoints of the Hub to the board while the page is open."""

from __future__ import annotations

from contextlib import suppress

from markupsafe import Markup

from cnn_models import DATASETS, ModelHub
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import Reference, parse
from cnn_models.datasets.test_sets import COUNT
from cnn_models.hub.errors import DownloadPending
from cnn_models.predict import MAX_THIRD_PARTY, MEASURING
from ui.common.names import network_name
from ui.common.reading import fields, items, text
from ui.common.templates import render
from ui.common.texts import say
from ui.compare.request import Request

EXAMPLE = "someone/lenet5.mnist@revision"


def form() -> Markup:
    """The form in which a visitor types an id."""
    return render("compare/third_party.html", most=MAX_THIRD_PARTY, example=EXAMPLE)


class ThirdParty:
    """Downloads and evaluates third-party checkpoints within the limits of a hub."""

    def __init__(self, hub: ModelHub):
        self._hub = hub
        self._evaluated: dict[str, int] = {}  # test images so far, by id under evaluation

    def add_checkpoint(self, sent: object) -> dict:
        """The `id`, pinned to a commit, and its checkbox (`choice`) as HTML; or `wait`; or an `error` sentence."""
        request = Request.read(sent)

        def refuse(key: str, **values: object) -> dict:
            return {"error": say(request.language, key, **values)}

        reference = _reference(sent)
        if not reference or not reference.owner:
            return refuse("bring.unknown", example=EXAMPLE)
        if reference.dataset != request.dataset:
            kinds = {name: say(request.language, f"dataset.{spec.kind}") for name, spec in DATASETS.items()}
            return refuse("bring.dataset", id=reference, its=kinds[reference.dataset], chosen=kinds[request.dataset])
        if len(items("there", fields("request", sent).get("there"), [])) >= MAX_THIRD_PARTY:
            return refuse("bring.full", count=MAX_THIRD_PARTY)
        id = str(reference)
        try:
            pinned = self._hub.pin(id)
            self._hub.measure(pinned, MEASURING, lambda count: self._evaluated.update({id: count}))
        except DownloadPending:
            return {"wait": True}
        except CheckpointError as error:
            return refuse("bring.refused", why=error)
        finally:
            self._evaluated.pop(id, None)
        return {"id": pinned, "choice": choice(pinned)}

    def checkpoint_progress(self, sent: object) -> dict:
        """The progress of `add_checkpoint`: `done` of `all` and a `text`; empty if it is unknown."""
        request = Request.read(sent)
        if not (reference := _reference(sent)):
            return {}
        id = str(reference)
        if done := self._evaluated.get(id):
            sentence = say(request.language, "bring.measuring", done=f"{done:,}", all=f"{COUNT:,}")
            return {"done": done, "all": COUNT, "text": sentence}
        if coming := self._hub.progress(id):
            done, total = coming
            sentence = say(request.language, "bring.coming", done=f"{done / 1e6:.1f}", all=f"{total / 1e6:.1f}")
            return {"done": done, "all": total, "text": sentence}
        return {}


def _reference(sent: object) -> Reference | None:
    """The checkpoint with the `id` that the visitor typed; None if it is not an id."""
    with suppress(ValueError):
        return parse(text("id", fields("request", sent).get("id")).strip())
    return None


def choice(id: str) -> Markup:
    """The checkbox of a third-party checkpoint, with a button that removes it."""
    return render("compare/third_party_choice.html", id=id, network=network_name(id), dataset=parse(id).dataset)
