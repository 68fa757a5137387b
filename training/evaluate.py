"""Measure checkpoints on the test set and write what was found into their cards.

python -m training.evaluate lenet5.mnist | --all
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoint import CheckpointError, load_model, read_card, read_history, write_checkpoint
from cnn_models.hub import BUILT_IN, default_weights_dir
from cnn_models.layers import architecture_layers
from cnn_models.preprocess import to_input
from cnn_models.runtime import best_device, place
from cnn_models.specs import Card
from training.data import DataError, Pictures, load
from training.model_card import model_card


@torch.no_grad()
def measure(model: nn.Module, pictures: Pictures, size: int, mean: float, std: float, batch: int = 500) -> dict:
    """`loss` (mean cross-entropy in nats) and `accuracy` (percent) of a network in evaluation mode."""
    was_training = model.training
    model.eval()
    loss = torch.zeros((), device=pictures.labels.device)
    right = torch.zeros((), device=pictures.labels.device, dtype=torch.int64)
    for images, labels in zip(pictures.images.split(batch), pictures.labels.split(batch), strict=True):
        logits = model(to_input(images, size, mean, std))
        loss += F.cross_entropy(logits, labels, reduction="sum")
        right += (logits.argmax(1) == labels).sum()
    model.train(was_training)
    return {"loss": loss.item() / len(pictures), "accuracy": 100 * right.item() / len(pictures)}


def evaluate(folder: Path, device: torch.device) -> Card:
    """Measure the checkpoint of a folder on the 10,000 test pictures; card and model card say what was found.

    Raises CheckpointError for a folder that is none, DataError without test pictures.
    """
    model, card = load_model(folder)
    state = model.state_dict()
    found = measure(
        place(model, device), load(card.dataset, train=False, device=device), card.input_size, card.mean, card.std
    )
    metrics = card.metrics | {f"test_{name}": round(value, 4) for name, value in found.items()}
    measured = dataclasses.replace(card, metrics=metrics)
    return write_checkpoint(folder, state, measured, read_history(folder), model_card(measured))


def table(cards: list[Card]) -> str:
    """The results as a Markdown table, one row per network, one pair of columns per data set."""
    by_id = {card.id: card for card in cards}
    head = [f"{spec.title}, test accuracy" for spec in DATASETS.values()]
    lines = ["| network | parameters | " + " | ".join(head) + " |", "|---|---:|" + "---:|" * len(head)]
    for name, spec in ARCHITECTURES.items():
        parameters = architecture_layers(name).parameters
        cells = []
        for dataset in DATASETS:
            card = by_id.get(f"{name}.{dataset}")
            accuracy = card and card.metrics.get("test_accuracy")
            note = f" (at {card.input_size})" if accuracy and card.input_size != spec.input_size else ""
            cells.append(f"{accuracy:.2f} %{note}" if accuracy else "not trained yet")
        lines.append(f"| {spec.title} ({spec.year}) | {parameters:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__.splitlines()[0])
    parser.add_argument("id", nargs="?", help="a checkpoint id, e.g. lenet5.mnist")
    parser.add_argument("--all", action="store_true", help="every checkpoint in the folder")
    parser.add_argument("--weights", type=Path, default=default_weights_dir(), help="the folder with the checkpoints")
    args = parser.parse_args(argv)
    if bool(args.id) == args.all:
        parser.error("give a checkpoint id or --all")
    ids = [id for id in BUILT_IN if (args.weights / id).is_dir()] if args.all else [args.id]
    if args.id and args.id not in BUILT_IN:
        parser.error(f"unknown checkpoint {args.id!r}; known are {', '.join(BUILT_IN)}")
    try:
        device = best_device()
        cards = []
        for id in tqdm(ids, unit="checkpoint", disable=len(ids) == 1):
            if not (args.weights / id).is_dir():
                raise CheckpointError(f"no weights for {id} in {args.weights}; run `python -m training.train {id}`")
            before = read_card(args.weights / id).metrics.get("test_accuracy")
            cards.append(evaluate(args.weights / id, device))
            after = cards[-1].metrics["test_accuracy"]
            if before is not None and abs(after - before) > 0.02:
                print(f"{id}: its card said {before:.2f} %, measured {after:.2f} %", file=sys.stderr)
    except (CheckpointError, DataError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(table(cards))


if __name__ == "__main__":
    main()
