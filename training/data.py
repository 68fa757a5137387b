"""The two data sets as uint8 tensors on the device. `python -m training.data` downloads them."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from dataclasses import dataclass
from http.client import HTTPException
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
MD5 = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion_mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}
"""Of the unpacked files; torchvision knows only those of the archives that it downloads."""


class DataError(RuntimeError):
    """A data set is damaged, or missing and cannot be downloaded; the message says what to do."""


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

    Raises DataError when they cannot be downloaded either, and for files of any other content.
    """
    import torch

    part = "train" if train else "t10k"
    images = _read(dataset, f"{part}-images-idx3-ubyte")[16:].reshape(-1, 28, 28)
    labels = _read(dataset, f"{part}-labels-idx1-ubyte")[8:]
    return LabelledImages(torch.from_numpy(images).to(device), torch.from_numpy(labels).long().to(device))


def _read(dataset: str, name: str) -> np.ndarray:
    """The bytes of a file in the IDX format, of which a header of four bytes, and four a dimension, is the beginning.

    The MD5 is computed at every load, as it takes 0.12 s for the largest file. Raises DataError.
    """
    import numpy as np

    path = data_dir() / LOADERS[dataset] / "raw" / name
    remedy = "remove it, or set CNN_DATA_DIR to another folder, and the same command downloads it again"
    try:
        if not path.exists():
            _download(dataset, data_dir())
        content = bytearray(path.read_bytes())  # writable, as tensors are
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); allow reading it; or {remedy}") from error
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != MD5[dataset][name]:
        raise DataError(f"{path} is damaged, as its MD5 is not that of {DATASETS[dataset].title}; {remedy}")
    return np.frombuffer(content, np.uint8)


def _download(dataset: str, root: Path) -> None:
    """Download the files of a data set, verified by torchvision. Raises DataError."""
    from torchvision import datasets

    loader = getattr(datasets, LOADERS[dataset])
    source = loader.__new__(loader)  # its constructor reads files too, without verifying them
    source.root = str(root)
    try:
        source.download()
    except (OSError, RuntimeError, HTTPException) as error:
        why = " ".join(str(error).split())  # torchvision's has several lines
        raise DataError(
            f"{DATASETS[dataset].title} is not in {root} and could not be downloaded ({why}); connect to the network, "
            "or set CNN_DATA_DIR to a folder that holds it in torchvision's layout"
        ) from error


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
