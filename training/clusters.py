"""Centroids of the training images, fitted by k-means: the work of `python -m training.centroids`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from cnn_models import DATASETS
from cnn_models.analysis.neighbours import (
    distances,
    feature_vectors,
    group_share,
    pixel_vectors,
    turn_gains,
    turn_scores,
    unsure_scores,
)
from cnn_models.checkpoints.centroids import Centroids, write_centroids
from cnn_models.checkpoints.folder import CENTROIDS, CheckpointError, load_model
from cnn_models.checkpoints.ids import REFERENCE_MODEL
from cnn_models.network import BATCH, Network
from cnn_models.runtime import best_device, place
from training.data import DataError, LabelledImages, split
from training.lock import writing
from training.state import TrainingError

IMAGES = 20_000  # of the training images; all of them give the same figures
PIXEL_CENTROIDS, FEATURE_CENTROIDS = 36, 24  # for each class: 200 KB in all; twice as many detect no more
# The share of the correctly classified validation images that is unsure; less for clothing, of which 1.2 % of the test
# images are undecided already. And the share of all validation images that is turned.
UNSURE = {"fashion_mnist": 0.0045, "mnist": 0.006}
TURNED = 0.0005


def fit_centroids(net: Network, train: LabelledImages, validation: LabelledImages) -> Centroids:
    """The centroids of training images, and thresholds on validation images, which the network was not trained on."""
    some = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:IMAGES]
    images, labels = train.images[some], train.labels[some]
    features = torch.cat([feature_vectors(net, part) for part in images.split(BATCH)])
    pixels = k_means(pixel_vectors(images), labels, PIXEL_CENTROIDS)
    centroids = Centroids(pixels, k_means(features, labels, FEATURE_CENTROIDS), torch.zeros(3, 2), 0.0, 0.0)

    probabilities = net.run(validation.images).probabilities
    classes = net.card.classes
    shares = [group_share(dict(zip(classes, each, strict=True)), net.card.dataset) for each in probabilities.tolist()]
    apart = torch.cat([distances(net, centroids, part) for part in validation.images.split(BATCH)])
    values = torch.cat([1 - torch.tensor(shares)[:, None], apart], 1)  # N x 3
    right = values[probabilities.argmax(1) == validation.labels]
    tails = right.quantile(torch.tensor([0.9, 0.99]), dim=0).T.contiguous()
    unsure = unsure_scores(right, tails).quantile(1 - UNSURE[net.card.dataset]).item()

    centroids = centroids._replace(tails=tails, unsure=unsure)
    gains, _ = turn_gains(turn_scores(net, centroids, net.card.dataset, list(validation.images.numpy())))
    return centroids._replace(turned=gains.quantile(1 - TURNED).item())


def k_means(vectors: Tensor, labels: Tensor, count: int) -> Tensor:
    """`count` centroids of each class as unit vectors, for unit vectors N x D with labels N (spherical k-means)."""
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_COUNT, 20, 0.0)
    found = [
        cv2.kmeans(vectors[labels == label].numpy(), count, None, criteria, 1, cv2.KMEANS_PP_CENTERS)[2]  # pyright: ignore
        for label in labels.unique()
    ]
    return F.normalize(torch.cat([torch.from_numpy(each) for each in found]))


def write_all(weights: Path) -> None:
    """Fit the centroids of both reference models in a folder, and write them into their checkpoint folders.

    Exits with a sentence where that is not possible.
    """
    try:
        device = best_device()
        for dataset in tqdm(DATASETS, unit="data set"):
            folder = weights / f"{REFERENCE_MODEL}.{dataset}"
            if not folder.is_dir():
                raise CheckpointError("checkpoint.untrained", id=folder.name, folder=weights)
            with writing(folder):
                model, card = load_model(folder)
                net = Network(place(model, device), card, device)
                parts = split(dataset, card.recipe["held_out"], torch.device("cpu"))
                write_centroids(folder, fit_centroids(net, *parts))
                print(f"{folder / CENTROIDS}: {(folder / CENTROIDS).stat().st_size / 1e3:.0f} KB")
    except (CheckpointError, DataError, TrainingError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
