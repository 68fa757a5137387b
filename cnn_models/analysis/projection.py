"""Projections of a network's features of test images to two dimensions, by `python -m training.projection`.

The features are those of `Network.features`. PCA keeps 32 components: the first two are a map, all of them are near
enough to the features to find the nearest test images. t-SNE (van der Maaten and Hinton 2008) is a second map.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from cnn_models.checkpoints.folder import CheckpointError, check_shapes, feature_count, is_finite, write_file
from cnn_models.errors import TranslatableError
from cnn_models.specs import Card

FOLDER = "projections"  # in the folder with the checkpoints
IMAGES = slice(0, None, 5)  # of the test set, as the first half of MNIST's is easier than the second
COUNT = len(range(10_000)[IMAGES])
COMPONENTS = 32  # principal components
NEIGHBOURS = 5
LIMIT = 2**20  # bytes of the file
SPACES = ("features", "pca", "tsne")


class Projection(NamedTuple):
    """The projections of the features N x F of the test images `IMAGES`, and how far apart the classes are.

    `mean` F and `components` C x F are of the PCA, `places` N x C the images in these components, `tsne` N x 2 those by
    t-SNE. `variance` C is the share of each component. `agreement` is the share of the five nearest images by all
    features that are among the five nearest by the components. `scores` 3 x 2 are, for SPACES, the `neighbour_accuracy`
    in percent and the silhouette coefficient (Rousseeuw 1987), from -1 to 1.
    """

    mean: Tensor
    components: Tensor
    places: Tensor
    tsne: Tensor
    variance: Tensor
    agreement: Tensor
    scores: Tensor

    def place(self, features: Tensor) -> Tensor:
        """The places N x C of features N x F in the principal components."""
        return (features - self.mean) @ self.components.T

    def nearest(self, features: Tensor) -> Nearest:
        """The test images nearest to the features F of an image, and the places of it on both maps."""
        place = self.place(features[None])
        distances, indices = (self.places - place).norm(dim=1).topk(NEIGHBOURS, largest=False)
        weights = 1 / distances.clamp(min=1e-6)
        tsne = (weights[:, None] * self.tsne[indices]).sum(0) / weights.sum()
        return Nearest(indices.tolist(), place[0, :2], tsne)


class Nearest(NamedTuple):
    """The indices of the nearest test images among `IMAGES`, nearest first, and the places of an image, 2 each.

    That by PCA is exact. t-SNE places no new images; `tsne` is the mean of the nearest, weighted by 1 / distance.
    """

    indices: list[int]
    pca: Tensor
    tsne: Tensor


def neighbours(vectors: Tensor) -> Tensor:
    """The indices N x 5 of the Euclidean nearest others of each of N vectors, nearest first."""
    distances = torch.cdist(vectors, vectors)
    return distances.fill_diagonal_(torch.inf).topk(NEIGHBOURS, largest=False).indices


def neighbour_accuracy(vectors: Tensor, labels: Tensor) -> float:
    """The accuracy, in percent, of the most frequent label among the five nearest others of each of N vectors.

    Of labels that are as frequent, it is that of the nearest image.
    """
    weights = 1 + 2.0 ** -torch.arange(1, NEIGHBOURS + 1) / 100  # the nearest has more than all others together
    votes = (F.one_hot(labels[neighbours(vectors)]) * weights[:, None]).sum(1)
    return 100 * (votes.argmax(1) == labels).double().mean().item()


def path_of(weights: Path, id: str) -> Path:
    """The file of a checkpoint's projection below a folder with checkpoints."""
    return weights / FOLDER / f"{id}.safetensors"


def write_projection(weights: Path, card: Card, found: Projection) -> None:
    """Write the file of a checkpoint, atomically, most of it in float16. Raises CheckpointError."""
    halves = ("components", "places", "tsne")
    tensors = {name: each.half() if name in halves else each.float() for name, each in found._asdict().items()}
    tensors = {name: each.contiguous() for name, each in tensors.items()}
    write_file(path_of(weights, card.id), save(tensors, {"weights_sha256": card.weights_sha256}))


def read_projection(weights: Path, card: Card) -> Projection | None:
    """The projection of a checkpoint; None where there is none of its weights.

    Raises CheckpointError for a damaged file.
    """
    path = path_of(weights, card.id)
    if not path.exists():
        return None
    try:
        if path.stat().st_size > LIMIT:
            raise TranslatableError("checkpoint.large")
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("weights_sha256") != card.weights_sha256:
                return None
            check_shapes(file, _shapes(card.architecture))
            found = Projection(**{name: file.get_tensor(name).float() for name in Projection._fields})
        _check(found)
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise CheckpointError("projection.damaged", path=path, id=card.id, why=error) from error
    return found


def _shapes(architecture: str) -> dict[str, tuple[int, ...]]:
    features = feature_count(architecture)
    return {
        "mean": (features,),
        "components": (COMPONENTS, features),
        "places": (COUNT, COMPONENTS),
        "tsne": (COUNT, 2),
        "variance": (COMPONENTS,),
        "agreement": (1,),
        "scores": (len(SPACES), 2),
    }


def _check(found: Projection) -> None:
    """Raise TranslatableError unless the values are possible."""
    if not all(map(is_finite, found)):
        raise TranslatableError("checkpoint.infinite")
    shares = torch.cat([found.variance, found.agreement, found.scores[:, 0] / 100, found.scores[:, 1].abs()])
    if shares.amin() < 0 or shares.amax() > 1 or found.variance.sum() > 1.001:
        raise TranslatableError("projection.impossible")
