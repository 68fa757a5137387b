"""The prediction of one network, and the verdict of several, as data that the page words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from cnn_models.analysis.ensemble import entropy, soft_vote, uncalibrated
from cnn_models.datasets import DATASETS
from cnn_models.datasets.test_sets import Measured

WHY = {
    "several": "Several digits: {digits}.",
    "turned": "The image may be turned: after a clockwise turn by {degrees}°, it would be {label}.",
    "sheet": "No digit stands out: fill the frame with the paper, and write with a dark pen.",
    "ground": "The garment does not stand out from its ground: show it, or one shoe from the side, on plain ground.",
    "pair": "There is more than one thing: show one garment, or one shoe from the side, on plain ground.",
    "shoes": (
        "It may be a shoe from above, or a garment that is not spread out: show one shoe from the side, or the garment "
        "spread out, on plain ground."
    ),
    "unsure": "The prediction may be wrong, as the image is unlike all training images: draw or photograph it anew.",
    "unclear": (
        "The prediction may be wrong: show one garment, spread out and upright, or one shoe from the side, on plain "
        "ground."
    ),
    "dot": "The image may show none of the ten classes: it is a dot, not a stroke.",
    "lookalike": "The image may show none of the ten classes: it looks more like one of {title}.",
    "ood.one": "The image may show none of the ten classes: the network finds it unlike anything seen in training.",
    "ood": (
        "The image may show none of the ten classes: {unusual} of {count} networks find it unlike anything seen in "
        "training."
    ),
    "undecided": "No class has half of the probability: the likeliest, {label}, has {probability:.1%} on average.",
}


@dataclass(frozen=True)
class Prediction:
    """The prediction of one network for an image.

    `probabilities` are by class, in the data set's order; `margin` is the greatest logit minus the second;
    `milliseconds` are the image's share of the forward pass; `unusual` is whether the image is out of distribution
    (False where the card has no threshold); `source` is that of the `LoadedModel`; `measured` is the accuracy of a
    third-party checkpoint on the bundled test images, as many as a few seconds allow; `temperature` is the divisor of
    the logits.
    """

    id: str
    label: str
    probabilities: dict[str, float]
    margin: float
    milliseconds: float
    unusual: bool = False
    source: str = ""
    measured: Measured | None = None
    temperature: float = 1.0

    def to_dict(self) -> dict:
        """The fields in JSON's types, with the entropy in bits and the probabilities at temperature 1."""
        raw = uncalibrated(self.probabilities, self.temperature)
        return asdict(self) | {"entropy": entropy(self.probabilities.values()), "uncalibrated": raw}


class Reason(NamedTuple):
    """A code, and the values that its sentence needs."""

    code: str
    values: dict[str, object]


class Reading(NamedTuple):
    """One of several digits: the class with the greatest mean probability, and the means by class, the soft vote."""

    label: str
    probabilities: dict[str, float]

    @classmethod
    def of(cls, predictions: Sequence[Prediction]) -> Reading:
        """The reading of the networks' predictions for one digit."""
        shares = soft_vote([each.probabilities for each in predictions])
        return cls(max(shares, key=shares.__getitem__), shares)

    def to_dict(self) -> dict:
        return self._asdict()


@dataclass(frozen=True)
class Verdict:
    """The ensemble's prediction: the `label` with most votes, and the `votes` by class, in descending order.

    `probabilities` are by class, the soft vote. `agreement` is `single`, `unanimous`, `majority` or `split`, with
    `votes` for the label and the `count` of networks. `warning`, if any, is why it may be none of them:

    - `several`: it shows several `digits`;
    - `turned`: after a clockwise turn by `degrees`, it would be much more like the training images, as a `label`;
    - `sheet`, `ground`, `pair`: no ink, no garment, or more than one garment was found in the photograph;
    - `shoes`: it may be a shoe from above, or a garment that is not spread out;
    - `unsure`: it is so unlike the training images that the prediction may be wrong;
    - `unclear`: that, or too low a probability, of a photograph of clothing;
    - `dot`: the image is a dot, not a stroke;
    - `lookalike`: it rather belongs to another `dataset`;
    - `ood`: `unusual` of `count` networks, which are most, classify it as out of distribution;
    - `undecided`: no class has half of the probability; the likeliest is `label`, with `probability`.
    """

    label: str
    votes: dict[str, int]
    probabilities: dict[str, float]
    agreement: Reason
    warning: Reason | None = None

    @classmethod
    def of(cls, predictions: Sequence[Prediction], warning: Reason | None = None) -> Verdict:
        """The verdict of at least one prediction; `warning` is what is known of the image without the networks."""
        shares = soft_vote([each.probabilities for each in predictions])
        counts, count = Counter(each.label for each in predictions), len(predictions)
        votes = dict(sorted(counts.items(), key=lambda vote: (-vote[1], -shares[vote[0]])))
        label, most = next(iter(votes.items()))
        if len(votes) == 1:
            code = "single" if count == 1 else "unanimous"
        else:
            code = "majority" if 2 * most > count else "split"
        likeliest = max(shares, key=shares.__getitem__)
        if warning is None and is_ood(predictions):
            warning = Reason("ood", {"unusual": sum(each.unusual for each in predictions), "count": count})
        elif warning is None and shares[likeliest] < 0.5:
            warning = Reason("undecided", {"label": likeliest, "probability": shares[likeliest]})
        return cls(label, votes, shares, Reason(code, {"votes": most, "count": count}), warning)

    @property
    def likeliest(self) -> str:
        """The class of the greatest mean probability."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def unusual(self) -> bool:
        return self.warning is not None

    @property
    def why(self) -> str:
        """The warning as an English sentence; "" for none."""
        if not self.warning:
            return ""
        code, values = self.warning.code, dict(self.warning.values)
        if code == "lookalike":
            values["title"] = DATASETS[str(values["dataset"])].title
        return WHY["ood.one" if code == "ood" and values["count"] == 1 else code].format(**values)

    def to_dict(self) -> dict:
        """In JSON's types, as the HTTP endpoint returns it."""
        return {name: getattr(self, name) for name in ("label", "votes", "unusual", "why", "probabilities")}


def is_ood(predictions: Sequence[Prediction]) -> bool:
    """Whether most networks classify the image as out of distribution."""
    return 2 * sum(each.unusual for each in predictions) > len(predictions)
