"""Measure checkpoints on the test set and write what was found into their cards.

python -m training.evaluate lenet5.mnist | --all | --averages | --table
python -m training.evaluate --pictures my-handwriting.zip
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.averaged import AVERAGED, read_averaged
from cnn_models.analysis.ood import energy
from cnn_models.checkpoints.evaluation import CLASSES, Evaluation
from cnn_models.checkpoints.folder import (
    CheckpointError,
    load_model,
    read_card,
    read_history,
    read_snapshots,
    write_checkpoint,
)
from cnn_models.checkpoints.ids import BUILT_IN
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run, find_runs
from cnn_models.datasets.handwriting import unpack
from cnn_models.hub.model_hub import default_weights_dir
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.runtime import best_device, keep_memory, place
from cnn_models.specs import Card
from training.averages import averages, look_at_all, write_averaged
from training.data import DataError, load
from training.lock import writing
from training.metrics import (
    auroc,
    calibration_error,
    fit_temperature,
    fit_threshold,
    ood_data,
    reliability,
    score,
)
from training.model_card import model_card
from training.state import TrainingError


def examine(model: nn.Module, card: Card, device: torch.device) -> tuple[Card, Evaluation, Tensor]:
    """Fit a network's constants on its held-out pictures, then measure it on the 10,000 test pictures.

    Returns the card with all that was found, the evaluation, and the probabilities for the test pictures (N x 10).
    A network that has trained on every training picture keeps temperature 1 and has no energy threshold: on pictures it
    has seen it is surer than on others. Raises DataError without the pictures.
    """
    net = Network(place(model, device), card, device)
    temperature, threshold = 1.0, None
    if held_out := card.recipe.get("held_out"):
        pictures = load(card.dataset, train=True)[-held_out:]
        logits = net.run(pictures.images).logits
        temperature = round(fit_temperature(logits, pictures.labels), 4)
        threshold = round(fit_threshold(logits / temperature), 4)

    test = load(card.dataset, train=False)
    logits = net.run(test.images).logits
    probabilities = (logits / temperature).softmax(1)
    found = {f"test_{name}": value for name, value in score(logits, test.labels).items()}
    bins = tuple(reliability(shares, test.labels) for shares in (logits.softmax(1), probabilities))
    found["test_ece_uncalibrated"], found["test_ece"] = map(calibration_error, bins)
    for name, pictures in ood_data(card.dataset).items():
        found[f"auroc_{name}"] = auroc(energy(logits / temperature), energy(net.run(pictures).logits / temperature))
    metrics = card.metrics | {name: round(value, 4) for name, value in found.items()}
    measured = dataclasses.replace(card, metrics=metrics, temperature=temperature, energy_threshold=threshold)
    evaluation = evaluation_of(logits.argmax(1), test.labels, card.weights_sha256)
    return measured, dataclasses.replace(evaluation, reliability=bins), probabilities


def evaluation_of(answers: Tensor, labels: Tensor, weights_sha256: str) -> Evaluation:
    """Which test pictures (N labels) the network with these weights takes for what (N answers)."""
    confusion = (labels * CLASSES + answers).bincount(minlength=CLASSES**2).view(CLASSES, CLASSES)
    wrong = (((answers == index) & (labels != index)).nonzero().flatten().tolist() for index in range(CLASSES))
    return Evaluation(weights_sha256, tuple(map(tuple, confusion.tolist())), tuple(map(tuple, wrong)))


def evaluate(folder: Path, device: torch.device) -> tuple[Card, Tensor]:
    """Examine the checkpoint of a folder and write what was found into it; its new card and its probabilities.

    Raises CheckpointError for a folder that is none, DataError without the pictures, TrainingError while another
    command is at work on it.
    """
    with writing(folder):
        model, card = load_model(folder)
        measured, evaluation, probabilities = examine(model, card, device)
        history, snapshots, readme = read_history(folder), read_snapshots(folder), model_card(measured, evaluation)
        card = write_checkpoint(folder, model.state_dict(), measured, history, readme, evaluation, snapshots)
    return card, probabilities


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=str(__doc__).splitlines()[0])
    parser.add_argument("id", nargs="?", help="a checkpoint id, e.g. lenet5.mnist")
    parser.add_argument("--all", action="store_true", help="every checkpoint in the folder, and their averages")
    parser.add_argument("--averages", action="store_true", help="the averages alone, as far as their networks are new")
    parser.add_argument("--looks", action="store_true", help="go on with many looks until all test pictures had them")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the results the cards hold")
    parser.add_argument("--pictures", type=Path, help="a zip of labelled pictures from the page: what is right of them")
    parser.add_argument("--weights", type=Path, default=default_weights_dir(), help="the folder with the checkpoints")
    args = parser.parse_args(argv)
    if bool(args.id) + args.all + args.averages + args.looks + args.table + bool(args.pictures) != 1:
        parser.error("give a checkpoint id, --all, --averages, --looks, --table or --pictures")
    if args.id and args.id not in BUILT_IN:
        parser.error(f"unknown checkpoint {args.id!r}; known are {', '.join(BUILT_IN)}")
    return args


def on_own_pictures(file: Path, weights: Path, device: torch.device) -> str:
    """The accuracy of every checkpoint on the labelled pictures of a zip, as a Markdown table; no card changes.

    Raises PictureError for a file that is none.
    """
    own = {dataset: unpack(file, dataset) for dataset in DATASETS}
    lines = ["| network | right | of | accuracy |", "|---|---:|---:|---:|"]
    for id, card in ModelHub(weights).cards().items():
        images, labels = map(torch.from_numpy, own[card.dataset])
        if len(labels):
            net = Network(place(load_model(weights / id)[0], device), card, device)
            answers = net.run(images).logits.argmax(1)
            right = (answers == labels).sum().item()
            lines.append(f"| {id} | {right} | {len(labels)} | {100 * right / len(labels):.1f} % |")
    return "\n".join(lines)


def table(cards: list[Card], averaged: dict[str, dict]) -> str:
    """The results as a Markdown table, one row per network and one for their average, one column per data set.

    An average of other weights than those of the cards is left out.
    """
    by_id = {card.id: card for card in cards}
    head = [f"{spec.title}, test accuracy" for spec in DATASETS.values()]
    lines = ["| network | parameters | " + " | ".join(head) + " |", "|---|---:|" + "---:|" * len(head)]
    for name, spec in ARCHITECTURES.items():
        parameters = architecture_layers(name).parameters
        cells = []
        for dataset in DATASETS:
            card = by_id.get(f"{name}.{dataset}")
            if card and (accuracy := card.metrics.get("test_accuracy")):
                note = f" (at {card.input_size})" if card.input_size != spec.input_size else ""
                cells.append(f"{accuracy:.2f} %{note}")
            else:
                cells.append("not trained yet")
        lines.append(f"| {spec.title} ({spec.year}) | {parameters:,} | " + " | ".join(cells) + " |")
    cells = []
    for dataset in DATASETS:
        found = averaged.get(dataset)
        now = {card.id: card.weights_sha256 for card in cards if card.dataset == dataset}
        cells.append(
            f"{found['accuracy']:.2f} % ({len(now)} networks)"
            if found and found["weights"] == now
            else "not measured yet"
        )
    lines.append("| averaged (soft vote) | | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def repeated(groups: Iterable[Sequence[Run]]) -> str:
    """The runs beside the checkpoints as a Markdown table: a row for those that differ in their seed alone.

    A checkpoint counts as one of them where it has the same recipe. A row has the mean and standard deviation of their
    test accuracies, what others report of the same recipe in as many epochs, and the speed of a single epoch.
    "" where there are none.
    """
    rows = []
    for group in groups:
        if not any(run.out and run.card for run in group):
            continue
        found = {run.seed: run for run in group if run.card}
        cards = [run.card for run in found.values() if run.card]
        values = [accuracy for card in cards if (accuracy := card.on_test_set("accuracy"))]
        if not values:
            continue
        run = group[-1]
        name, dataset = run.id.split(".")
        changes = [f"{key} {value}" for key, value in run.changes.items() if key != "epochs"]
        many = f"{run.epochs} epochs"
        if run.epochs == 1:
            many = f"1 epoch at {run.history[0]['images_per_second']:,.0f} images/s"
        how = ", ".join([f"`{run.recipe}`", many, *changes])
        what = f"{ARCHITECTURES[name].title}, {DATASETS[dataset].title}: {how}"
        deviation = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        quoted = QUOTED.get(run.id) if run.recipe == "source" else None
        reported = f"{quoted.accuracy:.2f} %" if quoted and quoted.epochs == run.epochs else ""
        rows.append(f"| {what} | {len(values)} | {statistics.mean(values):.2f}{deviation} % | {reported} |")
    head = ["| runs | seeds | test accuracy, mean ± deviation | reported |", "|---|---:|---:|---:|"]
    return "\n".join(head + rows) if rows else ""


def write_averages(args: argparse.Namespace, probabilities: dict[str, Tensor], device: torch.device) -> None:
    """Measure the ensembles and, with `--looks`, test-time augmentation, and write them beside the checkpoints."""
    with writing(args.weights / AVERAGED):
        cards = list(ModelHub(args.weights).cards().values())
        write_averaged(args.weights, averages(args.weights, cards, probabilities, device))
        if args.looks:
            try:
                look_at_all(args.weights, cards, device)
            except KeyboardInterrupt:
                sys.exit("stopped; what was measured until then is kept, and the same command resumes")


def main(argv: list[str] | None = None) -> None:
    keep_memory()
    args = parse(argv)
    ids = [args.id] if args.id else []
    if args.all:
        ids = [id for id in BUILT_IN if (args.weights / id).is_dir()]
    try:
        device = best_device()
        if args.pictures:
            print(on_own_pictures(args.pictures, args.weights, device))
            return
        probabilities = {}
        for id in tqdm(ids, unit="checkpoint", disable=len(ids) < 2):
            if not (args.weights / id).is_dir():
                raise CheckpointError("checkpoint.untrained", id=id, folder=args.weights)
            before = read_card(args.weights / id).metrics.get("test_accuracy")
            card, probabilities[id] = evaluate(args.weights / id, device)
            after = card.metrics["test_accuracy"]
            if before is not None and abs(after - before) > 0.02:
                print(f"{id}: its card said {before:.2f} %, measured {after:.2f} %", file=sys.stderr)
        if args.all or args.averages or args.looks:
            write_averages(args, probabilities, device)
    except (CheckpointError, DataError, TrainingError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(table(list(ModelHub(args.weights).cards().values()), read_averaged(args.weights)))
    if runs := repeated(find_runs(args.weights).values()):
        print(f"\n{runs}")


if __name__ == "__main__":
    main()
