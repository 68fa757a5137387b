"""The two data sets as uint8 tensors on the device. `python -m training.data` downloads them."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_models import DATASETS, command
from cnn_models.folders import CLONE

if TYPE_CHECKING:  # where it runs, torch is imported when it is used: the command parses its arguments without it
    import numpy as np
    import torch
    from torch import Tensor

LOADERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
"""The classes of `torchvision.datasets`."""


class DataError(RuntimeError):
    """A data set is missing and cannot be downloaded; the message says what to do."""


@dataclass(frozen=True)
class LabelledImages:
    """Images N x 28 x 28 (uint8, bright on black) and labels N (int64), on one device.

    `soft_targets` N x 10 are the teachers' probabilities, for distillation.
    """

    images: Tensor
    labels: Tensor
    soft_targets: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: slice) -> LabelledImages:
        soft_targets = None if self.soft_targets is None else self.soft_targets[index]
        return LabelledImages(self.images[index], self.labels[index], soft_targets)

    def joined(self, images: np.ndarray, labels: np.ndarray) -> LabelledImages:
        """These images and more of the same form, without soft targets."""
        import torch

        device = self.labels.device
        more = torch.from_numpy(images).to(device), torch.from_numpy(labels).to(device)
        return LabelledImages(torch.cat([self.images, more[0]]), torch.cat([self.labels, more[1]]))


def data_dir() -> Path:
    """The folder with the data sets in torchvision's layout.

    `CNN_DATA_DIR`, else `data` in the clone or, once installed as a package, in the current folder.
    """
    return Path(os.environ.get("CNN_DATA_DIR") or (CLONE or Path()) / "data")


def load(dataset: str, train: bool, device: torch.device | str = "cpu") -> LabelledImages:
    """The 60,000 training or the 10,000 test images, downloaded with a progress bar where they are missing.

    Raises DataError when they cannot be downloaded either.
    """
    from torchvision import datasets

    root = data_dir()
    try:
        source = getattr(datasets, LOADERS[dataset])(root, train=train, download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"{DATASETS[dataset].title} is not in {root} and could not be downloaded ({error}); connect to the "
            "network, or set CNN_DATA_DIR to a folder that holds it in torchvision's layout"
        ) from error
    return LabelledImages(source.data.to(device), source.targets.to(device))


def split(dataset: str, held_out: int, device: torch.device) -> tuple[LabelledImages, LabelledImages]:
    """The images to train on, and the validation set: the last `held_out` of the training set.

    Where `held_out` is 0, the validation set is the test set, as in the runs of the course texts.
    """
    train = load(dataset, train=True, device=device)
    if not held_out:
        return train, load(dataset, train=False, device=device)
    return train[:-held_out], train[-held_out:]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.data", description="Download both data sets to `data` or CNN_DATA_DIR, where missing."
    )
    parser.parse_args(argv)
    try:
        with command.ending_at_once("stopped; run the same command again"):
            for name, train in product(LOADERS, (True, False)):
                load(name, train)
    except DataError as error:
        sys.exit(f"error: {error}")
    print(f"both data sets are in {data_dir()}")


if __name__ == "__main__":
    command.run(main)
