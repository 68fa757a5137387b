"""Ensembles and test-time augmentation (TTA): accuracies, and that only new networks are measured."""

import dataclasses
import json
import math
from unittest.mock import ANY

import pytest
import torch
from torch.nn import functional as F

from cnn_models.analysis.averaged import read_averaged
from cnn_models.checkpoints.folder import load_model, read_card
from cnn_models.folders import default_weights_dir
from cnn_models.network import Network
from tests.conftest import make_card
from training import ensembles
from training.data import LabelledImages, load
from training.ensembles import ensemble_accuracies, measure_ensembles, write_averaged
from training.evaluate import main
from training.metrics import score
from training.results import results_table
from training.tta import measure_tta


def test_an_ensemble_is_a_soft_vote(tmp_path):
    cards = [dataclasses.replace(make_card(name), weights_sha256=name) for name in ("lenet5", "alexnet")]
    votes = {card.id: torch.zeros(2, 10) for card in cards}
    votes["lenet5.mnist"][:, 7] = torch.tensor([0.9, 0.2])
    votes["alexnet.mnist"][:, 1] = torch.tensor([0.6, 0.6])
    found = {"mnist": ensemble_accuracies(cards, votes, torch.tensor([7, 7]))}
    both = ["lenet5.mnist", "alexnet.mnist"]
    together = [[both[:1], 100.0], [both[1:], 0.0], [both, 50.0]]
    assert found == {
        "mnist": {
            "accuracy": 50.0,
            "loss": round(-(math.log(0.45 / 0.75) + math.log(0.1 / 0.4)) / 2, 4),
            "weights": {"lenet5.mnist": "lenet5", "alexnet.mnist": "alexnet"},
            "together": together,
        }
    }

    assert read_averaged(tmp_path) == {}
    write_averaged(tmp_path, found)
    assert read_averaged(tmp_path) == found and len(list(tmp_path.iterdir())) == 1
    assert "| ensemble (soft vote) | | 50.00 % (2 networks) | not measured yet |" in results_table(cards, found)
    retrained = [cards[0], dataclasses.replace(cards[1], weights_sha256="other")]
    for other in (retrained, cards[:1]):
        assert "| ensemble (soft vote) | | not measured yet | not measured yet |" in results_table(other, found)


def test_the_log_linear_ensemble_of_bundled_networks(data_dir, tmp_path, monkeypatch):
    """Fitted on the 5,000 validation images of two small networks; there is none with one that was trained on all."""
    cards = [read_card(default_weights_dir() / f"{name}.mnist") for name in ("lenet5", "mini_resnet")]
    for card in cards:
        (tmp_path / card.id).symlink_to(default_weights_dir() / card.id)
    monkeypatch.setattr(ensembles, "measure_tta", lambda *_: crops(1))
    test = load("mnist", train=False)
    nets = [Network(load_model(tmp_path / card.id)[0], card, torch.device("cpu")) for card in cards]
    probabilities = {net.card.id: net.run(test.images).probabilities for net in nets}
    found = measure_ensembles(tmp_path, cards, probabilities, torch.device("cpu"))["mnist"]
    factors = found["log_linear"]["factors"]
    assert list(factors) == [card.id for card in cards] and all(0 < each < 1 for each in factors.values())

    validation = load("mnist", train=True)[-5000:]
    logits = [net.run(validation.images).logits for net in nets]

    def loss(first, second):
        return F.cross_entropy(first * logits[0] + second * logits[1], validation.labels).item()

    a, b = factors.values()
    others = [(a + 0.01, b), (a - 0.01, b), (a, b + 0.01), (a, b - 0.01), (a + 0.01, b - 0.01)]
    assert loss(a, b) < min(loss(*each) for each in others)
    mixed = sum(factors[net.card.id] * net.run(test.images).logits for net in nets)
    assert score(mixed, test.labels) == pytest.approx(
        {name: found["log_linear"][name] for name in ("loss", "accuracy")}, abs=1e-4
    )
    assert "| ensemble (log-linear) | | 99." in results_table(cards, {"mnist": found})

    cards[1] = dataclasses.replace(cards[1], recipe={**cards[1].recipe, "held_out": 0})
    found = {"mnist": measure_ensembles(tmp_path, cards, probabilities, torch.device("cpu"))["mnist"]}
    assert "log_linear" not in found["mnist"]
    assert "| ensemble (log-linear) | | not measured yet |" in results_table(cards, found)


def test_ensembles_are_measured_again_where_the_log_linear_one_is_missing(checkpoint, hub, monkeypatch):
    """Untrained networks whose recipe held out ten images, and a file from before the log-linear ensemble."""
    ten = LabelledImages(torch.randint(0, 256, (10, 28, 28), dtype=torch.uint8), torch.arange(10))
    monkeypatch.setattr(ensembles, "load", lambda dataset, train: ten)
    monkeypatch.setattr(ensembles, "measure_tta", lambda *_: crops(1))
    for name in ("lenet5.mnist", "mini_resnet.mnist"):
        checkpoint(name)
    cards = [dataclasses.replace(card, recipe={"held_out": 10}) for card in hub.cards().values()]
    old = measure_ensembles(hub.weights_dir, list(hub.cards().values()), {}, torch.device("cpu"))
    write_averaged(hub.weights_dir, old)
    new = measure_ensembles(hub.weights_dir, cards, {}, torch.device("cpu"))
    assert "log_linear" not in old["mnist"] and new["mnist"] == old["mnist"] | {"log_linear": ANY}
    write_averaged(hub.weights_dir, new)
    monkeypatch.setattr(ensembles, "load_model", lambda folder: pytest.fail("it was measured again"))
    assert measure_ensembles(hub.weights_dir, cards, {}, torch.device("cpu")) == read_averaged(hub.weights_dir) == new


