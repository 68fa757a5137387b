"""The hub finds, fetches and loads checkpoints; the real Hub client speaks to a server on the loopback."""

import socket
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from cnn_models import ModelHub
from cnn_models.checkpoints.folder import (
    CONFIG,
    WEIGHTS,
    CheckpointError,
    memory,
    read_history,
    read_weights,
    write_checkpoint,
)
from cnn_models.datasets.test_sets import Measured
from cnn_models.hub import model_hub as module
from cnn_models.hub import network_memory
from cnn_models.hub.errors import MissingCheckpoint

ID, REMOTE = "lenet5.mnist", "someone/lenet5.mnist"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        pytest.fail("something reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_local_needs_no_network(checkpoint, tmp_path, no_network):
    folder = checkpoint()
    hub = ModelHub(folder.parent, namespace="someone")
    assert hub.cards() == {ID: hub.card(ID)}
    net = hub.get(ID)
    assert (net.id, net.source, net.device, net.card) == (ID, "weights/lenet5.mnist", torch.device("cpu"), hub.card(ID))
    assert not net.model.training and not any(p.requires_grad for p in net.model.parameters())
    assert hub.folder(ID) == folder
    assert hub.get(ID) is net


def test_nothing_is_loaded_before_it_is_used(checkpoint, hub, monkeypatch):
    checkpoint()
    monkeypatch.setattr(module, "load_model", lambda folder: pytest.fail("loaded"))
    assert list(hub.cards()) == [ID] and hub.card(ID).id == ID


def test_cards_without_weights(checkpoint, hub):
    (checkpoint() / WEIGHTS).unlink()
    assert list(hub.cards()) == [ID] and hub.card(ID).id == ID
    with pytest.raises(MissingCheckpoint, match=r"no weights for .*; run `python -m training.train lenet5.mnist`"):
        hub.get(ID)


def test_damaged_folders_raise_and_leave_the_others(checkpoint, hub):
    checkpoint()
    (checkpoint("mini_resnet.mnist") / CONFIG).write_text("{}")
    checkpoint().rename(hub.weights_dir / "alexnet.mnist")
    checkpoint()
    assert list(hub.cards()) == [ID]
    for id, sentence in {
        "mini_resnet.mnist": "is not the card",
        "alexnet.mnist": "holds lenet5.mnist, not alex",
    }.items():
        for ask in (hub.card, hub.get):
            with pytest.raises(CheckpointError, match=sentence):
                ask(id)


def test_a_checkpoint_that_appears_is_found_at_once(checkpoint, hub):
    with pytest.raises(MissingCheckpoint, match="or set CNN_HUB_NAMESPACE"):
        hub.get(ID)
    checkpoint()
    assert hub.get(ID).id == ID


def test_environment_names_weights_and_namespace(checkpoint, monkeypatch):
    monkeypatch.setenv("CNN_WEIGHTS_DIR", str(checkpoint().parent))
    monkeypatch.setenv("CNN_HUB_NAMESPACE", "some/one")
    with pytest.raises(ValueError, match="'some/one' is not the name of a user"):
        ModelHub()
    assert list(ModelHub(namespace="someone").cards()) == [ID]


def test_many_threads_load_once(checkpoint, hub, monkeypatch):
    checkpoint()
    loads, load = [], module.load_model
    monkeypatch.setattr(module, "load_model", lambda folder: loads.append(folder) or load(folder))
    start = threading.Barrier(16)

    def get(_):
        start.wait()
        return hub.get(ID)

    with ThreadPoolExecutor(16) as pool:
        nets = list(pool.map(get, range(16)))
    assert len(loads) == 1 and all(net is nets[0] for net in nets)


def test_a_slow_load_holds_up_no_other(checkpoint, hub, monkeypatch):
    checkpoint()
    checkpoint("mini_resnet.mnist")
    entered, leave, load = threading.Event(), threading.Event(), module.load_model

    def slow(folder):
        if folder.name == "mini_resnet.mnist":
            entered.set()
            assert leave.wait(20)
        return load(folder)

    monkeypatch.setattr(module, "load_model", slow)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(hub.get, "mini_resnet.mnist")
        assert entered.wait(20)
        assert hub.get(ID).id == ID and not other.done()
        leave.set()
        assert other.result().id == "mini_resnet.mnist"


def test_a_thread_that_waits_for_a_load_that_fails_loads_the_network_itself(checkpoint, hub, monkeypatch):
    checkpoint()
    entered, leave, load, loads = threading.Event(), threading.Event(), module.load_model, []

    def fail_once(folder):
        loads.append(folder)
        if len(loads) > 1:
            return load(folder)
        entered.set()
        assert leave.wait(20)
        raise OSError("once")

    monkeypatch.setattr(module, "load_model", fail_once)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hub.get, ID)
        assert entered.wait(20)
        second = pool.submit(hub.get, ID)
        leave.set()
        assert second.result().id == ID
        with pytest.raises(OSError, match="once"):
            first.result()
    assert len(loads) == 2


@pytest.fixture
def three(checkpoint, hub, monkeypatch):
    """Three checkpoints, and room for the two smaller ones."""
    monkeypatch.setattr(network_memory, "PATIENCE", 0.05)
    ids = [ID, "mini_resnet.mnist", "mini_inception.mnist"]
    for id in ids:
        checkpoint(id)
    hub._networks.limit = memory("lenet5") + memory("mini_inception")
    return ids


