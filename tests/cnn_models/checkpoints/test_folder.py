"""Checkpoints come back as they were written, and what is not one is refused with a sentence."""

import errno
import json
import os

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from cnn_models import ARCHITECTURES, Card, create_model
from cnn_models.checkpoints import folder as module
from cnn_models.checkpoints.folder import (
    CONFIG,
    EVALUATION,
    FILES,
    HISTORY,
    WEIGHTS,
    CheckpointError,
    load_model,
    read_card,
    read_evaluation,
    read_weights,
    write_checkpoint,
)
from tests.conftest import make_card, make_evaluation


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_round_trip(name, tmp_path):
    state = create_model(name).state_dict()
    history = [{column: float(epoch) for column in module.HISTORY_COLUMNS} for epoch in (1, 2)]
    folder = tmp_path / f"{name}.mnist"
    card = write_checkpoint(folder, state, make_card(name), history, "# Card\n")
    half = sum(tensor.numel() * 4 for tensor in state.values()) > module.HALF_ABOVE
    assert half == (name in ("alexnet", "googlenet"))
    assert card.weights_dtype == ("float16" if half else "float32")
    assert {path.name for path in folder.iterdir()} == set(FILES) - {EVALUATION}
    assert read_evaluation(folder) is None
    assert module.read_card(folder) == card
    assert module.read_history(folder) == history

    model, loaded = load_model(folder)
    assert loaded == card and not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    for key, tensor in model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, state[key].half().float() if half else state[key]), key

    with safe_open(folder / WEIGHTS, "pt") as file:
        assert file.metadata().keys() == {"card"}
        assert Card.from_json(file.metadata()["card"]) == card

    evaluation = make_evaluation(card.weights_sha256)
    stored, _ = module.read_weights(folder)
    before = content(folder)
    write_checkpoint(folder, stored, card, history, "# Card\n", evaluation)
    assert content(folder) == before | {EVALUATION: evaluation.to_json().encode() + b"\n"}
    assert read_evaluation(folder) == evaluation


def rewrite(folder, tensors=None, header=None, rehash=False, **fields):
    """Store other tensors and card fields; the header carries the same card unless it is given apart."""
    tensors = tensors or load_file(folder / WEIGHTS)
    fields |= {"weights_sha256": module.weights_hash(tensors)} if rehash else {}
    card = json.loads((folder / CONFIG).read_text()) | fields
    save_file(tensors, folder / WEIGHTS, metadata={"card": json.dumps(card)} if header is None else header)
    (folder / CONFIG).write_text(json.dumps(card))


def change_tensor(key, change):
    def edit(folder):
        tensors = load_file(folder / WEIGHTS)
        tensors[key] = change(tensors[key]).contiguous()
        rewrite(folder, tensors, rehash=True)

    return edit


def drop_tensor(folder):
    tensors = load_file(folder / WEIGHTS)
    del tensors["c1.bias"]
    rewrite(folder, tensors, rehash=True)


def add_tensor(folder):
    rewrite(folder, load_file(folder / WEIGHTS) | {"c9.bias": torch.zeros(1)}, rehash=True)


def change_a_byte(folder):
    raw = bytearray((folder / WEIGHTS).read_bytes())
    raw[-1] ^= 1
    (folder / WEIGHTS).write_bytes(raw)


def truncate(folder):
    os.truncate(folder / WEIGHTS, 100_000)


def not_a_number(tensor):
    return tensor.index_fill(0, torch.tensor(0), float("nan"))


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was executed",)


def set_fields(**fields):
    return lambda folder: rewrite(folder, **fields)


def pickle(folder):
    torch.save({"c1.weight": Bomb()}, folder / WEIGHTS)


