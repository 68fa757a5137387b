"""Projections of the features of test images to two dimensions: the work of `python -m training.projection`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models import ModelHub
from cnn_models.analysis.projection import (
    COMPONENTS,
    FOLDER,
    IMAGES,
    SPACES,
    Projection,
    neighbour_accuracy,
    neighbours,
    path_of,
    read_projection,
    write_projection,
)
from cnn_models.checkpoints.folder import CheckpointError, load_model
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.network import Network
from cnn_models.runtime import best_device, place
from cnn_models.specs import Card
from training.lock import writing
from training.state import TrainingError


def project(features: Tensor, labels: Tensor, components: int = COMPONENTS) -> Projection:
    """The projection of features N x F of images with labels N, the same for the same features.

    t-SNE (perplexity 30) begins with the first two principal components and gets all of them, as is usual.
    """
    from sklearn.decomposition import PCA  # takes seconds to import
    from sklearn.manifold import TSNE
    from sklearn.metrics import silhouette_score

    fitted = PCA(components, svd_solver="covariance_eigh").fit(features.double().numpy())
    # As they are stored, so that an image comes to the place where it is.
    stored = torch.from_numpy(fitted.components_).half().float()
    mean = torch.from_numpy(fitted.mean_).float()
    places = (features - mean) @ stored.T
    tsne = torch.from_numpy(TSNE(init="pca", perplexity=30, random_state=0).fit_transform(places.numpy()))
    tsne = tsne.half().float()  # as it is stored and drawn
    scores = [
        (neighbour_accuracy(vectors, labels), silhouette_score(vectors.numpy(), labels.numpy()))
        for vectors in (features, places[:, :2], tsne)
    ]
    agreement = common(neighbours(features), neighbours(places))
    variance = torch.from_numpy(fitted.explained_variance_ratio_)
    return Projection(mean, stored, places, tsne, variance, torch.tensor([agreement]), torch.tensor(scores))


def common(one: Tensor, other: Tensor) -> float:
    """The share of the indices in each row of N x K that the same row of another N x K has, too."""
    return (one[:, :, None] == other[:, None]).any(2).double().mean().item()


def project_all(weights: Path) -> None:
    """Write the projections of all checkpoints in a folder that have none of their weights, one after the other.

    Prints the scores of all. Exits with a sentence where that is not possible.
    """
    if not find_spec("sklearn"):
        sys.exit("error: PCA and t-SNE need a package that is not installed; run `pip install scikit-learn`")
    try:
        cards = ModelHub(weights).cards()
        if not cards:
            raise CheckpointError("checkpoint.untrained", id="lenet5.mnist", folder=weights)
        with writing(weights / FOLDER):
            (weights / FOLDER).mkdir(exist_ok=True)
            missing = [card for card in cards.values() if not _is_measured(weights, card)]
            for card in tqdm(missing, desc="projections", unit="network"):
                _project(weights, card.id)
        _print(weights, list(cards.values()))
    except (CheckpointError, TrainingError, OSError) as error:
        sys.exit(f"error: {error}")


def _is_measured(weights: Path, card: Card) -> bool:
    try:
        return read_projection(weights, card) is not None
    except CheckpointError:
        return False


def _project(weights: Path, id: str) -> None:
    model, card = load_model(weights / id)
    device = best_device()
    images, labels = load_test_set(card.dataset)
    net = Network(place(model, device), card, device)
    features = net.features(torch.tensor(images[IMAGES]))
    write_projection(weights, card, project(features, torch.tensor(labels[IMAGES].astype(int))))


def _print(weights: Path, cards: list[Card]) -> None:
    """A Markdown table of what was measured, and the size of the files.

    `kept` are the shares of the five nearest images by all components that are among the five nearest on a map.
    """
    heads = [f"{space}, {score}" for space in SPACES for score in ("5-NN", "silhouette")]
    heads = ["checkpoint", *heads, "kept by t-SNE", "kept by PCA", "variance of 2", f"of {COMPONENTS}"]
    heads += ["same neighbours", "file"]
    print(f"| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
    for card in cards:
        if found := read_projection(weights, card):
            scores = [f"{accuracy:.2f} % | {silhouette:.2f}" for accuracy, silhouette in found.scores.tolist()]
            kept = [common(neighbours(found.places), neighbours(each)) for each in (found.tsne, found.places[:, :2])]
            shares = [*kept, found.variance[:2].sum(), found.variance.sum(), found.agreement]
            size = path_of(weights, card.id).stat().st_size / 1e3
            print(f"| {' | '.join([card.id, *scores, *(f'{float(each):.0%}' for each in shares)])} | {size:.0f} kB |")
