"""Measured adversarial attacks: the file `adversarial.json` of `python -m training.adversarial`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from statistics import median

from cnn_models.analysis.adversarial import NORMS
from cnn_models.analysis.averaged import read_measured
from cnn_models.checkpoints.ids import BUILT_IN
from cnn_models.datasets.test_sets import COUNT
from cnn_models.images.preprocess import SIDE
from cnn_models.specs import Card

ATTACKS = "adversarial.json"
KINDS = {"minimal": 1.0, "doubled": 2.0}  # by what the perturbations are multiplied before their transfer is measured
STRIDE = 6181  # of test images: any first ones are spread evenly, as near to COUNT divided by the golden ratio
EXCLUDED, CORRECT, MISCLASSIFIED = "-01"  # outcomes of an answering network, a character for each image


@dataclass(frozen=True)
class Attacked:
    """The attacks on a network that belong to its present weights, on images that all networks of its data set have.

    `norms` are, by norm, those of the minimal perturbations of the test images in `spread_order`: 0 where the image is
    misclassified without any, None where none was found. `transfer` is, by kind of KINDS and id of an answering
    network, the share that this network misclassifies, of the images that both classify correctly and for which a
    perturbation was found.
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


def spread_order(count: int) -> list[int]:
    """The indices of `count` test images, evenly over the test set; a larger count continues a smaller one."""
    return [index * STRIDE % COUNT for index in range(count)]


def read_attacks(weights: Path) -> dict[str, dict]:
    """The content of the file, by id of the attacked network; empty where there is no file.

    `weights_sha256` is the hash of the network, `norms` as in `Attacked`; `transfer` holds, by id of the answering
    network, its `weights_sha256` and by kind of KINDS what it answers to the perturbed images: EXCLUDED, where one of
    the two misclassifies the image itself or no perturbation was found, CORRECT or MISCLASSIFIED. Raises
    CheckpointError for any other content.
    """
    return read_measured(
        weights / ATTACKS,
        lambda found: found.keys() <= set(BUILT_IN) and all(_is_possible(id, each) for id, each in found.items()),
        "adversarial.damaged",
    )


def attacks_of(weights: Path, cards: Collection[Card]) -> list[Attacked]:
    """The measured attacks on the networks of these cards, without those on or with other weights.

    Networks of a data set are compared on as many images as each of them has. Raises CheckpointError as `read_attacks`
    does.
    """
    measured = read_attacks(weights)
    hashes = {card.id: card.weights_sha256 for card in cards}
    present = [card for card in cards if measured.get(card.id, {}).get("weights_sha256") == card.weights_sha256]
    found = []
    for _, group in groupby(sorted(present, key=_dataset), _dataset):
        of_dataset = list(group)
        common = min(len(measured[card.id]["norms"]["l2"]) for card in of_dataset)
        found += [_attacked(card, measured[card.id], hashes, common) for card in of_dataset]
    return [each for each in found if each.correct]


def _dataset(card: Card) -> str:
    return card.dataset


def _attacked(card: Card, entry: dict, hashes: Mapping[str, str], count: int) -> Attacked:
    """The attacks on a network for the first `count` images, with the answers of networks of these hashes by id."""
    norms = {norm: sizes[:count] for norm, sizes in entry["norms"].items()}
    transfer: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
    for id, cell in entry["transfer"].items():
        for kind, shares in transfer.items():
            outcomes = cell[kind][:count].replace(EXCLUDED, "")
            if outcomes and cell["weights_sha256"] == hashes.get(id):
                shares[id] = outcomes.count(MISCLASSIFIED) / len(outcomes)
    return Attacked(card, norms, transfer)


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
        and all(len(cell[kind]) == images for cell in cells.values() for kind in KINDS)
        and all(set(cell[kind]) <= {EXCLUDED, CORRECT, MISCLASSIFIED} for cell in cells.values() for kind in KINDS)
        and all(isinstance(cell[kind], str) for cell in cells.values() for kind in KINDS)
    )