SPLIT = {"train": 55_000, "validation": 5_000, "extra": 0}
REFUSED = {
    "unknown architecture": (set_fields(architecture="vgg"), "unknown architecture 'vgg'; known are lenet5"),
    "unknown data set": (set_fields(dataset="cifar"), "unknown data set 'cifar'; known are mnist"),
    "other classes": (set_fields(dataset="fashion_mnist"), "its classes are not those of fashion_mnist"),
    "impossible size": (set_fields(input_size=32), "lenet5 cannot take images of size 32"),
    "no deviation": (set_fields(std=0.0), "cannot normalise"),
    "temperature": (set_fields(temperature=1e-310), "temperature 1e-310 is not between 1/20 and 20"),
    "fitted temperature": (set_fields(fitted_temperature=0), "temperature 0 is not between 1/20 and 20"),
    "energy": (set_fields(energy_threshold=1e7), "energy threshold 10000000.0 is not a possible energy"),
    "no number": (set_fields(energy_threshold=float("nan")), "it holds a number that is not finite"),
    "true mean": (set_fields(mean=True), "mean must be a number"),
    "true seed": (set_fields(seed=True), "seed must be a whole number"),
    "half a size": (set_fields(input_size=28.0), "input_size must be a whole number"),
    "metrics in words": (set_fields(metrics={"test_accuracy": "99"}), "metrics.test_accuracy must be a number"),
    "true metrics": (set_fields(metrics={"test_loss": True}), "metrics.test_loss must be a number"),
    "more than all": (set_fields(metrics={"test_accuracy": 101}), "test_accuracy is 101, which is not a percentage"),
    "changes in a list": (set_fields(recipe={"changed": []}), "recipe.changed must be a JSON object"),
    "numbered version": (set_fields(versions={"torch": 2}), "versions.torch must be a text"),
    "classes in a text": (set_fields(classes="0123456789"), "classes must be a list"),
    "long commit": (set_fields(commit="0" * 1001), "commit must be a text of at most 1,000 characters"),
    "date": (set_fields(date=20260101), "date must be a text"),
    "short hash": (set_fields(weights_sha256="0" * 63), "weights_sha256 must be 64 hexadecimal digits"),
    "snapshots": (set_fields(snapshots_sha256=""), "snapshots_sha256 must be 64 hexadecimal digits"),
    "split in a list": (set_fields(split=[55_000, 5_000]), "split must be a JSON object"),
    "half a split": (set_fields(split={"train": 1, "validation": 0}), "missing or unknown fields: extra"),
    "another split": (set_fields(split=SPLIT | {"test": 1}), "missing or unknown fields: test"),
    "less than no images": (
        set_fields(split=SPLIT | {"extra": -1}),
        "split.extra must be a whole number that is not",
    ),
    "true images": (set_fields(split=SPLIT | {"train": True}), "split.train must be a whole number"),
    "long split": (set_fields(split="0" * 1001), "split must be a text of at most 1,000 characters"),
    "half a pair": (set_fields(split="\ud800"), "not Unicode text"),
    "half a pair for a name": (set_fields(**{"\ud800": 1}), "not Unicode text"),
    "more than 64 bits": (set_fields(recipe={"lr": 2**63}), "more than 64 bits"),
    "deep recipe": (set_fields(recipe={"lr": json.loads("[" * 99 + "]" * 99)}), "nested in more than 50 levels"),
    "energy in words": (set_fields(energy_threshold="low"), "is not the card of a checkpoint"),
    "endless mean": (set_fields(mean=10**400), "is not the card of a checkpoint"),
    "no classes": (set_fields(classes=7), "is not the card of a checkpoint"),
    "other type": (set_fields(weights_dtype="int8"), "weights of type 'int8'"),
    "unknown field": (set_fields(extra=1), "missing or unknown fields: extra"),
    "missing tensor": (drop_tensor, "missing or unknown tensors: c1.bias"),
    "extra tensor": (add_tensor, "missing or unknown tensors: c9.bias"),
    "wrong shape": (change_tensor("c1.bias", lambda t: t[:5]), r"c1.bias has shape \(5,\) instead of \(6,\)"),
    "wrong type": (
        change_tensor("c1.bias", torch.Tensor.half),
        "c1.bias is torch.float16, but torch.float32 on the card",
    ),
    "not finite": (change_tensor("c1.bias", not_a_number), "c1.bias is not finite; train again"),
    "changed byte": (change_a_byte, "changed or damaged after it was written"),
    "other header": (lambda f: rewrite(f, header={"card": make_card().to_json()}), "card in its header is not that of"),
    "no header": (lambda f: rewrite(f, header={}), "card in its header is not that of"),
    "two headers": (lambda f: rewrite(f, header={"card": "", "more": ""}), "card in its header is not that of"),
    "large header": (lambda f: rewrite(f, header={"card": " " * 2**21}), "larger than this network can be"),
    "large file": (lambda f: os.truncate(f / WEIGHTS, 2**30), "larger than this network can be"),
    "large config": (lambda f: os.truncate(f / CONFIG, module.CONFIG_LIMIT + 1), "larger than 1,048,576 bytes"),
    "deep config": (lambda f: (f / CONFIG).write_text("[" * 10**5), "is not the card of a checkpoint"),
    "no JSON": (lambda f: (f / CONFIG).write_bytes(b"\xff"), "is not the card of a checkpoint"),
    "truncated": (truncate, "is not the weights of lenet5.mnist"),
    "pickle": (pickle, "is not the weights of lenet5.mnist"),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), "is not the weights of lenet5.mnist"),
    "no config": (lambda f: (f / CONFIG).unlink(), "is not the card of a checkpoint"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(fault, checkpoint):
    folder = checkpoint()
    load_model(folder)
    damage, sentence = REFUSED[fault]
    damage(folder)
    with pytest.raises(CheckpointError, match=sentence):
        load_model(folder)


def test_edits_themselves_do_no_harm(checkpoint):
    folder = checkpoint()
    rewrite(folder, rehash=True)
    load_model(folder)


def test_a_card_without_newer_fields_is_read(checkpoint):
    folder = checkpoint()
    tensors, card = load_file(folder / WEIGHTS), json.loads((folder / CONFIG).read_text())
    del card["energy_threshold"], card["temperature"]
    save_file(tensors, folder / WEIGHTS, metadata={"card": json.dumps(card)})
    (folder / CONFIG).write_text(json.dumps(card))
    _, read = load_model(folder)
    assert (read.energy_threshold, read.temperature) == (None, 1.0)


def test_the_evaluation_says_how_many_of_each_class_are_recognised(checkpoint):
    assert read_evaluation(checkpoint()).accuracies == (100.0, *[0.0] * 9)


def edit_evaluation(edit):
    def damage(folder):
        values = json.loads((folder / EVALUATION).read_text())
        edit(values)
        (folder / EVALUATION).write_text(json.dumps(values))

    return damage


BAD_EVALUATIONS = {
    "other weights": (
        edit_evaluation(lambda v: v.update(weights_sha256="0")),
        "run `python -m training.evaluate lenet",
    ),
    "a field less": (edit_evaluation(lambda v: v.pop("wrong")), "has the fields confusion, weights_sha256 and wrong"),
    "nine classes": (edit_evaluation(lambda v: v["confusion"].pop()), "10 lists are expected"),
    "not square": (edit_evaluation(lambda v: v["confusion"][3].pop()), "confusion matrix is 10 x 10"),
    "no images": (edit_evaluation(lambda v: v["confusion"][0].__setitem__(0, 0)), "with images of every class"),
    "half an image": (edit_evaluation(lambda v: v["confusion"][0].__setitem__(0, 0.5)), "are whole"),
    "negative": (edit_evaluation(lambda v: v["wrong"][0].__setitem__(0, -1)), "not negative"),
    "contradiction": (edit_evaluation(lambda v: v["wrong"][0].pop()), "not as many as in the confusion matrix"),
    "beyond the test set": (
        edit_evaluation(lambda v: v["wrong"][0].__setitem__(0, 20)),
        "an index is not one of",
    ),
    "hash": (edit_evaluation(lambda v: v.update(weights_sha256=7)), "the hash of the weights is a text"),
    "twice": (edit_evaluation(lambda v: v["wrong"][0].__setitem__(0, 3)), "not as many as in the confusion matrix"),
    "no JSON": (lambda f: (f / EVALUATION).write_bytes(b"\xff"), "is not the evaluation of a checkpoint"),
    "deep": (lambda f: (f / EVALUATION).write_text("[" * 10**5), "is not the evaluation of a checkpoint"),
    "large": (lambda f: os.truncate(f / EVALUATION, module.CONFIG_LIMIT + 1), "larger than 1,048,576 bytes"),
}


@pytest.mark.parametrize("fault", BAD_EVALUATIONS)
def test_a_damaged_evaluation_is_refused_and_the_network_is_not(fault, checkpoint):
    folder = checkpoint()
    damage, sentence = BAD_EVALUATIONS[fault]
    damage(folder)
    with pytest.raises(CheckpointError, match=sentence):
        read_evaluation(folder)
    load_model(folder)


def test_history_with_a_word_for_a_number_is_refused(checkpoint):
    folder = checkpoint()
    (folder / HISTORY).write_text((folder / HISTORY).read_text().replace("1", "one"))
    with pytest.raises(CheckpointError, match="is not the history of a training"):
        module.read_history(folder)


def test_history_that_is_not_finite_is_refused(checkpoint):
    folder = checkpoint()
    (folder / HISTORY).write_text((folder / HISTORY).read_text().replace("1", "nan"))
    with pytest.raises(CheckpointError, match="is not the history of a training: it holds a number that is not finite"):
        module.read_history(folder)


def test_a_network_in_memory_outlives_its_file(checkpoint):
    folder = checkpoint()
    model, _ = load_model(folder)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    with open(folder / WEIGHTS, "r+b") as file:
        file.write(bytes((folder / WEIGHTS).stat().st_size))
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        SafetensorError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_full_disk_leaves_the_old_folder(error, checkpoint, monkeypatch):
    folder = checkpoint()
    before = content(folder)

    def half_written(tensors, path, metadata):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(module, "save_file", half_written)
    with pytest.raises(CheckpointError, match="as it was before: the disk is full; make room"):
        checkpoint()
    assert content(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_what_a_kill_between_two_renames_left_comes_back(checkpoint, monkeypatch):
    folder = checkpoint()
    tensors, card = read_weights(folder)
    folder.rename(folder.with_name(f".{folder.name}.old"))
    monkeypatch.setattr(module, "save_file", lambda *_, **__: (_ for _ in ()).throw(OSError("broken")))
    with pytest.raises(CheckpointError, match="was not written and is as it was before: broken"):
        write_checkpoint(folder, tensors, card, [], "")
    assert read_card(folder) == card
