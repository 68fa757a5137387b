"""Ensembles over seeds: their accuracies, and which networks are measured."""

import json
from dataclasses import replace
from itertools import combinations
from math import comb

import pytest
import torch

from cnn_models.analysis.seeds import SEEDS, read_seeds, seeds_of
from cnn_models.checkpoints.folder import WEIGHTS, load_model, read_card, read_history, write_checkpoint
from cnn_models.checkpoints.runs import find_runs
from cnn_models.network import Network
from training import seeds
from training.data import load
from training.evaluate import main
from training.results import seeds_table
from training.seeds import MOST, ensemble_accuracies, subsets

ID, CPU = "mini_inception.mnist", torch.device("cpu")


@pytest.fixture
def trained(checkpoint, tmp_path):
    """`trained(seed)` writes an untrained network as the run of that seed; the first is in `weights/` itself."""

    def write(seed: int, id: str = ID, **changes: object):
        root = tmp_path / "weights"
        folder = checkpoint(id, root / "runs" / f"best.{seed}" if seed else root)
        (model, card), history = load_model(folder), read_history(folder)
        write_checkpoint(folder, model.state_dict(), replace(card, seed=seed, **changes), history, "")
        return folder

    return write


@pytest.fixture
def some(data_dir, monkeypatch):
    """The first 300 test images in place of all."""
    monkeypatch.setattr(seeds, "load", lambda dataset, train: load(dataset, train)[:300])
    return load("mnist", train=False)[:300]


def measure(weights) -> dict:
    main(["--seeds", "--weights", str(weights)])
    return read_seeds(weights)


def test_every_choice_of_so_many_networks_is_a_soft_vote():
    generator = torch.Generator().manual_seed(0)
    probabilities, labels = torch.rand(4, 50, 10, generator=generator, dtype=torch.float64), torch.arange(50) % 10
    found = ensemble_accuracies(probabilities, labels)
    for size, (mean, low, high) in enumerate(found, 1):
        votes = [torch.stack(list(chosen)).mean(0).argmax(1) for chosen in combinations(probabilities, size)]
        expected = [100 * (vote == labels).sum().item() / 50 for vote in votes]
        assert (low, high) == (min(expected), max(expected)) and mean == pytest.approx(
            sum(expected) / len(expected), abs=1e-4
        )


@pytest.mark.parametrize("count", [2, 7, 11, 14])
def test_the_choices_are_all_or_many(count):
    for size in range(1, count + 1):
        found = subsets(count, size)
        assert len(found) == min(comb(count, size), MOST)
        assert all(len(set(chosen)) == size and set(chosen) <= set(range(count)) for chosen in found)


def test_checkpoints_and_runs_that_differ_in_their_seed_alone_are_measured(trained, some, tmp_path, capsys):
    folders, weights = [trained(seed) for seed in (0, 1, 2)], tmp_path / "weights"
    trained(3, recipe={"name": "other", "epochs": 0})
    trained(4, metrics={})  # not evaluated
    (trained(5) / WEIGHTS).unlink()
    trained(6, "lenet5.mnist")
    outputs = [Network(*load_model(folder), CPU).run(some.images) for folder in folders]

    def accuracy(predictions):
        return 100 * (predictions == some.labels).double().mean().item()

    ((group, found),) = measure(weights).items()
    assert group.startswith(ID)
    assert found["weights"] == {str(seed): read_card(folder).weights_sha256 for seed, folder in enumerate(folders)}
    alone = [accuracy(output.logits.argmax(1)) for output in outputs]
    assert found["accuracy"][0] == pytest.approx([sum(alone) / 3, min(alone), max(alone)], abs=1e-4)
    all_of_them = accuracy(torch.stack([output.probabilities for output in outputs]).mean(0).argmax(1))
    assert found["accuracy"][-1] == pytest.approx([all_of_them] * 3, abs=1e-4)
    means = " | ".join(f"{mean:.2f} %" for mean, _, _ in found["accuracy"])
    assert f"| Mini Inception, MNIST: `test`, 0 epochs | {means} | not measured yet |" in capsys.readouterr().out


