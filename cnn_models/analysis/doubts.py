"""Why the predictions for an image may be wrong, as far as more than their probabilities shows it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cnn_models.analysis.ensemble import soft_vote
from cnn_models.analysis.neighbours import SHOES, group_share, unlikeness
from cnn_models.analysis.ood import is_dot, lookalike
from cnn_models.analysis.verdict import Prediction, Reason, is_ood
from cnn_models.datasets import DATASETS
from cnn_models.hub.model_hub import ModelHub
from cnn_models.images.decode import Decoded
from cnn_models.images.preprocess import Preprocessed

# Of the likeliest class of a photograph and those that people confuse with it. The networks were trained on product
# photographs, so they need to be surer than of those; measured on photographs of clothing.
LEAST_SHARE = 0.65


def doubt(
    hub: ModelHub,
    dataset: str,
    image: Decoded,
    found: Preprocessed,
    off: Collection[str],
    models: Sequence[Prediction],
) -> Reason | None:
    """The first reason of `Verdict` that holds for what was found in an image; None for none, and for several digits.

    `models` are the predictions for it, of at least one network. That there are several digits is left to
    `Comparison.of`, and `ood` and `undecided`, which follow from the predictions alone, to `Verdict.of`.
    """
    grid, *others = found.images
    if others:
        return None
    shares = soft_vote([each.probabilities for each in models])
    is_shoe = max(shares, key=shares.__getitem__) in SHOES  # which have no mirror symmetry
    if found.doubt and not (found.doubt == "shoes" and is_shoe):
        return Reason(found.doubt, {})
    if is_dot(grid, dataset):
        return Reason("dot", {})
    unlike = unlikeness(hub, dataset, grid, shares)
    if unlike.turn:
        return Reason("turned", unlike.turn._asdict())
    if like := lookalike(hub, dataset, image, grid, off, models):
        return Reason("lookalike", {"dataset": like})
    is_unsure = unlike.is_unsure or (found.is_photograph and group_share(shares, dataset) < LEAST_SHARE)
    if not is_unsure or is_ood(models):
        return None
    return Reason("unclear" if found.is_photograph and DATASETS[dataset].kind == "clothing" else "unsure", {})
