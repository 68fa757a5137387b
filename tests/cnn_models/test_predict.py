"""One image through several networks: answers, verdicts, and the sentences for what does not fit."""

import dataclasses
import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from cnn_models import DATASETS, compare
from cnn_models.analysis.ood import MARGIN, energy
from cnn_models.analysis.verdict import Reason, Verdict
from cnn_models.checkpoints.folder import WEIGHTS, CheckpointError
from cnn_models.checkpoints.ids import parse
from cnn_models.folders import default_weights_dir
from cnn_models.hub.errors import MissingCheckpoint
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.preprocess import BlankImage
from cnn_models.predict import Prediction, PredictionCache, predict
from tests.conftest import make_card

IMAGE = np.full((100, 100), 255, np.uint8)
IMAGE[20:80, 45:55] = 0


class Fixed(nn.Module):
    """Answers the same logits to any image."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor([logits], dtype=torch.float32)

    def forward(self, x):
        assert x.shape == (1, 1, 28, 28) and x.dtype == torch.float32
        return self.logits


def logits_for(label, probability=0.999):
    """Ten logits whose softmax gives one class this probability and the others the rest in equal parts."""
    return [math.log(probability if index == label else (1 - probability) / 9) for index in range(10)]


def network(logits, id="lenet5.mnist", **card):
    card = dataclasses.replace(make_card(*parse(id).name.split(".")), **card)
    return LoadedModel(Fixed(logits), card, torch.device("cpu"), id, "")


def compare_fixed(*logits, thresholds=(None,) * 4):
    """The comparison of networks that answer these logits."""
    ids = ["lenet5.mnist", "mini_inception.mnist", "mini_resnet.mnist", "someone/lenet5.mnist"][: len(logits)]
    rows = zip(ids, logits, thresholds[: len(logits)], strict=True)
    nets = {id: network(values, id, energy_threshold=threshold) for id, values, threshold in rows}

    def run(id, use):
        if id not in nets:
            raise MissingCheckpoint("checkpoint.none", id=id)
        return use(nets[id])

    hub = SimpleNamespace(
        run=run, is_third_party=lambda id: False, fetch=lambda ids: None, centroids=lambda id: None,
        weights_dir=default_weights_dir(),
    )  # fmt: skip
    return compare(IMAGE, "mnist", ids, hub)


def test_answer():
    logits = [0.0] * 10
    logits[3], logits[8] = 20.0, 5.0
    grid = np.zeros((28, 28), np.uint8)
    answer = predict(network(logits, "lenet5.fashion_mnist"), grid)
    classes = DATASETS["fashion_mnist"].classes
    assert (answer.id, answer.label) == ("lenet5.fashion_mnist", classes[3])
    assert tuple(answer.probabilities) == classes
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert answer.margin == 15.0 and answer.milliseconds > 0
    assert 0.9999 < predict(network([20.0] + [0.0] * 9), grid).probabilities["0"] < 1  # in float32 it would be 1

    warm = predict(network(logits, temperature=2.0), grid)
    expected = torch.tensor(logits).double().div(2).softmax(0)
    assert list(warm.probabilities.values()) == pytest.approx(expected.tolist())
    assert warm.margin == 15.0
    assert [*warm.to_dict()["uncalibrated"].values()] == pytest.approx([*answer.probabilities.values()])
    even = predict(network([3.0] * 4 + [-99.0] * 6), grid)
    assert even.to_dict()["entropy"] == pytest.approx(2)  # four classes alike

    with pytest.raises(CheckpointError, match=r"the logits of .* are not finite"):
        predict(network([float("nan")] * 10), grid)


def test_whole_way(checkpoint, hub):
    for id in ("lenet5.mnist", "mini_resnet.mnist", "mini_resnet.fashion_mnist"):
        checkpoint(id)
    result = compare(IMAGE, "mnist", hub=hub)
    assert [answer.id for answer in result.models] == ["lenet5.mnist", "mini_resnet.mnist"]
    assert result.image.shape == (28, 28) and result.image.dtype == np.uint8
    chosen = compare(IMAGE, "mnist", ["mini_resnet", "lenet5.mnist"], hub)
    assert [answer.id for answer in chosen.models] == ["mini_resnet.mnist", "lenet5.mnist"]
    assert chosen.models[1].probabilities == pytest.approx(result.models[0].probabilities)

    document = result.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document) == ["dataset", "verdict", "models", "digits", "log_linear"]
    assert list(document["verdict"]) == ["label", "votes", "unusual", "why", "probabilities"]
    fields = [*Prediction.__annotations__, "entropy", "uncalibrated"]
    assert [list(model) for model in document["models"]] == [fields] * 2
    assert [m["source"] for m in document["models"]] == ["weights/lenet5.mnist", "weights/mini_resnet.mnist"]
    assert document["dataset"] == "mnist" and list(document["models"][0]["probabilities"]) == list("0123456789")


def test_a_network_of_others_is_measured_here(checkpoint, hub, fake_hub, monkeypatch, tmp_path):
    monkeypatch.setattr("cnn_models.predict.MEASURING", 0)
    commit = fake_hub.push("someone/lenet5.mnist", checkpoint(root=tmp_path / "published"))
    checkpoint()
    ours, foreign = compare(IMAGE, "mnist", ["lenet5", "someone/lenet5.mnist@main"], hub).models
    assert ours.measured is None and foreign.source == f"someone/lenet5.mnist@{commit}"
    assert foreign.measured.count == 100 and foreign.measured == hub.measure("someone/lenet5.mnist", seconds=0)


def test_verdict():
    verdict = compare_fixed(logits_for(7), logits_for(1), logits_for(7)).verdict
    assert (verdict.label, verdict.unusual, verdict.why) == ("7", False, "")
    assert list(verdict.votes.items()) == [("7", 2), ("1", 1)]
    assert verdict.probabilities["7"] == pytest.approx((0.999 + 0.001 / 9 + 0.999) / 3)


@pytest.mark.parametrize(
    ("labels", "code", "votes"),
    [("7", "single", 1), ("77", "unanimous", 2), ("771", "majority", 2), ("71", "split", 1), ("7719", "split", 2)],
)
def test_a_verdict_says_how_far_the_networks_agree(labels, code, votes):
    verdict = compare_fixed(*[logits_for(int(label)) for label in labels]).verdict
    assert verdict.agreement == (code, {"votes": votes, "count": len(labels)})


def test_a_doubt_has_the_values_of_its_sentence():
    undecided = compare_fixed(logits_for(1, 0.4), logits_for(7, 0.2)).verdict
    assert undecided.warning == ("undecided", {"label": "1", "probability": undecided.probabilities["1"]})
    answers = compare_fixed(*[logits_for(7)] * 3, thresholds=(-99.0, None, -99.0)).models
    assert Verdict.of(answers).warning == ("ood", {"unusual": 2, "count": 3})
    assert Verdict.of(answers, Reason("sheet", {})).warning == ("sheet", {})


def test_predictions_are_remembered_for_the_same_network_and_image(monkeypatch):
    shown, net = [], network(logits_for(7))
    monkeypatch.setattr("cnn_models.predict.predict_all", lambda net, grids: [shown.append(len(grids))] * len(grids))
    cache, (first, second, third) = PredictionCache(size=2), np.eye(3, 28, dtype=np.uint8)[:, None]
    for _ in range(2):
        cache(net, [first, second])
    assert shown == [2]
    cache(net.without(["normalisation"]), [first])
    cache(net, [third, second])
    assert shown == [2, 1, 1], "the least recently used was dropped"


def test_verdict_tie_goes_to_the_surer():
    verdict = compare_fixed(logits_for(1, 0.6), logits_for(7, 0.9)).verdict
    assert verdict.label == "7" and list(verdict.votes.items()) == [("7", 1), ("1", 1)]


def test_verdict_by_votes_not_by_probability():
    verdict = compare_fixed(logits_for(1, 0.4), logits_for(1, 0.4), logits_for(7, 0.99)).verdict
    assert verdict.label == "1" and verdict.unusual
    assert verdict.why == "No class has half of the probability: the likeliest, 7, has 37.4% on average."


def test_unusual():
    verdict = compare_fixed(logits_for(1), logits_for(7), logits_for(4)).verdict
    assert verdict.unusual and re.fullmatch(r"No class has half .* [147], has 33.3% on average\.", verdict.why)
    assert compare_fixed(logits_for(1, 0.3)).verdict.unusual
    assert not compare_fixed(logits_for(1, 0.51)).verdict.unusual


def test_energy_above_the_threshold_is_unusual():
    logits = [6.0] + [0.0] * 9
    found = -3 * math.log(math.exp(6 / 3) + 9)
    assert energy(torch.tensor([logits, logits]).double()).tolist() == pytest.approx([found, found])
    grid = np.zeros((28, 28), np.uint8)
    assert predict(network(logits, energy_threshold=found - MARGIN - 0.01), grid).unusual is True
    assert predict(network(logits, energy_threshold=found - MARGIN + 0.01), grid).unusual is False
    assert predict(network(logits), grid).unusual is False
    halved = -3 * math.log(math.exp(6 / 2 / 3) + 9)
    assert predict(network(logits, temperature=2.0, energy_threshold=halved - MARGIN - 0.01), grid).unusual
    assert not predict(network(logits, temperature=2.0, energy_threshold=halved - MARGIN + 0.01), grid).unusual


@pytest.mark.parametrize(
    ("thresholds", "why"),
    [
        (
            (-99.0,),
            "The image may show none of the ten classes: the network finds it unlike anything seen in training.",
        ),
        ((99.0,), ""),
        ((-99.0, 99.0), ""),
        ((-99.0, None, None), ""),
        (
            (-99.0, None, -99.0),
            "The image may show none of the ten classes: 2 of 3 networks find it unlike anything seen in training.",
        ),
    ],
)
def test_unusual_when_most_networks_find_it_so(thresholds, why):
    verdict = compare_fixed(*[logits_for(7)] * len(thresholds), thresholds=thresholds).verdict
    assert (verdict.label, verdict.unusual, verdict.why) == ("7", bool(why), why)


BAD_NAMES = {
    "data set": ("cifar", [], "unknown name 'cifar'; known are mnist, fashion_mnist"),
    "name": ("mnist", ["vgg"], "'vgg' is not a checkpoint; known are lenet5.mnist"),
    "other data set": (
        "mnist",
        ["lenet5.fashion_mnist"],
        "lenet5.fashion_mnist is not of mnist; choose one whose name",
    ),
    "remote of other": ("mnist", ["a/lenet5.fashion_mnist@v1"], "@v1 is not of mnist"),
    "twice": ("mnist", ["lenet5", "lenet5.mnist"], "lenet5.mnist is named twice"),
    "remote twice": ("mnist", ["a/lenet5.mnist", "a/lenet5.mnist@main"], "a/lenet5.mnist is named twice"),
    "not a name": ("mnist", [["lenet5"]], "a list of names, such as lenet5"),
    "one string": ("mnist", "lenet5", "a list of names, such as lenet5"),
    "too many": (
        "mnist",
        [f"a/lenet5.mnist@v{n}" for n in range(17)],
        "17 networks are too many at once; name at most 16",
    ),
}


@pytest.mark.parametrize("case", BAD_NAMES)
def test_names_that_do_not_fit(case, hub):
    dataset, models, sentence = BAD_NAMES[case]
    with pytest.raises(ValueError, match=sentence):
        compare(IMAGE, dataset, models, hub)


def test_missing_and_damaged(checkpoint, hub, caplog):
    with pytest.raises(MissingCheckpoint, match=r"no weights for lenet5.mnist; run `python -m training.train lenet5."):
        compare(IMAGE, "mnist", hub=hub)
    checkpoint()
    with pytest.raises(MissingCheckpoint, match=r"no weights for alexnet.mnist; run"):
        compare(IMAGE, "mnist", ["lenet5", "alexnet"], hub)
    (checkpoint("mini_resnet.mnist") / WEIGHTS).write_bytes(b"")
    assert [answer.id for answer in compare(IMAGE, "mnist", hub=hub).models] == ["lenet5.mnist"]
    assert "mini_resnet.mnist is omitted" in caplog.text
    with pytest.raises(CheckpointError, match=r"is not the weights of mini_resnet.mnist"):
        compare(IMAGE, "mnist", ["mini_resnet"], hub)


def test_a_blank_image_gets_no_answer(checkpoint, hub):
    checkpoint()
    with pytest.raises(BlankImage):
        compare(np.full((50, 50), 255, np.uint8), "mnist", hub=hub)