def test_the_same_weights_are_not_measured_again_and_others_are(trained, some, tmp_path, monkeypatch):
    weights, measured = tmp_path / "weights", []
    monkeypatch.setattr(seeds, "load_model", lambda folder: measured.append(folder) or load_model(folder))
    folders = [trained(seed) for seed in (0, 1)]
    for _ in range(2):
        measure(weights)
        assert measured == folders
    assert len(seeds_of(weights, find_runs(weights).values())) == 1
    trained(1)
    assert seeds_of(weights, find_runs(weights).values()) == []  # of other weights
    measure(weights)
    assert measured == 2 * folders and len(seeds_of(weights, find_runs(weights).values())) == 1
    (folders[1] / WEIGHTS).unlink()  # shown without the weights, as where a clone has none
    assert len(seeds_of(weights, find_runs(weights).values())) == 1


def test_a_single_network_is_no_ensemble(trained, tmp_path):
    trained(0)
    with pytest.raises(SystemExit, match=r"error: no two evaluated checkpoints differ in their seed alone; train one"):
        measure(tmp_path / "weights")
    assert not (tmp_path / "weights" / SEEDS).exists()


@pytest.mark.parametrize("change", [
    "{", "[]", '{"a": 1}', lambda found: found.pop("weights"), lambda found: found["weights"].pop("1"),
    lambda found: found["accuracy"].append([90, 80, 100]), lambda found: found.update(accuracy=[[90, 80, 100], [1, 1]]),
    lambda found: found.update(accuracy=[[90, 80, 100], [80, 90, 100]]),
    lambda found: found.update(accuracy=[[90, 80, 100], [90, 80, 101]]),
    lambda found: found.update(accuracy=[[90, 80, 100], [90, None, 101]]),
    lambda found: found.update(weights={"0": "a", "one": "b"}), lambda found: found.update(weights={"0": "a", "1": 2}),
])  # fmt: skip
def test_damaged_results_are_named_and_kept(change, checkpoint):
    if not isinstance(change, str):
        found = {"weights": {"0": "a", "1": "b"}, "accuracy": [[90, 80, 100], [95.5, 95.5, 95.5]]}
        change(found)
        change = json.dumps({"lenet5.mnist best": found})
    path = checkpoint().parent / SEEDS
    path.write_text(change)
    for task in ("--seeds", "--table"):
        with pytest.raises(SystemExit, match=rf"error: {path} is not the accuracies .* `python .* --seeds`"):
            main([task, "--weights", str(path.parent)])
    assert path.read_text() == change


def test_networks_of_fewer_seeds_leave_columns_empty(trained, tmp_path):
    trained(0)
    trained(0, "lenet5.mnist")
    runs = [runs[0] for runs in find_runs(tmp_path / "weights").values()]
    cards = [run.card for run in runs if run.card]
    rows = [[[90 + count] * 3 for count in range(1, most + 1)] for most in (2, 3)]
    together = {"mnist": {"weights": {card.id: card.weights_sha256 for card in cards}, "accuracy": 99.5}}
    table = seeds_table([(run, {"accuracy": each}) for run, each in zip(runs, rows, strict=True)], cards, together)
    assert table.splitlines() == [
        "| seeds averaged | 1 | 2 | 3 | ensemble (soft vote) |",
        "|---|---:|---:|---:|---:|",
        "| LeNet-5, MNIST: `test`, 0 epochs | 91.00 % | 92.00 % |  | 99.50 % (2 networks) |",
        "| Mini Inception, MNIST: `test`, 0 epochs | 91.00 % | 92.00 % | 93.00 % | 99.50 % (2 networks) |",
    ]
    assert seeds_table([], cards, together) == ""
