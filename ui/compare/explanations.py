"""Explanations of predictions, as HTML: saliency, robustness, attacks, TTA, nearest misclassified test images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.analysis.attribution import WINDOW, explain
from cnn_models.analysis.ensemble import soft_vote
from cnn_models.analysis.robustness import CORRUPTIONS, Robustness, corrupted, measure_robustness
from cnn_models.analysis.test_errors import predictions_of
from cnn_models.analysis.tta import SCALES, MultiCrop, multi_crop
from cnn_models.attack import attack
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.errors import TranslatableError
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.decode import ImageError
from cnn_models.predict import Prediction, predict
from ui.common.chart import Axis, Line, around, chart, legend
from ui.common.colours import line_styles
from ui.common.names import class_name, listing, network_name
from ui.common.templates import render
from ui.common.texts import say, translate
from ui.compare.attack import attack_html
from ui.compare.heat import overlay
from ui.compare.misclassified import misclassified_html
from ui.compare.predictor import Predictor
from ui.compare.request import Request
from ui.compare.steps import data_url

T = TypeVar("T")


class Explainer:
    """Explains the predictions of a Predictor."""

    def __init__(self, predictor: Predictor):
        self._predictor = predictor

    def prepare(self, sent: object) -> Callable[[], Markup]:
        """The function that computes the part of a request, in seconds. Weights may be downloaded before."""
        request = Request.read(sent)
        try:
            ids, step = self._predictor.available(request)
        except (ImageError, CheckpointError) as error:
            return partial(_refused, request, error)
        if not step:
            return partial(render, "compare/note.html", text=say(request.language, "steps.nothing"))
        return partial(self._explain, request, ids, step.image)

    def _explain(self, request: Request, ids: list[str], grid: np.ndarray) -> Markup:
        parts = {
            "break": self._robustness, "attack": self._attack, "alike": self._misclassified, "looks": self._tta,
        }  # fmt: skip
        try:
            return parts.get(request.part, self._saliency)(request, ids, grid)
        except (ImageError, CheckpointError) as error:
            return _refused(request, error)

    def _robustness(self, request: Request, ids: list[str], grid: np.ndarray) -> Markup:
        return robustness(
            request.language, self._each(request, ids, partial(measure_robustness, images=corrupted(grid)))
        )

    def _misclassified(self, request: Request, ids: list[str], grid: np.ndarray) -> Markup:
        labels = {id: self._predictor.answer(request, id, grid).label for id in ids}
        answers = predictions_of(self._predictor.hub, request.dataset)
        return misclassified_html(request.language, answers, labels, grid)

    def _attack(self, request: Request, ids: list[str], grid: np.ndarray) -> Markup:
        chosen = request.id(request.attacked) if request.attacked else ids[0]
        attacked = chosen if chosen in ids else ids[0]
        classes = DATASETS[request.dataset].classes
        target = classes.index(request.target) if request.target else None
        found = attack(partial(self._run, request), ids, attacked, grid, request.norm, target)
        return attack_html(request, found, grid, {request.id(name): name for name in request.models})

    def _each(self, request: Request, ids: list[str], use: Callable[[LoadedModel], T]) -> dict[str, T]:
        """`use` of each network by id; sequentially, so that one at a time has to be in memory."""
        return {id: self._run(request, id, use) for id in ids}

    def _run(self, request: Request, id: str, use: Callable[[LoadedModel], T]) -> T:
        """`use` of a network with the request's switches."""

        def used(loaded: LoadedModel) -> T:
            loaded = loaded.without(request.off)
            return use(loaded if request.calibrated else loaded.uncalibrated())

        return self._predictor.hub.run(id, used)

    def _saliency(self, request: Request, ids: list[str], grid: np.ndarray) -> Markup:
        shares = soft_vote([self._predictor.answer(request, id, grid).probabilities for id in ids])
        label = request.label or max(shares, key=shares.__getitem__)
        maps = self._each(request, ids, partial(explain, grid=grid, label=label))
        cam = max(float(each.cam.max()) for each in maps.values()) or 1.0
        lost = max(float(np.abs(each.occlusion).max()) for each in maps.values()) or 1.0
        figures = {
            network_name(id): {
                "cam": data_url(overlay(grid, each.cam / cam)),
                "occlusion": data_url(overlay(grid, each.occlusion / lost)),
            }
            for id, each in maps.items()
        }
        name, of = class_name(request.language, label), {"window": WINDOW, "cam": cam, "lost": lost}
        return render("compare/saliency.html", language=request.language, label=name, figures=figures, **of)

    def _tta(self, request: Request, ids: list[str], grid: np.ndarray) -> Markup:
        def both(loaded: LoadedModel) -> tuple[Prediction, MultiCrop]:
            return predict(loaded, grid), multi_crop(loaded, grid)  # in sequence: their times are compared

        found = self._each(request, ids, both)
        styles, rows = line_styles(found), []
        for id, (single, crops) in found.items():
            times = crops.milliseconds / single.milliseconds
            answers = [
                (title, class_name(request.language, label := max(shares, key=shares.__getitem__)), shares[label])
                for title, shares in (("why.single", single.probabilities), ("why.many", crops.probabilities))
            ]
            rows.append((network_name(id), styles[id][0], answers, f"{times:.0f}" if times >= 10 else f"{times:.1f}"))
        crops = next(crops for _, crops in found.values())
        of = {"scales": len(SCALES), "paper": crops.paper_crops, "count": crops.crops}
        return render("compare/tta.html", language=request.language, rows=rows, **of)


def _refused(request: Request, error: TranslatableError) -> Markup:
    return render("compare/note.html", text=translate(request.language, error))


def robustness(language: str, found: dict[str, dict[str, Robustness]]) -> Markup:
    """A chart for each corruption, with a line for each checkpoint id, and the network that changes first."""
    styles, figures = line_styles(found), []
    switches = [f"robustness {id}" for id in found]
    for name, corruption in CORRUPTIONS.items():
        amounts = corruption.severities
        lines = []
        for (id, of), switch in zip(found.items(), switches, strict=True):
            points = [(x, 100 * p) for x, p in zip(amounts, of[name].probabilities, strict=True)]
            lines.append(Line(network_name(id), styles[id][0], points, styles[id][1], switch=switch))
        below = _first_change(language, {network_name(id): of[name] for id, of in found.items()}, amounts)
        figures.append(chart(say(language, f"why.{name}"), below, lines, around(amounts), Axis(0, 100)))
    names = legend([(network_name(id), *style) for id, style in styles.items()], switches)
    return render("compare/robustness.html", language=language, legend=names, charts=figures)


def _first_change(language: str, found: dict[str, Robustness], amounts: Sequence[float]) -> str:
    """The sentence that names the networks whose prediction changes at the lowest severity."""
    for amount in amounts:
        if names := [title for title, each in found.items() if each.changes_at == amount]:
            key = "why.breaks" if len(names) == 1 else "why.break.many"
            return say(language, key, names=listing(language, names), amount=f"{amount:g}")
    return say(language, "why.holds")
