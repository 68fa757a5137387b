"""Measured adversarial attacks: `adversarial.json`, by `python -m training.adversarial`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median

from cnn_models.analysis.adversarial import NORMS
from cnn_models.analysis.averaged import read_measured
from cnn_models.checkpoints.ids import BUILT_IN
from cnn_models.datasets.test_sets import COUNT
from cnn_models.images.preprocess import SIDE
from cnn_models.specs import Card

ATTACKS = "adversarial.json"
ENLARGED = 2.0  # L2 norm to which perturbations are enlarged, or shortened: the medians of the networks are below 2.3
KINDS = ("minimal", "enlarged")


@dataclass(frozen=True)
class Attacked:
    """The attacks on a network that belong to its present weights.

    `norms` are, by norm, those of the minimal perturbations of the first test images: 0 where the image is
    misclassified without any, None where none was found. `transfer` is, by kind of KINDS and id of an answering
    network, the share that this network misclassifies, of the images that both classify correctly.
    """

    card: Card
    norms: Mapping[str, list[float | None]]
    transfer: Mapping[str, Mapping[str, float]]

    @property
    def images(self) -> int:
        """The test images attacked."""
        return len(self.norms["l2"])

    @property
    def correct(self) -> int:
        """Those of them that the network classifies correctly."""
        return self.images - self.norms["l2"].count(0)

    def sizes(self, norm: str) -> list[float]:
        """The norms of the correctly classified images, sorted; infinite where none was found."""
        return sorted(math.inf if size is None else size for size in self.norms[norm] if size != 0)

    def median(self, norm: str) -> float:
        """The median norm over the correctly classified images; infinite if none was found for half of them."""
        return median(self.sizes(norm))

    def quartiles(self, norm: str) -> tuple[float, float]:
        """The norms that a fourth, and three fourths, of the correctly classified images do not exceed."""
        sizes = self.sizes(norm)
        return sizes[len(sizes) // 4], sizes[3 * len(sizes) // 4]


def read_attacks(weights: Path) -> dict[str, dict]:
    """The content of the file, by id of the attacked network; empty where there is no file.

    `weights_sha256` is the hash of the network, `norms` as in `Attacked`; `transfer` holds, by id of the answering
    network, its `weights_sha256`, the number of images that `both` classify correctly, and the numbers that it
    misclassifies of these by kind of KINDS. Raises CheckpointError for any other content.
    """
    return read_measured(
        weights / ATTACKS,
        lambda found: found.keys() <= set(BUILT_IN) and all(_is_possible(id, each) for id, each in found.items()),
        "adversarial.damaged",
    )


def attacks_of(weights: Path, cards: Collection[Card]) -> list[Attacked]:
    """The measured attacks on the networks of these cards, without those on or with other weights.

    Raises CheckpointError as `read_attacks` does.
    """
    measured, found = read_attacks(weights), []
    hashes = {card.id: card.weights_sha256 for card in cards}
    for card in cards:
        of = measured.get(card.id)
        if of and of["weights_sha256"] == card.weights_sha256 and any(of["norms"]["l2"]):
            cells = {id: cell for id, cell in of["transfer"].items() if cell["weights_sha256"] == hashes.get(id)}
            cells = {id: cell for id, cell in cells.items() if cell["both"]}
            transfer = {kind: {id: cell[kind] / cell["both"] for id, cell in cells.items()} for kind in KINDS}
            found.append(Attacked(card, of["norms"], transfer))
    return found


def _is_possible(id: str, found: dict) -> bool:
    """Whether the content for one network can have been measured. Raises TypeError and others for other fields."""
    norms, cells = found["norms"], found["transfer"]
    images = len(norms["l2"])
    return (
        isinstance(found["weights_sha256"], str)
        and norms.keys() == NORMS.keys()
        and 0 < images <= COUNT
        and all(len(sizes) == images for sizes in norms.values())
        and all(type(size) in (int, float) and 0 <= size <= SIDE for size in chain(*norms.values()) if size is not None)
        and all(id.partition(".")[2] == other.partition(".")[2] and other in BUILT_IN for other in cells)
        and all(isinstance(cell["weights_sha256"], str) for cell in cells.values())
        and all(type(cell[name]) is int for cell in cells.values() for name in ("both", *KINDS))
        and all(0 <= cell[kind] <= cell["both"] <= images for cell in cells.values() for kind in KINDS)
    )