def crops(count):
    return {"pictures": count, "accuracy": {"1": 50.0}}


def test_the_same_weights_are_not_measured_again(checkpoint, hub, monkeypatch):
    """Untrained networks on ten images; the second time no network is new, the third time one is."""
    names, measured = ("lenet5.mnist", "mini_resnet.mnist"), []
    ten = LabelledImages(torch.randint(0, 256, (10, 28, 28), dtype=torch.uint8), torch.arange(10))
    monkeypatch.setattr(ensembles, "load", lambda dataset, train: ten)
    monkeypatch.setattr(ensembles, "measure_tta", lambda net, *_: measured.append(net.card.id) or crops(len(measured)))
    checkpoint(names[0])
    main(["--averages", "--weights", str(hub.weights_dir)])
    assert read_averaged(hub.weights_dir) == {} and not measured  # one network is no ensemble
    checkpoint(names[1])
    for _ in range(2):
        main(["--averages", "--weights", str(hub.weights_dir)])
        found = read_averaged(hub.weights_dir)["mnist"]
        assert measured == list(names) and [ids for ids, _ in found["together"]] == [[names[0]], [names[1]], [*names]]
    checkpoint(names[1])
    main(["--averages", "--weights", str(hub.weights_dir)])
    newer = read_averaged(hub.weights_dir)["mnist"]
    assert measured == [*names, names[1]] and newer["looks"] == {names[0]: crops(1), names[1]: crops(3)}
    assert newer["weights"] == {id: card.weights_sha256 for id, card in hub.cards().items()}
    given = {names[0]: torch.eye(10)}
    found = measure_ensembles(hub.weights_dir, list(hub.cards().values()), given, torch.device("cpu"))
    assert found["mnist"]["together"][0] == [[names[0]], 100.0] and found["mnist"]["looks"] == newer["looks"]


@pytest.mark.parametrize("change", [
    "{", "[]", '{"mnist": 1}', '{"cifar": {}}', lambda found: found.pop("weights"),
    lambda found: found.update(accuracy=101), lambda found: found["together"].append([["vgg.mnist"], 50.0]),
    lambda found: found.update(loss=math.nan), lambda found: found.update(log_linear={}),
    lambda found: found["log_linear"].update(factors={}), lambda found: found["log_linear"].update(accuracy=-1),
    lambda found: found["log_linear"]["factors"].update({"lenet5.mnist": -0.1}),
    lambda found: found["log_linear"]["factors"].update({"lenet5.mnist": math.inf}),
    lambda found: found["log_linear"]["factors"].update({"vgg.mnist": 1.0}),
    lambda found: found["looks"].update({"lenet5.mnist": {"pictures": 10_001, "accuracy": {}}}),
    lambda found: found["looks"].update({"lenet5.mnist": {"pictures": 10, "accuracy": {"1": None}}}),
    lambda found: found["looks"].update({"lenet5.mnist": {"pictures": 10, "accuracy": {"none": 1.0}}}),
])  # fmt: skip
def test_damaged_results_are_named_and_kept(change, checkpoint, hub, monkeypatch):
    monkeypatch.setattr(ensembles, "measure_tta", lambda *_: pytest.fail("it went on"))
    folder = checkpoint()
    log_linear = {"accuracy": 50.0, "loss": 0.1, "factors": {"lenet5.mnist": 1.0}}
    found = {
        "accuracy": 50.0, "loss": 0.1, "weights": {"lenet5.mnist": "a"}, "together": [[["lenet5.mnist"], 50.0]],
        "log_linear": log_linear, "looks": {},
    }  # fmt: skip
    if not isinstance(change, str):
        change(found)
        change = json.dumps({"mnist": found})
    path = folder.parent / "averaged.json"
    path.write_text(change)
    for task in ("--averages", "--looks", "--table"):
        with pytest.raises(SystemExit, match=rf"error: {path} is not the accuracies of ensembles .*; restore it"):
            main([task, "--weights", str(folder.parent)])
    assert path.read_text() == change


def test_tta_resumes_where_it_was_stopped(checkpoint, hub, monkeypatch, capsys):
    """Untrained networks; stopped after all of 100 images of the first and 70 of the second."""
    ten = LabelledImages(torch.randint(0, 256, (10, 28, 28), dtype=torch.uint8), torch.arange(10))
    monkeypatch.setattr(ensembles, "load", lambda dataset, train: ten)
    monkeypatch.setattr(ensembles, "initial_count", lambda card: 20)
    monkeypatch.setattr(ensembles, "COUNT", 100)
    parts, stops = [], [3]

    def interrupted(net, found, count):
        if len(parts) == stops[0]:
            raise KeyboardInterrupt
        parts.append((net.card.id, found.get("pictures", 0), count))
        return measure_tta(net, found, count)

    monkeypatch.setattr(ensembles, "measure_tta", interrupted)
    names = [checkpoint(id).name for id in ("lenet5.mnist", "mini_resnet.mnist")]
    main(["--averages", "--weights", str(hub.weights_dir)])
    assert parts == [(name, 0, 20) for name in names]
    stops[0] = 5
    command = ["--looks", "--weights", str(hub.weights_dir)]
    with pytest.raises(SystemExit, match="the same command resumes"):
        main(command)
    stops[0] = 99
    main(command)
    later = [(names[0], 20, 70), (names[0], 70, 100), (names[1], 20, 70), (names[1], 70, 100)]
    assert parts[2:] == later, "a part was measured twice, or never"
    found = read_averaged(hub.weights_dir)["mnist"]["looks"]
    assert {id: each["pictures"] for id, each in found.items()} == dict.fromkeys(names, 100)
