"""What one network says of an image, and what several say together, decided here once and worded elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from cnn_models.analysis.ensemble import entropy, soft_vote, uncalibrated
from cnn_models.datasets import DATASETS
from cnn_models.datasets.test_sets import Measured

WHY = {
    "dot": "The image may show none of the ten classes: it is a dot, not a stroke.",
    "lookalike": "The image may show none of the ten classes: it looks more like one of {title}.",
    "ood.one": "The image may show none of the ten classes: the network finds it unlike anything seen in training.",
    "ood": (
        "The image may show none of the ten classes: {unusual} of {count} networks find it unlike anything seen in "
        "training."
    ),
    "undecided": ("No class has half of the probability: the likeliest, {label}, has {probability:.1%} on average."),
}


@dataclass(frozen=True)
class Prediction:
    """What one network says of an image.

    `probabilities` are by class, in the data set's order; `margin` is the winner's logit less that of the runner-up;
    `milliseconds` are those of the forward pass alone, which the device has finished, or an image's share of them;
    `unusual` says that the image is unlike those it was trained on (never where its card has no threshold for that);
    `source` is where the network came from and, from the Hub, its commit; `measured`, of a network of others, is how
    many of the bundled test images it gets right, of as many as could be shown in a few seconds; `temperature` is
    what the logits were divided by.
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
        """The fields in JSON's types, with the entropy in bits and the probabilities without the temperature."""
        raw = uncalibrated(self.probabilities, self.temperature)
        return asdict(self) | {"entropy": entropy(self.probabilities.values()), "uncalibrated": raw}


class Reason(NamedTuple):
    """A code, and the values that a sentence about it needs."""

    code: str
    values: dict[str, object]


@dataclass(frozen=True)
class Verdict:
    """What the networks say together: the `label` with most votes, and the `votes` by class, the winner first.

    `probabilities` by class are the means of theirs (soft vote). `agreement` is `single`, `unanimous`, `majority` or
    `split`, with `votes` for the label and the `count` of networks. `doubt` is why the image is unusual, if it is:

    - `dot`: the image is a dot, not a stroke;
    - `lookalike`: it looks more like one of another `dataset`;
    - `ood`: `unusual` of `count` networks find it out of distribution, which is most of them;
    - `undecided`: no class has half of the probability; the likeliest is `label`, with `probability`.
    """

    label: str
    votes: dict[str, int]
    probabilities: dict[str, float]
    agreement: Reason
    doubt: Reason | None = None

    @classmethod
    def of(cls, answers: Sequence[Prediction], is_dot: bool = False, like: str = "") -> Verdict:
        """The verdict of at least one answer; `like` is the `ood.lookalike` of the image."""
        shares = soft_vote([answer.probabilities for answer in answers])
        counts, count = Counter(answer.label for answer in answers), len(answers)
        votes = dict(sorted(counts.items(), key=lambda vote: (-vote[1], -shares[vote[0]])))
        label, most = next(iter(votes.items()))
        if len(votes) == 1:
            code = "single" if count == 1 else "unanimous"
        else:
            code = "majority" if 2 * most > count else "split"
        likeliest = max(shares, key=shares.__getitem__)
        doubt = None
        if is_dot:
            doubt = Reason("dot", {})
        elif like:
            doubt = Reason("lookalike", {"dataset": like})
        elif is_ood(answers):
            doubt = Reason("ood", {"unusual": sum(answer.unusual for answer in answers), "count": count})
        elif shares[likeliest] < 0.5:
            doubt = Reason("undecided", {"label": likeliest, "probability": shares[likeliest]})
        return cls(label, votes, shares, Reason(code, {"votes": most, "count": count}), doubt)

    @property
    def likeliest(self) -> str:
        """The class of the greatest mean probability."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def unusual(self) -> bool:
        return self.doubt is not None

    @property
    def why(self) -> str:
        """The doubt as an English sentence; "" for none."""
        if not self.doubt:
            return ""
        code, values = self.doubt.code, dict(self.doubt.values)
        if code == "lookalike":
            values["title"] = DATASETS[str(values["dataset"])].title
        return WHY["ood.one" if code == "ood" and values["count"] == 1 else code].format(**values)

    def to_dict(self) -> dict:
        """In JSON's types, as the HTTP endpoint answers it."""
        return {name: getattr(self, name) for name in ("label", "votes", "unusual", "why", "probabilities")}


def is_ood(answers: Sequence[Prediction]) -> bool:
    """Whether most networks find the image out of distribution."""
    return 2 * sum(answer.unusual for answer in answers) > len(answers)
