"""Attacks on all networks: what is measured, kept and measured again, and what a damaged file gets."""

import json
import shutil

import pytest
import torch

from cnn_models import ModelHub
from cnn_models.analysis.adversarial import deepfool
from cnn_models.analysis.attacks import ATTACKS, COUNT, attacks_of, read_attacks, spread_order
from cnn_models.datasets.test_sets import load_test_set
from tests.conftest import ROOT
from training import attacks
from training.adversarial import main

FIRST, SECOND = "lenet5.mnist", "mini_resnet.mnist"


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """`measure(3)` attacks copies of two bundled networks on 3 test images, 2 at once."""
    for id in (FIRST, SECOND):
        shutil.copytree(ROOT / "weights" / id, tmp_path / "weights" / id)
    monkeypatch.setattr(attacks, "PART", 2)

    weights = tmp_path / "weights"

    def run(count, *arguments):
        main(["--images", str(count), "--weights", str(weights), *arguments])
        return read_attacks(weights)

    return run


@pytest.fixture
def parts(monkeypatch):
    """The attacked network of each part that is measured."""
    ids, add = [], attacks.add_part
    monkeypatch.setattr(attacks, "add_part", lambda hub, id, *rest: ids.append(id) or add(hub, id, *rest))
    return ids


@pytest.mark.parametrize("count", [50, 200, 1_000])
def test_images_are_spread_evenly_over_the_test_set(count):
    order = spread_order(count)
    assert order == spread_order(1_000)[:count] and len(set(order)) == count
    for tenth in range(10):
        start = tenth * COUNT // 10
        assert abs(sum(start <= index < start + COUNT // 10 for index in order) - count / 10) <= 2


def test_norms_and_transfer_are_those_of_the_attacks(measure, hub, capsys, tmp_path):
    count = 12
    found = measure(count)
    images, labels = (torch.from_numpy(each[spread_order(count)]) for each in load_test_set("mnist"))
    images = images.float() / 255

    def right(id, images):
        return hub.get(id).run(images).logits.argmax(1) == labels

    for id, entry in found.items():
        correct, attack = right(id, images), deepfool(hub.get(id), images)
        assert entry["norms"]["l2"] == pytest.approx(torch.where(correct, attack.norms, 0).tolist(), rel=0.01)
        assert [size > 0 for size in entry["norms"]["linf"]] == correct.tolist()
        shifts = attack.images - images
        for other, cell in entry["transfer"].items():
            both = correct & right(other, images)
            for kind, perturbed in (("minimal", attack.images), ("doubled", (images + 2 * shifts).clamp(0, 1))):
                outcomes = zip(both, ~right(other, perturbed), strict=True)
                assert cell[kind] == "".join("-" if not of else "1" if wrong else "0" for of, wrong in outcomes)
        assert entry["transfer"][id]["minimal"].count("1") == correct.sum() > 0
    shown = attacks_of(tmp_path / "weights", hub.cards().values())
    assert shown
    for each in shown:
        cells = found[each.card.id]["transfer"].items()
        shares = {other: cell["doubled"].count("1") / (count - cell["doubled"].count("-")) for other, cell in cells}
        assert each.transfer["doubled"] == shares
    assert "| attacked, MNIST | correct | median L2 | median L∞ | LeNet-5 | Mini ResNet |" in capsys.readouterr().out


def test_only_what_is_new_is_measured(measure, parts, checkpoint, tmp_path):
    weights = tmp_path / "weights"
    first = measure(3)
    assert parts == [FIRST] * 2 + [SECOND] * 2 and measure(3) == first and len(parts) == 4
    more = measure(4, FIRST)
    assert parts[4:] == [FIRST] and more[SECOND] == first[SECOND]
    assert more[FIRST]["norms"]["l2"][:3] == first[FIRST]["norms"]["l2"] and len(more[FIRST]["norms"]["l2"]) == 4
    compared = attacks_of(weights, ModelHub(weights).cards().values())
    assert {each.card.id: each.images for each in compared} == {FIRST: 3, SECOND: 3}, "those that both have"
    checkpoint(SECOND)  # other weights: no attack on them, nor with their answers, is shown
    shown = attacks_of(weights, ModelHub(weights).cards().values())
    assert all(each.card.id == FIRST and SECOND not in each.transfer["minimal"] for each in shown)
    assert measure(2).keys() == {FIRST, SECOND} and parts[5:] == [FIRST, SECOND]


def test_an_interrupted_measurement_keeps_its_parts(measure, parts, monkeypatch, tmp_path):
    write = attacks.write_attacks

    def stop(*arguments):
        write(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(attacks, "write_attacks", stop)
    with pytest.raises(KeyboardInterrupt):
        measure(4)
    monkeypatch.setattr(attacks, "write_attacks", write)
    kept = read_attacks(tmp_path / "weights")
    assert kept.keys() == {FIRST} and len(kept[FIRST]["norms"]["l2"]) == 2
    found = measure(4)
    assert found[FIRST]["norms"]["l2"][:2] == kept[FIRST]["norms"]["l2"] and parts.count(FIRST) == 2


CELL = {"weights_sha256": "b", "minimal": "1-", "doubled": "0-"}


@pytest.mark.parametrize("change", [
    "{", "[]", '{"a": 1}', {"norms": {"l2": [1.0, 2.0]}}, {"norms": {"l2": [1.0], "linf": [0.1, 0.2]}},
    {"norms": {"l2": [], "linf": []}}, {"norms": {"l2": [-1.0], "linf": [0.1]}},
    {"norms": {"l2": ["1"], "linf": [0.1]}}, {"norms": {"l2": [float("nan")], "linf": [0.1]}},
    {"weights_sha256": 1}, {"transfer": {"lenet5.fashion_mnist": CELL}}, {"transfer": {FIRST: CELL | {"minimal": "1"}}},
    {"transfer": {FIRST: CELL | {"minimal": "12"}}}, {"transfer": {FIRST: CELL | {"doubled": None}}},
    {"transfer": {FIRST: CELL | {"doubled": ["1", "-"]}}},
    {"transfer": {FIRST: {}}},
])  # fmt: skip
def test_a_damaged_file_is_named_and_kept(change, checkpoint):
    path = checkpoint(FIRST).parent / ATTACKS
    good = {"weights_sha256": "a", "norms": {"l2": [1.0, None], "linf": [0.1, 0.2]}, "transfer": {FIRST: CELL}}
    path.write_text(json.dumps({FIRST: good}))
    assert read_attacks(path.parent) == {FIRST: good}
    path.write_text(text := change if isinstance(change, str) else json.dumps({FIRST: good | change}))
    with pytest.raises(SystemExit, match=rf"error: {path} is not the attacks .* `python -m training.adversarial`"):
        main(["--weights", str(path.parent)])
    assert path.read_text() == text


def test_without_networks_a_sentence_says_what_to_train(tmp_path):
    with pytest.raises(SystemExit, match=r"error: no weights for lenet5.mnist in .*; run `python -m training.train"):
        main(["--weights", str(tmp_path)])
