"""Adversarial attacks on the networks of a data set: results of `python -m training.adversarial`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import StatisticsError, fmean
from typing import Any

import gradio as gr
from markupsafe import Markup

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.attacks import KINDS, Attacked, attacks_of
from cnn_models.analysis.statistics import rank_correlation
from cnn_models.checkpoints.folder import CheckpointError
from ui.common.chart import Line, around, chart
from ui.common.modules import on_load
from ui.common.templates import render
from ui.common.texts import attribute, mark, mark_error
from ui.training.curves import HEIGHT
from ui.training.names import colour_of, title_of

SIGNIFICANT = 0.05  # p-value below which a correlation counts
FEW = 3  # networks from which a rank correlation is computed


def attacks_section(hub: ModelHub) -> tuple:
    """The norms of minimal perturbations against the test error, and their transfer."""
    shown = gr.HTML(js_on_load=on_load("common/chart.js"), elem_id="training-attacks", apply_default_css=False)
    return [], [shown], lambda dataset: [attacks_html(hub, dataset)]


def attacks_html(hub: ModelHub, dataset: str) -> Markup:
    """The section of a data set; what is missing or damaged is named with the command that measures it."""
    cards = [card for card in hub.cards().values() if card.dataset == dataset]
    try:
        attacks, error = attacks_of(hub.weights_dir, cards), None
    except CheckpointError as damaged:
        attacks, error = [], damaged
    measured = {each.card.id for each in attacks}
    missing = [title_of(card.id) for card in cards if card.id not in measured]
    ids = [card.id for card in cards if any(card.id in each.transfer["minimal"] for each in attacks)]
    return render(
        "training/attacks.html",
        dataset=DATASETS[dataset].title,
        rows=[(title_of(each.card.id), colour_of(each.card.id), each) for each in attacks],
        error_of=_error_of,
        charts=[_chart(attacks, norm) for norm in ("l2", "linf")] if attacks else [],
        sentences=[mark(key, **values) for key, values in _sentences(attacks)],
        columns={id: title_of(id) for id in ids},
        kinds=list(KINDS),
        images=f"{attacks[0].images:,}" if attacks else "",
        missing=", ".join(missing) if attacks else "",
        refused=mark_error(error) if error else "",
    )


def _error_of(attacked: Attacked) -> float | None:
    """The test error of a network, in percent; None where it was not measured."""
    accuracy = attacked.card.on_test_set("accuracy")
    return None if accuracy is None else 100 - accuracy


def _placed(attacks: Sequence[Attacked], norm: str) -> list[tuple[Attacked, float, float]]:
    """The networks with test error and median norm, where both are known and finite."""
    placed = [(each, error, each.median(norm)) for each in attacks if (error := _error_of(each)) is not None]
    return [(each, error, size) for each, error, size in placed if math.isfinite(size)]


def _chart(attacks: Sequence[Attacked], norm: str) -> Markup:
    """The median norm of each network, between its quartiles, against its test error."""
    lines, placed = list[Line](), _placed(attacks, norm)
    for each, error, size in placed:
        title = title_of(each.card.id)
        low, high = each.quartiles(norm)
        dots = [f"{title}: {size:.3g} ({low:.3g}–{f'{high:.3g}' if math.isfinite(high) else '∞'})"]
        high = min(high, max(filter(math.isfinite, each.sizes(norm))))  # the bar ends where the finite norms do
        colour = colour_of(each.card.id)
        lines.append(Line(title, colour, [(error, size)], dots=dots, spread=[(low, high)], note=title))
    x = around([error for _, error, _ in placed], margin=0.1)
    y = around([0, *(bound for line in lines for bound in line.spread[0])])
    key = f"attacks.{norm}"
    return chart(
        mark(key), mark("attacks.error"), lines, x, y, label=attribute("aria-label", key), height=HEIGHT
    )  # fmt: skip


def _sentences(attacks: Sequence[Attacked]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whether more accurate networks are more robust here, and whether perturbations transfer."""
    for norm, name in (("l2", "L2"), ("linf", "L∞")):
        placed = _placed(attacks, norm)
        if len(placed) < FEW:
            continue
        try:
            found, chance = rank_correlation([-error for _, error, _ in placed], [size for _, _, size in placed])
        except StatisticsError:
            continue
        direction = "more" if found > 0 else "less"
        key = "unrelated" if abs(found) < 1e-9 else f"{direction}.{'clear' if chance < SIGNIFICANT else 'unclear'}"
        values = {"norm": name, "count": len(placed), "rank": f"{found:.2f}", "chance": f"{chance:.2g}"}
        yield f"attacks.{key}", values
    others = [
        [share for each in attacks for id, share in each.transfer[kind].items() if id != each.card.id] for kind in KINDS
    ]
    if all(others):
        minimal, doubled = (f"{100 * fmean(shares):.1f}" for shares in others)
        yield "attacks.transfer", {"minimal": minimal, "doubled": doubled}