def test_memory_is_limited_and_the_least_recently_used_network_is_evicted(hub, three):
    first, second = (weakref.ref(hub.get(id).model) for id in three[:2])
    hub.get(three[0])
    hub.get(three[2])
    assert first() and not second()
    assert hub._networks.size <= hub._networks.limit
    assert hub.get(three[0]).model is first()


def test_no_network_in_use_is_evicted(hub, three):
    models = [hub.get(id).model for id in three[:2]]
    with pytest.raises(CheckpointError, match=r"needs 0 MB, and there is no room for it .* try again, or raise it"):
        hub.get(three[2])
    assert [hub.get(id).model for id in three[:2]] == models
    del models[1]
    assert hub.get(three[2]).id == three[2] and hub.get(three[0]).model is models[0]


def test_many_threads_in_little_memory(hub, three, monkeypatch):
    monkeypatch.setattr(network_memory, "PATIENCE", 20)
    peak = []

    def use(network):
        peak.append(hub._networks.size)
        return network.model(torch.zeros(1, 1, 28, 28)).shape

    with ThreadPoolExecutor(16) as pool:
        shapes = list(pool.map(lambda i: hub.run(three[i % 3], use), range(96)))
    assert set(shapes) == {(1, 10)} and max(peak) <= hub._networks.limit


def test_larger_than_the_memory(checkpoint, hub):
    checkpoint()
    hub._networks.limit = 1000
    with pytest.raises(CheckpointError, match="no room for it in the 0 MB of --max-memory"):
        hub.get(ID)


@pytest.mark.parametrize("fails", ["placing", "answering"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("error", [(torch.OutOfMemoryError, "CUDA"), (RuntimeError, "MPS backend out of memory")])
def test_a_full_gpu_is_cleared_then_the_cpu_answers(fails, times, error, checkpoint, hub, monkeypatch):
    """The GPU here is the CPU by another name, whose memory the first `times` uses find full."""
    checkpoint()
    checkpoint("mini_resnet.mnist")
    gpu, left = torch.device("cpu:0"), [times]
    hub.device = gpu

    def full(device):
        if device == gpu and left[0]:
            left[0] -= 1
            kind, text = error
            raise kind(text)

    place, held = module.place, hub.get("mini_resnet.mnist")
    idle = weakref.ref(hub.get("lenet5.mnist").model)
    if fails == "placing":
        hub._networks.evict(memory("mini_resnet"))
        monkeypatch.setattr(module, "place", lambda model, device: full(device) or place(model, device))

    def use(net):
        if fails == "answering":
            full(net.device)
        return net.device

    answered = hub.run(ID, use)
    assert answered == (gpu if times == 1 else torch.device("cpu")) and left == [0]
    assert idle() is None and hub.get("mini_resnet.mnist").model is held.model
    assert hub.get(ID).device == answered


def test_other_errors_of_a_network_are_not_taken_for_a_full_gpu(checkpoint, hub):
    checkpoint()
    asked = []

    def use(net):
        asked.append(net)
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        hub.run(ID, use)
    assert len(asked) == 1


BAD = [
    "", "lenet5", "lenet5.cifar", "../lenet5.mnist", "/lenet5.mnist", "a/b/lenet5.mnist", "lenet5.mnist/..", "a/..",
    "lenet5.mnist@main", "../..@x", "a/lenet5.mnist@", "a/lenet5.mnist@..", "a/lenet5.mnist@x/../y",
    "a/lenet5.mnist@/etc", "a\\lenet5.mnist", "a/lenet5.mnist\n", "-a/lenet5.mnist", "ä/lenet5.mnist",
    "a" * 10**6 + "/lenet5.mnist",
]  # fmt: skip


@pytest.mark.parametrize("id", BAD, ids=lambda id: repr(id)[:30])
def test_bad_ids_touch_neither_disk_nor_network(id, hub, no_network):
    for ask in (hub.get, hub.card, hub.folder):
        with pytest.raises(ValueError, match=r"is not a checkpoint; known are lenet5.mnist, alexnet.mnist") as error:
            ask(id)
        assert len(str(error.value)) < 500


def test_measured_once_whatever_the_card_says(checkpoint, hub, monkeypatch):
    checkpoint()
    found = hub.measure(ID, seconds=0)
    assert 0 < found.count < 10_000 and abs(found.accuracy - 10) < 30
    monkeypatch.setattr(module, "measure", lambda *_: pytest.fail("measured again"))
    assert hub.measure(ID, seconds=1) is found
    whole = Measured(9_000, 10_000)
    monkeypatch.setattr(module, "measure", lambda *_: whole)
    assert hub.measure(ID) is hub.measure(ID, seconds=1) is whole


def test_a_network_that_is_replaced_in_the_folder_is_loaded_anew(checkpoint, hub):
    folder = checkpoint()
    first = hub.get("lenet5.mnist")
    assert hub.get("lenet5.mnist") is first
    tensors, card = read_weights(folder)
    write_checkpoint(folder, tensors, replace(card, temperature=2.0), read_history(folder), "")
    assert hub.get("lenet5.mnist").card.temperature == 2 and first.card.temperature == 1
