"""Evaluations on the test set, written into the cards: the work of `python -m training.evaluate`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.averaged import AVERAGED, read_averaged
from cnn_models.analysis.ood import energy
from cnn_models.analysis.seeds import SEEDS, seeds_of
from cnn_models.checkpoints.centroids import write_centroids
from cnn_models.checkpoints.evaluation import CLASSES, Evaluation
from cnn_models.checkpoints.folder import (
    CheckpointError,
    load_model,
    read_card,
    read_history,
    read_snapshots,
    write_checkpoint,
)
from cnn_models.checkpoints.ids import BUILT_IN, REFERENCE_MODEL
from cnn_models.checkpoints.runs import find_runs
from cnn_models.datasets.handwriting import unpack
from cnn_models.network import Network
from cnn_models.runtime import best_device, keep_memory, place
from cnn_models.specs import Card
from training.clusters import fit_centroids
from training.data import DataError, load, split
from training.ensembles import complete_tta, measure_ensembles, write_accuracies, write_averaged
from training.lock import writing
from training.metrics import (
    auroc,
    calibration_error,
    fit_temperature,
    fit_threshold,
    gains_significantly,
    ood_data,
    reliability,
    score,
)
from training.model_card import model_card
from training.results import results_table, runs_table, seeds_table
from training.seeds import measure_seeds
from training.state import TrainingError


def fitted(net: Network) -> Card:
    """The network's card with temperature and energy threshold fitted on the validation images.

    A network trained on all training images keeps temperature 1 and has no energy threshold: it is overconfident on
    images it was trained on. Raises DataError without the images.
    """
    card = net.card
    if not (held_out := card.recipe.get("held_out")):
        return dataclasses.replace(card, temperature=1.0, fitted_temperature=None, energy_threshold=None)
    examples = load(card.dataset, train=True)[-held_out:]
    logits = net.run(examples.images).logits
    best = round(fit_temperature(logits, examples.labels), 4)
    return dataclasses.replace(
        card,
        temperature=best if gains_significantly(best, logits, examples.labels) else 1.0,
        fitted_temperature=best,
        energy_threshold=round(fit_threshold(logits / best), 4),
    )


def examine(model: nn.Module, card: Card, device: torch.device) -> tuple[Card, Evaluation, Tensor]:
    """Fit the card's constants on the validation images, then measure on the 10,000 test images.

    Returns the completed card, the evaluation, and the probabilities for the test images (N x 10). Raises DataError
    without the images.
    """
    net = Network(place(model, device), card, device)
    card = fitted(net)
    test = load(card.dataset, train=False)
    logits = net.run(test.images).logits
    probabilities = (logits / card.temperature).softmax(1)
    figures = {f"test_{name}": value for name, value in score(logits, test.labels).items()}
    bins = tuple(reliability(each, test.labels) for each in (logits.softmax(1), probabilities))
    figures["test_ece_uncalibrated"], figures["test_ece"] = map(calibration_error, bins)
    for name, examples in ood_data(card.dataset).items():
        energies = (energy(each / card.energy_scale) for each in (logits, net.run(examples).logits))
        figures[f"auroc_{name}"] = auroc(*energies)
    measured = dataclasses.replace(
        card, metrics=card.metrics | {name: round(value, 4) for name, value in figures.items()}
    )
    evaluation = evaluation_of(logits.argmax(1), test.labels, card.weights_sha256)
    return measured, dataclasses.replace(evaluation, reliability=bins), probabilities


def evaluation_of(predictions: Tensor, labels: Tensor, weights_sha256: str) -> Evaluation:
    """The confusion matrix of N predicted classes, and the indices of the misclassified test images by class."""
    confusion = (labels * CLASSES + predictions).bincount(minlength=CLASSES**2).view(CLASSES, CLASSES)
    wrong = (((predictions == index) & (labels != index)).nonzero().flatten().tolist() for index in range(CLASSES))
    return Evaluation(weights_sha256, tuple(map(tuple, confusion.tolist())), tuple(map(tuple, wrong)))


def evaluate(folder: Path, device: torch.device) -> tuple[Card, Tensor]:
    """Examine the checkpoint of a folder and write the results into it; returns its new card and the probabilities.

    A reference model is also given the centroids of its training images.

    Raises CheckpointError for a folder without a checkpoint, DataError without the images, TrainingError while another
    command writes it.
    """
    with writing(folder, size=sum(file.stat().st_size for file in folder.glob("*"))):
        model, card = load_model(folder)
        measured, evaluation, probabilities = examine(model, card, device)
        history, snapshots, readme = read_history(folder), read_snapshots(folder), model_card(measured, evaluation)
        card = write_checkpoint(folder, model.state_dict(), measured, history, readme, evaluation, snapshots)
        if card.architecture == REFERENCE_MODEL and (held_out := card.recipe.get("held_out")):
            net = Network(model, card, device)
            write_centroids(folder, fit_centroids(net, *split(card.dataset, held_out, torch.device("cpu"))))
    return card, probabilities


def drawings_table(file: Path, weights: Path, device: torch.device) -> str:
    """The accuracy of every checkpoint on the labelled drawings of a zip, as a Markdown table; no card changes.

    Raises ImageError for a file that is no such zip.
    """
    drawings = {dataset: unpack(file, dataset) for dataset in DATASETS}
    lines = ["| network | correct | of | accuracy |", "|---|---:|---:|---:|"]
    for id, card in ModelHub(weights).cards().items():
        images, labels = map(torch.from_numpy, drawings[card.dataset])
        if len(labels):
            net = Network(place(load_model(weights / id)[0], device), card, device)
            correct = (net.run(images).logits.argmax(1) == labels).sum().item()
            lines.append(f"| {id} | {correct} | {len(labels)} | {100 * correct / len(labels):.1f} % |")
    return "\n".join(lines)


def evaluate_ensembles(args: argparse.Namespace, probabilities: dict[str, Tensor], device: torch.device) -> None:
    """Write `averaged.json`: the ensembles, and test-time augmentation, with `--looks` of all test images."""
    with writing(args.weights / AVERAGED):
        cards = list(ModelHub(args.weights).cards().values())
        write_averaged(args.weights, measure_ensembles(args.weights, cards, probabilities, device))
        if args.looks:
            try:
                complete_tta(args.weights, cards, device)
            except KeyboardInterrupt:
                sys.exit("stopped; the same command resumes")


def evaluate_seeds(weights: Path, device: torch.device) -> None:
    """Write `seeds.json`: the ensembles over the seeds of each network, of the checkpoints and the runs."""
    with writing(weights / SEEDS):
        write_accuracies(weights / SEEDS, measure_seeds(weights, device))


def measure(args: argparse.Namespace) -> None:
    """Measure what the arguments of `python -m training.evaluate` name, and print the results.

    Exits with a sentence where that is not possible.
    """
    keep_memory()
    try:
        device = best_device()
        if args.pictures:
            print(drawings_table(args.pictures, args.weights, device))
            return
        probabilities = evaluate_checkpoints(args, device)
        if args.all or args.averages or args.looks:
            evaluate_ensembles(args, probabilities, device)
        if args.seeds:
            evaluate_seeds(args.weights, device)
        groups = list(find_runs(args.weights).values())
        cards, averaged = list(ModelHub(args.weights).cards().values()), read_averaged(args.weights)
        seeds = seeds_table(seeds_of(args.weights, groups), cards, averaged)
        print("\n\n".join(filter(None, (results_table(cards, averaged), runs_table(groups), seeds))))
    except (CheckpointError, DataError, TrainingError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def evaluate_checkpoints(args: argparse.Namespace, device: torch.device) -> dict[str, Tensor]:
    """The probabilities (N x 10) for the test images by checkpoint id, after writing the results into the cards."""
    ids, probabilities = [args.id] if args.id else [], {}
    if args.all:
        ids = [id for id in BUILT_IN if (args.weights / id).is_dir()] or [BUILT_IN[0]]
    for id in tqdm(ids, unit="checkpoint", disable=len(ids) < 2):
        if not (args.weights / id).is_dir():
            raise CheckpointError("checkpoint.untrained", id=id, folder=args.weights)
        before = read_card(args.weights / id).metrics.get("test_accuracy")
        card, probabilities[id] = evaluate(args.weights / id, device)
        after = card.metrics["test_accuracy"]
        if before is not None and abs(after - before) > 0.02:
            print(f"{id}: {before:.2f} % on its card, measured {after:.2f} %", file=sys.stderr)
    return probabilities
