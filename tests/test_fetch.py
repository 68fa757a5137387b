"""The real Hub client, speaking to a server on the loopback."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_models import ModelHub, fetch
from cnn_models import hub as module
from cnn_models.checkpoint import CONFIG, FILES, WEIGHTS, CheckpointError
from cnn_models.hub import MissingCheckpoint

ID, REMOTE = "lenet5.mnist", "someone/lenet5.mnist"


@pytest.fixture
def published(checkpoint, tmp_path):
    """A checkpoint folder that is not in `weights/`."""
    return checkpoint(root=tmp_path / "published")


def test_fetched_once_and_nothing_else_with_it(published, hub, fake_hub, tmp_path):
    commit = fake_hub.push(REMOTE, published, **{"pytorch_model.bin": b"pickle", "evil.py": b"", ".gitattributes": b""})
    net = hub.get(REMOTE)
    assert (net.id, net.source, net.card.id) == (REMOTE, f"{REMOTE}@{commit}", ID)
    assert hub.folder(REMOTE) == tmp_path / "cache" / "models--someone--lenet5.mnist" / "snapshots" / commit
    assert {path.name for path in hub.folder(REMOTE).iterdir()} == set(FILES)
    assert fake_hub.asked("GET") == sorted(FILES)

    fake_hub.requests.clear()
    assert hub.get(REMOTE) is net and hub.card(REMOTE) == net.card
    assert not fake_hub.requests
    ModelHub(hub.weights_dir).get(f"{REMOTE}@main")
    assert fake_hub.requests and not fake_hub.asked("GET") + fake_hub.asked("HEAD")


def test_a_card_costs_no_weights_and_is_of_their_version(checkpoint, published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    card = hub.card(REMOTE)
    assert fake_hub.asked("GET") == [CONFIG]
    fake_hub.push(REMOTE, checkpoint(root=published.parent))
    assert hub.get(REMOTE).card == card
    assert ModelHub(hub.weights_dir).get(REMOTE).card != card


def test_namespace_completes_the_folder(checkpoint, published, fake_hub):
    fake_hub.push(REMOTE, published)
    hub = ModelHub(checkpoint("mini_resnet.mnist").parent, namespace="someone")
    assert hub.get("mini_resnet.mnist").source == str(hub.weights_dir / "mini_resnet.mnist")
    assert not fake_hub.requests
    assert (hub.get(ID).id, hub.get(ID).source) == (ID, hub.get(REMOTE).source)
    assert list(hub.cards()) == ["mini_resnet.mnist"]


def test_a_cached_commit_costs_no_request(published, hub, fake_hub):
    commit = fake_hub.push(REMOTE, published)
    hub.get(f"{REMOTE}@{commit}")
    fake_hub.requests.clear()
    assert ModelHub(hub.weights_dir).get(f"{REMOTE}@{commit}").source == f"{REMOTE}@{commit}"
    assert not fake_hub.requests


def test_revisions(published, hub, fake_hub):
    commit = fake_hub.push(REMOTE, published, branch="refs/pr/1")
    assert hub.get(f"{REMOTE}@refs/pr/1").source == f"{REMOTE}@{commit}"
    with pytest.raises(MissingCheckpoint, match="has no revision 'main'; leave it out"):
        hub.get(REMOTE)


@pytest.mark.parametrize("offline", [False, True])
def test_out_of_reach_serves_what_is_cached(offline, published, hub, fake_hub, monkeypatch):
    commit = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)
    if offline:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    else:
        fake_hub.stop()
    hub = ModelHub(hub.weights_dir)
    assert hub.get(REMOTE).source == f"{REMOTE}@{commit}"
    sentence = "HF_HUB_OFFLINE is set; unset it" if offline else r"could not be fetched \(.*\); connect to the network"
    with pytest.raises(MissingCheckpoint, match=f"{sentence}.* or run `python -m training.train mini_resnet.mnist`"):
        hub.get("someone/mini_resnet.mnist")


def test_only_the_card_is_cached_and_the_hub_is_gone(published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    hub.card(REMOTE)
    fake_hub.stop()
    hub = ModelHub(hub.weights_dir)
    assert hub.card(REMOTE).id == ID
    with pytest.raises(MissingCheckpoint, match="could not be fetched"):
        hub.get(REMOTE)


def test_a_failure_is_remembered_for_a_while(published, hub, fake_hub, monkeypatch):
    for _ in range(3):
        with pytest.raises(MissingCheckpoint, match=f"the Hub has no {REMOTE}, or it is private; check the name"):
            hub.get(REMOTE)
    assert len(fake_hub.requests) == 1
    fake_hub.push(REMOTE, published)
    monkeypatch.setattr(module, "PATIENCE", 0)
    assert hub.get(REMOTE).id == REMOTE


def test_what_the_hub_holds_is_checked(checkpoint, published, hub, fake_hub, monkeypatch):
    fake_hub.push("someone/lenet5.mnist", published)
    fake_hub.gated.add("someone/lenet5.mnist")
    with pytest.raises(MissingCheckpoint, match="is gated; ask for access"):
        hub.get("someone/lenet5.mnist")
    (published / WEIGHTS).unlink()
    fake_hub.push("other/lenet5.mnist", published)
    with pytest.raises(MissingCheckpoint, match=r"has no model.safetensors; it must be published whole"):
        hub.get("other/lenet5.mnist")
    monkeypatch.setattr(fetch, "FILE_LIMIT", 1000)
    fake_hub.push("large/lenet5.mnist", checkpoint())
    with pytest.raises(MissingCheckpoint, match="has files larger than any of these networks"):
        hub.get("large/lenet5.mnist")
    assert not fake_hub.asked("GET")


def test_a_repository_under_a_wrong_name_is_refused(published, hub, fake_hub):
    fake_hub.push("someone/alexnet.mnist", published)
    for ask in (hub.card, hub.get):
        with pytest.raises(CheckpointError, match=r"holds lenet5.mnist, not alexnet.mnist"):
            ask("someone/alexnet.mnist")


def test_environment_names_hub_and_cache(published, fake_hub, tmp_path):
    """In a process of its own, as the Hub's client reads its environment when it is imported."""
    commit = fake_hub.push(REMOTE, published)
    code = f"from cnn_models import ModelHub; import json; print(json.dumps(ModelHub().get({ID!r}).source))"
    environment = os.environ | {
        "HF_ENDPOINT": fake_hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1",
        "CNN_HUB_NAMESPACE": "someone", "CNN_WEIGHTS_DIR": str(tmp_path / "empty"),
    }  # fmt: skip
    environment.pop("HF_HUB_CACHE", None)
    root = Path(module.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == f"{REMOTE}@{commit}"
    assert (tmp_path / "home" / "hub" / "models--someone--lenet5.mnist").is_dir()


def test_a_silent_hub_is_given_up(published, hub, fake_hub, monkeypatch):
    hub.folder(f"{REMOTE}@{fake_hub.push(REMOTE, published)}")
    monkeypatch.setattr(fetch, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(MissingCheckpoint, match=r"could not be fetched \(.*timed out.*\); connect"):
            hub.get(REMOTE)
