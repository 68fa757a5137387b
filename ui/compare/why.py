"""Why the networks answer as they do, as HTML: where they looked, what breaks them, many looks, like mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from markupsafe import Markup
from PIL import Image

from cnn_models.analysis.attribution import WINDOW, explain
from cnn_models.analysis.ensemble import soft_vote
from cnn_models.analysis.robustness import CORRUPTIONS, Robustness, corrupted, measure_robustness
from cnn_models.analysis.tta import SCALES, MultiCrop, multi_crop
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.errors import TranslatableError
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.decode import ImageError
from cnn_models.predict import Prediction, predict
from ui.common.chart import Axis, Line, around, chart, legend
from ui.common.colours import line_looks
from ui.common.names import class_name, listing, network_name
from ui.common.numbers import percent
from ui.common.templates import render
from ui.common.texts import say, translate
from ui.compare.alike import closest_mistakes
from ui.compare.ask import Ask
from ui.compare.look import Looker
from ui.compare.steps import data_url

T = TypeVar("T")
SHOWN = 112  # pixels of a heat map
HOT, COLD = np.array([226, 72, 40]), np.array([40, 110, 226])


class Explainer:
    """Each part of the why over the networks of a Looker."""

    def __init__(self, looker: Looker):
        self._looker = looker

    def why(self, sent: object) -> Markup:
        """The part that is asked for, or a sentence where there is nothing to explain."""
        return self.prepare(sent)()

    def prepare(self, sent: object) -> Callable[[], Markup]:
        """What computes `why`, in seconds, once the networks are there, which may take a download."""
        ask = Ask.read(sent)
        try:
            ids, step = self._looker.ready(ask)
        except (ImageError, CheckpointError) as error:
            return partial(_refused, ask, error)
        if not ids:
            return partial(render, "compare/note.html", text=say(ask.language, "steps.nothing"))
        return partial(self._part, ask, ids, step.image)

    def _part(self, ask: Ask, ids: list[str], grid: np.ndarray) -> Markup:
        try:
            return self._why(ask, ids, grid)
        except (ImageError, CheckpointError) as error:
            return _refused(ask, error)

    def _why(self, ask: Ask, ids: list[str], grid: np.ndarray) -> Markup:
        if ask.part == "break":
            return charts(ask.language, self._each(ask, ids, partial(measure_robustness, images=corrupted(grid))))
        if ask.part == "alike":
            says = {id: self._looker.answer(ask, id, grid).label for id in ids}
            return closest_mistakes(ask.language, self._looker.test_answers(ask.dataset), says, grid)
        if ask.part == "looks":
            return self._looks(ask, ids, grid)
        return self._heat(ask, ids, grid)

    def _each(self, ask: Ask, ids: list[str], use: Callable[[LoadedModel], T]) -> dict[str, T]:
        """What is found of each network; one after another, so that no two have to be in memory."""

        def used(loaded: LoadedModel) -> T:
            loaded = loaded.without(ask.off)
            return use(loaded if ask.calibrated else loaded.uncalibrated())

        return {id: self._looker.run(id, used) for id in ids}

    def _heat(self, ask: Ask, ids: list[str], grid: np.ndarray) -> Markup:
        shares = soft_vote([self._looker.answer(ask, id, grid).probabilities for id in ids])
        label = ask.label or max(shares, key=shares.__getitem__)
        heats = self._each(ask, ids, partial(explain, grid=grid, label=label))
        cam = max(float(heat.cam.max()) for heat in heats.values()) or 1.0
        lost = max(float(np.abs(heat.occlusion).max()) for heat in heats.values()) or 1.0
        figures = {
            network_name(id): {
                "cam": data_url(overlay(grid, heat.cam / cam)),
                "occlusion": data_url(overlay(grid, heat.occlusion / lost)),
            }
            for id, heat in heats.items()
        }
        name, of = class_name(ask.language, label), {"window": WINDOW, "cam": cam, "lost": lost}
        return render("compare/heat.html", language=ask.language, label=name, figures=figures, **of)

    def _looks(self, ask: Ask, ids: list[str], grid: np.ndarray) -> Markup:
        rows, looks = [], None

        def look(loaded: LoadedModel) -> tuple[Prediction, MultiCrop]:
            return predict(loaded, grid), multi_crop(loaded, grid)  # one after the other, for their times are compared

        for id, (single, looks) in self._each(ask, ids, look).items():
            label = max(looks.probabilities, key=looks.probabilities.__getitem__)
            times = looks.milliseconds / single.milliseconds
            rows.append((
                network_name(id),
                _share(ask.language, single.label, single.probabilities),
                _share(ask.language, label, looks.probabilities),
                say(ask.language, "why.times", times=f"{times:.0f}" if times >= 10 else f"{times:.1f}"),
            ))  # fmt: skip
        of = {"scales": len(SCALES), "paper": looks.paper_crops, "count": looks.crops}
        return render("compare/looks.html", language=ask.language, rows=rows, **of)


def _refused(ask: Ask, error: TranslatableError) -> Markup:
    return render("compare/note.html", text=translate(ask.language, error))


def _share(language: str, label: str, probabilities: Mapping[str, float]) -> str:
    return f"{class_name(language, label)} {percent(probabilities[label])}\N{NO-BREAK SPACE}%"


def overlay(grid: np.ndarray, heat: np.ndarray) -> Image.Image:
    """The image, paled, under a 28 x 28 map from -1 (blue) to 1 (red)."""
    base = np.asarray(Image.fromarray(grid).resize((SHOWN, SHOWN), Image.Resampling.NEAREST), np.float32)
    large = np.asarray(Image.fromarray(heat.astype(np.float32)).resize((SHOWN, SHOWN), Image.Resampling.BILINEAR))
    colour = np.where(large[..., None] > 0, HOT, COLD)
    strength = np.clip(np.abs(large), 0, 1)[..., None] ** 0.7 * 0.85
    paled = 255 - base[..., None] * 0.55
    return Image.fromarray(np.rint(paled * (1 - strength) + colour * strength).astype(np.uint8))


def charts(language: str, broken: dict[str, dict[str, Robustness]]) -> Markup:
    """A chart for each disturbance, a line for each checkpoint id, and below it who breaks first."""
    looks = {network_name(id): look for id, look in line_looks(broken).items()}
    found = {network_name(id): each for id, each in broken.items()}
    figures = []
    for name, disturbance in CORRUPTIONS.items():
        amounts = disturbance.severities
        each = {title: of[name] for title, of in found.items()}
        lines = [
            Line(title, colour, [(x, 100 * p) for x, p in zip(amounts, each[title].probabilities, strict=True)], dash)
            for title, (colour, dash) in looks.items()
        ]
        below = _first(language, each, amounts)
        figures.append(chart(say(language, f"why.{name}"), below, lines, around(amounts), Axis(0, 100)))
    names = legend([(title, *look) for title, look in looks.items()])
    return render("compare/break.html", language=language, legend=names, charts=figures)


def _first(language: str, broken: dict[str, Robustness], amounts: Sequence[float]) -> str:
    """Who is the first to answer otherwise as the amount grows."""
    for amount in amounts:
        if names := [title for title, each in broken.items() if each.changes_at == amount]:
            key = "why.breaks" if len(names) == 1 else "why.break.many"
            return say(language, key, names=listing(language, names), amount=f"{amount:g}")
    return say(language, "why.holds")
