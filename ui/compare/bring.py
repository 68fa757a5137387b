"""Bring your weights: a checkpoint of the Hub joins the board, measured here, for as long as the page is open."""

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
from ui.compare.ask import Ask

EXAMPLE = "someone/lenet5.mnist@revision"


def field() -> Markup:
    """The field; `bring.js` makes it work."""
    return render("compare/bring.html", most=MAX_THIRD_PARTY, example=EXAMPLE)


class Bringer:
    """What the field asks of a hub, which has the limits on size, count and time."""

    def __init__(self, hub: ModelHub):
        self._hub = hub
        self._shown: dict[str, int] = {}  # test images so far, of what is being measured

    def bring(self, sent: object) -> dict:
        """The `id` to ask for, pinned to a commit, and its `choice` as HTML; `wait`; or an `error`, a sentence."""
        ask = Ask.read(sent)

        def refuse(key: str, **filled: object) -> dict:
            return {"error": say(ask.language, key, **filled)}

        reference = _typed(sent)
        if not reference or not reference.owner:
            return refuse("bring.unknown", example=EXAMPLE)
        if reference.dataset != ask.dataset:
            kinds = {name: say(ask.language, f"dataset.{spec.kind}") for name, spec in DATASETS.items()}
            return refuse("bring.dataset", id=reference, its=kinds[reference.dataset], chosen=kinds[ask.dataset])
        if len(items(fields(sent).get("there"), [])) >= MAX_THIRD_PARTY:
            return refuse("bring.full", count=MAX_THIRD_PARTY)
        id = str(reference)
        try:
            pinned = self._hub.pin(id)
            self._hub.measure(pinned, MEASURING, lambda count: self._shown.update({id: count}))
        except DownloadPending:
            return {"wait": True}
        except CheckpointError as error:
            return refuse("bring.refused", why=error)
        finally:
            self._shown.pop(id, None)
        return {"id": pinned, "choice": choice(pinned)}

    def bringing(self, sent: object) -> dict:
        """How far what is being brought is: `done` of `all`, and as a text; empty where nobody knows."""
        ask = Ask.read(sent)
        if not (reference := _typed(sent)):
            return {}
        id = str(reference)
        if done := self._shown.get(id):
            said = say(ask.language, "bring.measuring", done=f"{done:,}", all=f"{COUNT:,}")
            return {"done": done, "all": COUNT, "text": said}
        if coming := self._hub.progress(id):
            done, total = coming
            said = say(ask.language, "bring.coming", done=f"{done / 1e6:.1f}", all=f"{total / 1e6:.1f}")
            return {"done": done, "all": total, "text": said}
        return {}


def _typed(sent: object) -> Reference | None:
    """The checkpoint that a visitor typed the id of, if it is an id."""
    with suppress(ValueError):
        return parse(text(fields(sent).get("id")).strip())
    return None


def choice(id: str) -> Markup:
    """What switches a brought network on and off, and takes it away."""
    return render("compare/brought.html", id=id, network=network_name(id), dataset=parse(id).dataset)
