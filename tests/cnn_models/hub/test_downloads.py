"""The real Hub client, speaking to a server on the loopback."""

import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

from cnn_models import ModelHub, compare
from cnn_models.checkpoints.folder import CONFIG, FILES, HEADER_LIMIT, HISTORY, README, WEIGHTS, CheckpointError, memory
from cnn_models.hub import client, downloads, guard, limits
from cnn_models.hub.errors import DownloadPending, MissingCheckpoint
from tests.conftest import ROOT

ID, REMOTE = "lenet5.mnist", "someone/lenet5.mnist"


@pytest.fixture
def published(checkpoint, tmp_path):
    """A checkpoint folder that is not in `weights/`."""
    return checkpoint(root=tmp_path / "published")


def test_only_the_files_of_a_checkpoint_are_downloaded_and_once(published, hub, fake_hub, tmp_path):
    commit = fake_hub.push(REMOTE, published, **{"pytorch_model.bin": b"pickle", "evil.py": b"", ".gitattributes": b""})
    net = hub.get(REMOTE)
    assert (net.id, net.source, net.card.id) == (REMOTE, f"{REMOTE}@{commit}", ID)
    assert hub.folder(REMOTE) == tmp_path / "cache" / "models--someone--lenet5.mnist" / "snapshots" / commit
    assert {path.name for path in hub.folder(REMOTE).iterdir()} == set(FILES)
    assert fake_hub.requested("GET") == sorted(set(FILES) - {WEIGHTS}) and fake_hub.bodies() == 1

    fake_hub.requests.clear()
    assert hub.get(REMOTE) == net and hub.card(REMOTE) == net.card
    assert not fake_hub.requests
    ModelHub(hub.weights_dir).get(f"{REMOTE}@main")
    assert fake_hub.requests and not fake_hub.requested("GET") + fake_hub.requested("HEAD")


def test_a_card_costs_no_weights_and_is_of_their_version(checkpoint, published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    card = hub.card(REMOTE)
    assert fake_hub.requested("GET") == [CONFIG]
    fake_hub.push(REMOTE, checkpoint(root=published.parent))
    assert hub.get(REMOTE).card == card
    assert ModelHub(hub.weights_dir).get(REMOTE).card != card


def test_the_known_commit_of_a_branch_is_served_until_the_newer_one_is_complete(
    checkpoint, published, hub, fake_hub, monkeypatch
):
    """Card, weights and measured accuracy are of one commit."""
    first = fake_hub.push(REMOTE, published)
    net, found = hub.get(REMOTE), hub.measure(REMOTE, seconds=0)
    second = fake_hub.push(REMOTE, checkpoint(root=published.parent))
    requests = len(fake_hub.requests)
    assert hub.get(REMOTE).model is net.model and len(fake_hub.requests) == requests

    monkeypatch.setattr(downloads, "FRESH", 0)
    gate = threading.Event()
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    for _ in range(3):
        assert hub.card(REMOTE) == net.card and hub.get(REMOTE).source == f"{REMOTE}@{first}"
    assert hub.pin(REMOTE) == f"{REMOTE}@{first}"
    gate.set()
    deadline = time.monotonic() + 20
    while (newer := hub.get(REMOTE)).source != f"{REMOTE}@{second}" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert newer.source == hub.pin(REMOTE) == f"{REMOTE}@{second}" and newer.card == hub.card(REMOTE) != net.card
    assert hub.measure(REMOTE, seconds=0) is not found and hub.measure(f"{REMOTE}@{first}", seconds=0) is found
    assert hub.get(f"{REMOTE}@{first}").model is net.model  # loaded once, by whatever name


def test_the_previous_commit_is_served_when_the_download_of_a_newer_one_fails(
    checkpoint, published, hub, fake_hub, monkeypatch
):
    """Also when the app is started anew."""
    first = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)
    fake_hub.push(REMOTE, checkpoint(root=published.parent))
    fake_hub.fail("GET", "/cdn/", status=403, times=9)
    for _ in range(2):
        assert ModelHub(hub.weights_dir).get(REMOTE).source == f"{REMOTE}@{first}"
    assert fake_hub.bodies() == 3  # the first, and one that each was refused


def test_the_previous_commit_is_served_when_the_newer_one_is_too_large(published, hub, fake_hub):
    first = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)
    fake_hub.push(REMOTE, published, **{HISTORY: bytes(client.TEXT_LIMIT + 1)})
    assert ModelHub(hub.weights_dir).get(REMOTE).source == f"{REMOTE}@{first}"


def test_a_complete_commit_is_served_although_the_card_of_a_newer_one_is_cached(checkpoint, published, hub, fake_hub):
    first = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)
    fake_hub.push(REMOTE, checkpoint(root=published.parent))
    again = ModelHub(hub.weights_dir)
    assert again.card(REMOTE) != hub.card(REMOTE)
    fake_hub.fail("GET", "/cdn/", status=403, times=9)
    for each in (again, again, ModelHub(hub.weights_dir)):
        assert each.get(REMOTE).source == f"{REMOTE}@{first}" and each.card(REMOTE) == hub.card(REMOTE)


def test_after_a_restart_the_cached_commit_is_served_while_a_newer_one_is_downloaded(
    checkpoint, published, hub, fake_hub, monkeypatch
):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    first = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)
    second = fake_hub.push(REMOTE, checkpoint(root=published.parent))
    gate, again = threading.Event(), ModelHub(hub.weights_dir)
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    assert again.get(REMOTE).source == f"{REMOTE}@{first}"
    gate.set()
    deadline = time.monotonic() + 20
    while again.get(REMOTE).source != f"{REMOTE}@{second}" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert again.get(REMOTE).source == f"{REMOTE}@{second}"


def test_namespace_completes_the_folder(checkpoint, published, fake_hub):
    fake_hub.push(REMOTE, published)
    hub = ModelHub(checkpoint("mini_resnet.mnist").parent, namespace="someone")
    assert hub.get("mini_resnet.mnist").source == "weights/mini_resnet.mnist"
    assert not fake_hub.requests
    assert (hub.get(ID).id, hub.get(ID).source) == (ID, hub.get(REMOTE).source)
    assert list(hub.cards()) == ["mini_resnet.mnist"]


def test_a_namespace_answers_without_a_folder(published, fake_hub, tmp_path):
    fake_hub.push(REMOTE, published)
    hub = ModelHub(tmp_path / "none", namespace="someone")
    assert list(hub.known()) == [ID] and not hub.cards()
    image = np.full((100, 100), 255, np.uint8)
    image[20:80, 45:55] = 0
    assert [answer.id for answer in compare(image, "mnist", hub=hub).models] == [ID]


def test_a_cached_commit_costs_no_request(published, hub, fake_hub):
    commit = fake_hub.push(REMOTE, published)
    hub.get(f"{REMOTE}@{commit}")
    fake_hub.requests.clear()
    assert ModelHub(hub.weights_dir).get(f"{REMOTE}@{commit}").source == f"{REMOTE}@{commit}"
    assert not fake_hub.requests


def test_files_missing_after_a_kill_are_downloaded_on_the_next_request(published, hub, fake_hub):
    """Files that the commit lacks are not requested again."""
    (published / README).unlink()
    pinned = f"{REMOTE}@{fake_hub.push(REMOTE, published)}"
    folder = hub.folder(pinned)
    (folder / HISTORY).unlink()
    assert ModelHub(hub.weights_dir).folder(pinned) == folder and (folder / HISTORY).is_file()
    fake_hub.requests.clear()
    assert ModelHub(hub.weights_dir).folder(pinned) == folder and not fake_hub.requests
    (folder / HISTORY).unlink()
    fake_hub.stop()
    assert ModelHub(hub.weights_dir).get(pinned).id == pinned


def test_revisions(published, hub, fake_hub):
    commit = fake_hub.push(REMOTE, published, branch="refs/pr/1")
    assert hub.get(f"{REMOTE}@refs/pr/1").source == f"{REMOTE}@{commit}"
    with pytest.raises(MissingCheckpoint, match="has no revision 'main'; leave it out"):
        hub.get(REMOTE)


@pytest.fixture
def environment(monkeypatch):
    """Sets a variable that the Hub's client reads once, in this test alone."""

    def change(name, value):
        monkeypatch.setenv(name, value)
        huggingface_hub.close_session()

    yield change
    monkeypatch.undo()
    huggingface_hub.close_session()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9", "pip install socksio"),
        ("HTTP_PROXY", "nonsense://127.0.0.1:9", "correct or unset ALL_PROXY"),
        ("SSL_CERT_FILE", "/nowhere", "correct or unset"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_sentence_and_only_where_the_hub_is_needed(
    name, value, sentence, checkpoint, published, hub, fake_hub, environment, monkeypatch
):
    monkeypatch.setitem(sys.modules, "socksio", None)
    fake_hub.push(REMOTE, published)
    environment(name, value)
    checkpoint("mini_resnet.mnist", root=hub.weights_dir)
    assert hub.get("mini_resnet.mnist").card
    with pytest.raises(MissingCheckpoint, match=sentence):
        hub.get(REMOTE)


def test_a_proxy_that_wants_a_password_is_a_sentence(published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    fake_hub.fail("GET", "/api/models/", status=407, times=9)
    with pytest.raises(MissingCheckpoint, match="the proxy did not fetch"):
        hub.get(REMOTE)


def test_the_hub_is_requested_through_the_proxy(hub, fake_hub, environment, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://hub.example")
    environment("HTTP_PROXY", fake_hub.url)
    with pytest.raises(MissingCheckpoint):
        hub.get(REMOTE)
    assert {path.partition("/api/")[0] for _, path in fake_hub.requests} == {"http://hub.example"}


@pytest.mark.parametrize("offline", [False, True])
def test_the_cache_is_served_while_the_hub_is_away(offline, published, hub, fake_hub, monkeypatch):
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
    monkeypatch.setattr(downloads, "PATIENCE", 0)
    assert hub.get(REMOTE).id == REMOTE


def test_gated_incomplete_and_too_large_repositories_are_refused(checkpoint, published, hub, fake_hub):
    fake_hub.push("someone/lenet5.mnist", published)
    fake_hub.gated.add("someone/lenet5.mnist")
    with pytest.raises(MissingCheckpoint, match="is gated; request access"):
        hub.get("someone/lenet5.mnist")
    (published / WEIGHTS).unlink()
    fake_hub.push("other/lenet5.mnist", published)
    with pytest.raises(MissingCheckpoint, match=r"has no model.safetensors; a checkpoint must be published"):
        hub.get("other/lenet5.mnist")
    larger = {WEIGHTS: bytes(memory("lenet5") + HEADER_LIMIT + 1), HISTORY: bytes(client.TEXT_LIMIT + 1)}
    for name, content in larger.items():
        fake_hub.push(f"{name[0]}/{ID}", checkpoint(), **{name: content})
        with pytest.raises(MissingCheckpoint, match=f"has a {name} that is larger than this network's can be"):
            hub.get(f"{name[0]}/{ID}")
    assert not fake_hub.requested("GET")


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
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == f"{REMOTE}@{commit}"
    assert (tmp_path / "home" / "hub" / "models--someone--lenet5.mnist").is_dir()


def test_a_silent_hub_is_given_up(published, hub, fake_hub, monkeypatch):
    hub.folder(f"{REMOTE}@{fake_hub.push(REMOTE, published)}")
    monkeypatch.setattr(guard, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(MissingCheckpoint, match=r"could not be fetched \(.*timed out.*\); connect"):
            hub.get(REMOTE)


ANSWERS = {
    "token": ({"status": 401, "headers": {"X-Error-Message": "Invalid credentials in Authorization header"}},
              "the Hub refused the token of this machine .*; run `hf auth login`"),
    "private": ({"status": 401, "error": "RepoNotFound"}, "or it is private; check the name, or set HF_TOKEN"),
    "forbidden": ({"status": 403}, r"the Hub refused to send someone/mini_resnet.mnist \(403\); try again later"),
    "gated": ({"status": 403, "error": "GatedRepo"}, "is gated; request access on its page"),
    "moved": ({"status": 404, "error": "RevisionNotFound"}, "has no revision 'main'; leave it out"),
    "often": ({"status": 429, "headers": {"Retry-After": "3600"}}, "too many requests .*; try again in some minutes"),
    "broken": ({"status": 500}, r"a server error \(500\) for .*; try again later"),
    "busy": ({"status": 503}, r"a server error \(503\) for .*; try again later"),
    "mute": ({"delay": 0.5}, r"could not be fetched \(.*timed out.*\); connect"),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_the_cache_is_served_whatever_error_the_hub_returns(case, published, hub, fake_hub, monkeypatch):
    fault, sentence = ANSWERS[case]
    if case == "mute":
        monkeypatch.setattr(guard, "TIMEOUT", 0.2)
    commit = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)
    fake_hub.fail("GET", "/api/models/", times=2, **fault)
    assert ModelHub(hub.weights_dir).get(REMOTE).source == f"{REMOTE}@{commit}"
    with pytest.raises(MissingCheckpoint, match=sentence):
        hub.get("someone/mini_resnet.mnist")
    assert not [fault for fault in fake_hub.faults if fault.times]


def test_messages_of_errors_contain_no_signed_address():
    signed = "https://cdn.example.org/private/file?X-Amz-Signature=secret"
    for text in (f"Client error '403 Forbidden' for url '{signed}'", f"CAS error (403 Forbidden), domain: {signed}"):
        said = client._reason(RuntimeError(text))
        assert "403 Forbidden" in said and "https://cdn.example.org" in said
        assert "private" not in said and "secret" not in said


def test_slow_heads_are_requested_again(published, hub, fake_hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_ETAG_TIMEOUT", 0.2)  # seconds, 10 otherwise
    commit = fake_hub.push(REMOTE, published)
    fake_hub.fail("HEAD", "/resolve/", delay=0.5, times=2 * len(FILES))
    assert hub.get(REMOTE).source == f"{REMOTE}@{commit}"
    assert len(fake_hub.requested("HEAD")) > len(FILES)


@pytest.mark.parametrize("headers", [{"Retry-After": "3600"}, {"RateLimit": '"api";r=0;t=300'}, {}])
@pytest.mark.parametrize("part", ["/revision/", "/resolve/", "/cdn/"])
def test_a_hub_that_says_wait_keeps_nobody_waiting(part, headers, published, hub, fake_hub, monkeypatch):
    """The client alone would sleep for as long as the headers say."""
    slept = []
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", slept.append)
    fake_hub.push(REMOTE, published)
    for method in ("HEAD", "GET"):
        fake_hub.fail(method, part, status=429, headers=headers, times=99)
    with pytest.raises(MissingCheckpoint, match=r"too many requests .*; try again in some minutes"):
        hub.get(REMOTE)
    assert max(slept, default=0) < 20


def test_a_hub_that_is_busy_for_a_moment_is_requested_again(published, hub, fake_hub, monkeypatch):
    """Its answers say what is left of a window, whether that is why or not."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    fake_hub.push(REMOTE, published)
    fake_hub.fail("HEAD", WEIGHTS, status=503, times=2, headers={"RateLimit": '"api";r=480;t=300'})
    fake_hub.fail("GET", "/cdn/", status=429, headers={"Retry-After": "2"})
    assert hub.get(REMOTE).id == REMOTE


def test_a_hub_that_falls_silent_is_given_up(published, hub, fake_hub, monkeypatch):
    monkeypatch.setattr(guard, "TIMEOUT", 0.2)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    gate = threading.Event()
    fake_hub.push(REMOTE, published)
    (hub.folder(REMOTE) / WEIGHTS).write_bytes(b"")  # so that its hash is requested
    fake_hub.fail("GET", "/tree/", first=lambda: gate.wait(20), times=99)
    with pytest.raises(MissingCheckpoint, match=r"could not be fetched \(.*timed out.*\); connect"):
        ModelHub(hub.weights_dir).get(REMOTE)
    gate.set()


@pytest.mark.parametrize("reset", [False, True])
def test_a_broken_download_is_resumed(reset, published, hub, fake_hub, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits a second before it resumes
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    fake_hub.push(REMOTE, published)
    fake_hub.fail("GET", "/cdn/", cut=50_000, reset=reset)
    assert hub.get(REMOTE).id == REMOTE
    assert fake_hub.ranges == ["", "bytes=50000-"]


def test_a_wrong_length_is_no_checkpoint(published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    fake_hub.fail("GET", "/cdn/", short=True)
    with pytest.raises(MissingCheckpoint, match="could not be fetched"):
        hub.get(REMOTE)


def outside(hub):
    """The files around the cache of the tests that no honest Hub puts there."""
    root = hub.weights_dir.parent
    expected = {root / "cache", root / "published", root / "weights"}
    return [path for path in root.iterdir() if path not in expected]


NAMES = {
    "ETag": (WEIGHTS, {"X-Linked-ETag": '"../../../../x"'}),
    "ETag of a text": (HISTORY, {"ETag": '"../../../../x"'}),
    "weak ETag": (HISTORY, {"ETag": 'W/"/tmp/lineup-outside"'}),
    "backslashes": (HISTORY, {"ETag": '"..\\..\\x"'}),
    "empty ETag": (HISTORY, {"ETag": ""}),
    "commit": (README, {"X-Repo-Commit": "../../../../x"}),
    "commit of what is not there": (README, {"status": 404, "X-Repo-Commit": "../../../../x"}),
}


@pytest.mark.parametrize("case", NAMES)
def test_no_header_leads_out_of_the_cache(case, published, hub, fake_hub):
    name, headers = NAMES[case]
    fake_hub.push(REMOTE, published)
    status = headers.get("status", 0)
    more = {"headers": {"X-Repo-Commit": headers["X-Repo-Commit"]}} if status else {"lies": headers}
    fake_hub.fail("HEAD", name, status, error="EntryNotFound" if status else "", **more)
    with pytest.raises(MissingCheckpoint, match=rf"the Hub gives '.*' as the .* of {REMOTE}, which could be a path"):
        hub.get(REMOTE)
    assert not outside(hub) and not Path("/tmp/lineup-outside").exists()
    cache = hub.weights_dir.parent / "cache"
    assert not [path for path in cache.rglob("x") if path.is_file()]


@pytest.mark.parametrize("sha", ["../../../x", "main", None, 7])
def test_no_commit_leads_out_of_the_cache(sha, published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    info = {"id": REMOTE, "sha": sha, "private": False, "gated": False, "tags": [], "downloads": 0}
    siblings = [{"rfilename": name, "size": (published / name).stat().st_size} for name in FILES]
    fake_hub.fail("GET", "/api/models/", body=json.dumps(info | {"siblings": siblings}).encode())
    with pytest.raises(MissingCheckpoint, match=f"of {REMOTE}|{REMOTE} could not be fetched"):
        hub.get(REMOTE)
    assert not outside(hub) and not fake_hub.requested("HEAD")


@pytest.mark.parametrize(
    "change",
    [
        [], 7, None, "x", {"siblings": 7}, {"siblings": [7]}, {"siblings": [{"rfilename": ["x"]}]},
        {"siblings": [{"rfilename": name, "size": "x"} for name in FILES]},
        {"siblings": [{"rfilename": name, "size": -5} for name in FILES]},
        {"siblings": [{"rfilename": name, "size": 1e999} for name in FILES]},
        {"siblings": [{"rfilename": name, "size": [1]} for name in FILES]},
        {"siblings": [{"rfilename": f"../{name}", "size": 1} for name in FILES]},
    ],
)  # fmt: skip
def test_malformed_json_of_the_hub_raises_missing_checkpoint(change, published, hub, fake_hub):
    commit = fake_hub.push(REMOTE, published)
    info = {"id": REMOTE, "sha": commit, "private": False, "gated": False, "tags": [], "downloads": 0, "siblings": []}
    answer = info | change if isinstance(change, dict) else change
    fake_hub.fail("GET", "/api/models/", body=json.dumps(answer).encode())
    with pytest.raises(MissingCheckpoint, match=REMOTE):
        hub.get(REMOTE)
    assert not outside(hub)


ENDLESS = {
    "file": ("GET", "/cdn/", {}),
    "text": ("GET", HISTORY, {}),
    "what it is": ("GET", "/api/models/", {}),
    "an error": ("GET", "/cdn/", {"status": 404}),
    "announced": ("GET", "/cdn/", {"lies": {"Content-Length": str(10**12)}}),
    "packed": ("GET", "/cdn/", {"lies": {"Content-Encoding": "gzip"}}),
    "Xet": ("HEAD", WEIGHTS, {"lies": {"X-Linked-Size": str(10**12)}}),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_responses_beyond_the_limit_are_not_read(case, published, hub, fake_hub):
    method, part, fault = ENDLESS[case]
    fake_hub.push(REMOTE, published)
    start = time.monotonic()
    fake_hub.fail(method, part, endless=method == "GET", times=9, **fault)
    with pytest.raises(MissingCheckpoint, match=f"the Hub sends .*{REMOTE}.*check HF_ENDPOINT"):
        hub.get(REMOTE)
    assert time.monotonic() < start + 5
    kept = [path for path in (hub.weights_dir.parent / "cache").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 10**6, "a part of it is still cached"


def test_a_download_below_the_lowest_rate_is_given_up(published, hub, fake_hub, monkeypatch):
    """Although no single read takes as long as the client's timeout."""
    monkeypatch.setattr(guard, "SECONDS", 0.5)
    monkeypatch.setattr(guard, "SLOWEST", 10**9)
    fake_hub.push(REMOTE, published)
    fake_hub.fail("GET", "/cdn/", endless=True, drop=0.05)
    start = time.monotonic()
    with pytest.raises(MissingCheckpoint, match=f"the Hub sends {REMOTE} too slowly; try again later"):
        hub.get(REMOTE)
    assert time.monotonic() < start + 5


def test_a_bad_answer_leaves_what_is_cached(published, hub, fake_hub):
    commit = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)
    fake_hub.fail("GET", "/api/models/", endless=True)
    assert ModelHub(hub.weights_dir).get(REMOTE).source == f"{REMOTE}@{commit}"


def test_the_guard_outlives_the_clients_session(fake_hub):
    """Which the client replaces when it could not connect."""
    for _ in range(2):
        guard.guard_client()
    huggingface_hub.close_session()
    hooks = huggingface_hub.get_session().event_hooks
    assert hooks["request"].count(guard._limit_request) == hooks["response"].count(guard._check_names) == 1


@pytest.mark.parametrize("times", [1, 9])
def test_a_damaged_download_is_never_loaded_and_repeated_once(times, published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    fake_hub.fail("GET", "/cdn/", instead=b"\0", times=times)
    for _ in range(3):
        if times == 1:
            assert hub.get(REMOTE).id == REMOTE
        else:
            with pytest.raises(CheckpointError, match=r"is not the weights of lenet5.mnist"):
                hub.get(REMOTE)
    assert fake_hub.bodies() == 2


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_a_damaged_file_in_the_cache_is_downloaded_again(name, public, pinned, published, hub, fake_hub):
    """That file alone, on a request for the card and for the network."""
    commit = fake_hub.push(REMOTE, published)
    id = f"{REMOTE}@{commit}" if pinned else REMOTE
    path = hub.folder(id) / name
    path.write_bytes(bytes(path.stat().st_size))
    fake_hub.requests.clear()
    again = ModelHub(hub.weights_dir, public=public)
    assert again.card(id).id == ID and again.get(id).source == f"{REMOTE}@{commit}"
    assert path.read_bytes() == (published / name).read_bytes()
    assert fake_hub.requested("GET") + ["weights"] * fake_hub.bodies() == ([CONFIG] if name == CONFIG else ["weights"])


def test_a_damaged_checkpoint_is_not_served_while_the_hub_refuses(published, hub, fake_hub, monkeypatch):
    """No part of it is served meanwhile, and the download is repeated only after a while."""
    fake_hub.push(REMOTE, published)
    path = hub.folder(REMOTE) / WEIGHTS
    path.write_bytes(b"")
    fake_hub.fail("GET", "/cdn/", status=403)
    again = ModelHub(hub.weights_dir)
    for _ in range(3):
        with pytest.raises(MissingCheckpoint, match="the Hub refused to send"):
            again.get(REMOTE)
    assert fake_hub.bodies() == 2
    monkeypatch.setattr(downloads, "PATIENCE", 0)
    assert again.get(REMOTE).id == REMOTE


def test_a_checkpoint_that_is_damaged_on_the_hub_is_refused_and_downloaded_once(published, hub, fake_hub):
    weights = (published / WEIGHTS).read_bytes()
    fake_hub.push(REMOTE, published, **{WEIGHTS: weights[:-1] + bytes([weights[-1] ^ 1])})
    for _ in range(3):
        with pytest.raises(CheckpointError, match="its hash is not the one recorded"):
            hub.get(REMOTE)
    requests = len(fake_hub.requests)
    with pytest.raises(CheckpointError, match="its hash is not the one recorded"):
        hub.get(REMOTE)
    assert fake_hub.bodies() == 1 and len(fake_hub.requests) == requests


def test_a_damaged_folder_of_ones_own_is_left_alone(checkpoint, fake_hub):
    path = checkpoint() / WEIGHTS
    path.write_bytes(b"damaged")
    hub = ModelHub(path.parents[1], namespace="someone")
    fake_hub.push(REMOTE, path.parent)
    with pytest.raises(CheckpointError, match=r"weights/lenet5.mnist/model.safetensors is not the weights"):
        hub.get(ID)
    assert path.read_bytes() == b"damaged" and not fake_hub.requests


def test_a_file_that_changes_between_two_requests(checkpoint, published, hub, fake_hub):
    """The branch moves after it was resolved: what is answered is of one commit, never of two."""
    fake_hub.push(REMOTE, published)
    other = checkpoint(root=published.parent / "other")
    fake_hub.fail("HEAD", "/resolve/", first=lambda: fake_hub.push(REMOTE, other))
    net = hub.get(REMOTE)
    assert net.source.endswith(hub.folder(REMOTE).name) and hub.card(REMOTE) == net.card


@pytest.mark.parametrize("hubs", [1, 2])
def test_two_at_once_download_once(hubs, published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    fake_hub.fail("GET", "/cdn/", delay=0.3)
    hubs_ = [hub, ModelHub(hub.weights_dir)][:hubs] * (2 // hubs)
    with ThreadPoolExecutor(2) as pool:
        nets = list(pool.map(lambda each: each.get(REMOTE), hubs_))
    assert nets[0].card == nets[1].card and fake_hub.bodies() == 1


def test_several_checkpoints_are_downloaded_at_once(checkpoint, published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    fake_hub.push("other/mini_resnet.mnist", checkpoint("mini_resnet.mnist", root=published.parent))
    both = threading.Barrier(2, timeout=10)
    fake_hub.fail("GET", "/cdn/", first=both.wait, times=2)
    hub.fetch([REMOTE, "other/mini_resnet.mnist"])
    assert not both.broken


def test_progress_and_patience(published, fake_hub, hub, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate = threading.Event()
    fake_hub.push(REMOTE, published)
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    public = ModelHub(hub.weights_dir, public=True)
    for _ in range(100):
        with pytest.raises(DownloadPending, match=rf"{REMOTE} is being downloaded.*; try again in a moment") as error:
            public.get(REMOTE)
        if "0.2 MB" in str(error.value):
            break
    done, total = public.progress(REMOTE)
    assert 0 < done < total == sum((published / name).stat().st_size for name in FILES)
    gate.set()
    assert hub.get(REMOTE).id == REMOTE  # with all the time there is, and the same file
    monkeypatch.setattr(downloads, "WAIT", 20)
    assert public.get(REMOTE).id == REMOTE and fake_hub.bodies() == 1
    assert public.progress(REMOTE) is hub.progress(REMOTE) is None


def test_untrusted_clients_have_no_token_and_a_limit_of_downloads(published, hub, fake_hub, monkeypatch):
    """Neither downloads of the namespace's checkpoints are counted, nor look-ups of names that do not exist."""
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    monkeypatch.setattr(limits, "DOWNLOADS", 2)
    fake_hub.push(REMOTE, published)
    fake_hub.repositories["model", REMOTE].private = True
    assert hub.get(REMOTE).id == REMOTE
    fake_hub.push("other/lenet5.mnist", published)
    public = ModelHub(hub.weights_dir, namespace="someone", public=True)
    assert public.get(ID).source == hub.get(REMOTE).source
    public = ModelHub(hub.weights_dir, public=True)
    with pytest.raises(MissingCheckpoint, match="or it is private"):
        public.get(REMOTE)
    for id in ("third/lenet5.mnist", "fourth/lenet5.mnist"):
        with pytest.raises(MissingCheckpoint, match="or it is private"):
            public.get(id)
        fake_hub.push(id, published)
    monkeypatch.setattr(downloads, "PATIENCE", 0)
    for id in 2 * ("other/lenet5.mnist", "third/lenet5.mnist"):
        assert public.get(id).id == id
    with pytest.raises(CheckpointError, match="2 third-party checkpoints were this hour; try again in 60 minutes"):
        public.get("fourth/lenet5.mnist")


def test_a_repository_that_became_private_is_not_served_to_untrusted_clients(published, hub, fake_hub, monkeypatch):
    monkeypatch.setattr(downloads, "FRESH", 0)
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    fake_hub.push(REMOTE, published)
    public = ModelHub(hub.weights_dir, public=True)
    assert public.get(REMOTE).id == hub.get(REMOTE).id == REMOTE
    fake_hub.repositories["model", REMOTE].private = True
    deadline = time.monotonic() + 20
    with pytest.raises(MissingCheckpoint, match="or it is private"):  # noqa: PT012  once the hub has looked again
        while time.monotonic() < deadline:
            public.get(REMOTE)
    assert hub.get(REMOTE).id == REMOTE


@pytest.mark.parametrize("kind", ["private", "gated", "public"])
def test_untrusted_clients_get_only_public_checkpoints_from_the_cache(kind, published, hub, fake_hub, monkeypatch):
    """Also while the Hub is away; the namespace's own are served as ever."""
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    commit = fake_hub.push(REMOTE, published)
    hub.get(REMOTE)
    fake_hub.repositories["model", REMOTE].private = kind == "private"
    fake_hub.gated |= {REMOTE} if kind == "gated" else set()
    assert ModelHub(hub.weights_dir).get(REMOTE).id == REMOTE  # records the visibility
    for is_there in (True, False):
        for id in (REMOTE, f"{REMOTE}@{commit}"):
            public = ModelHub(hub.weights_dir, public=True)
            if kind == "public":
                assert public.get(id).source == f"{REMOTE}@{commit}"
            else:
                with pytest.raises(MissingCheckpoint, match="private|gated" if is_there else "could not be fetched"):
                    public.get(id)
        if is_there:
            fake_hub.stop()
    assert ModelHub(hub.weights_dir, namespace="someone", public=True).get(ID).source == f"{REMOTE}@{commit}"


def test_a_repository_found_private_stays_so_while_the_hub_is_away(published, hub, fake_hub):
    fake_hub.push(REMOTE, published)
    assert ModelHub(hub.weights_dir, public=True).get(REMOTE).id == REMOTE
    fake_hub.repositories["model", REMOTE].private = True
    for sentence in ("or it is private", "could not be fetched"):
        with pytest.raises(MissingCheckpoint, match=sentence):
            ModelHub(hub.weights_dir, public=True).get(REMOTE)
        fake_hub.stop()


def test_another_revision_of_the_namespace_is_third_party(published, hub, fake_hub, monkeypatch):
    """Anybody may open a pull request."""
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    fake_hub.push(REMOTE, published)
    commit = fake_hub.push(REMOTE, published, branch="refs/pr/7", **{"README.md": b"proposed"})
    fake_hub.repositories["model", REMOTE].private = True
    public = ModelHub(hub.weights_dir, namespace="someone", public=True)
    assert public.get(REMOTE).id == REMOTE and not public.is_third_party(REMOTE)
    for revision in ("refs/pr/7", commit):
        assert public.is_third_party(f"{REMOTE}@{revision}")
        with pytest.raises(MissingCheckpoint, match="or it is private"):
            public.get(f"{REMOTE}@{revision}")


def test_four_third_party_checkpoints_are_downloaded_at_once(published, hub, fake_hub, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate, public = threading.Event(), ModelHub(hub.weights_dir, public=True)
    for name in "abcde":
        fake_hub.push(f"{name}/{ID}", published, **{"README.md": name.encode()})
        fake_hub.fail("GET", f"/api/models/{name}/", first=lambda: gate.wait(20))
    for name in "abcde":
        with pytest.raises(DownloadPending):
            public.get(f"{name}/{ID}")
    assert len(fake_hub.requests) == 4
    gate.set()
    monkeypatch.setattr(downloads, "WAIT", 20)
    assert all(public.get(f"{name}/{ID}") for name in "abcde")


def test_third_party_checkpoints_are_evicted_beyond_the_limit_of_the_disk(
    published, fake_hub, hub, tmp_path, monkeypatch
):
    """The namespace's own and other models stay; an evicted one is downloaded again."""
    public = ModelHub(hub.weights_dir, namespace="someone", public=True)
    for id in (REMOTE, "a/lenet5.mnist", "b/lenet5.mnist"):
        fake_hub.push(id, published)
    other = tmp_path / "cache" / "models--a--large" / "snapshots" / ("0" * 40)
    other.mkdir(parents=True)
    (other / "file").write_bytes(bytes(10**6))
    monkeypatch.setattr(limits, "DISK", 300_000)
    kept = [public.folder(ID), other]
    first = public.folder("a/lenet5.mnist")
    second = public.folder("b/lenet5.mnist")
    assert second.is_dir() and all(folder.is_dir() for folder in kept) and not first.parents[1].exists()
    assert public.get("a/lenet5.mnist").id and first.is_dir() and not second.exists()


def test_other_revisions_of_the_namespace_count_as_third_party_on_the_disk(published, fake_hub, hub, monkeypatch):
    """Anyone may open a pull request; `main` stays."""
    public = ModelHub(hub.weights_dir, namespace="someone", public=True)
    fake_hub.push(REMOTE, published)
    kept = public.folder(ID)
    monkeypatch.setattr(limits, "DISK", 300_000)
    folders = []
    for number in (1, 2, 3):
        fake_hub.push(REMOTE, published, branch=f"refs/pr/{number}", **{"history.csv": bytes(10**5 * number)})
        folders.append(public.folder(f"{REMOTE}@refs/pr/{number}"))
    assert kept.is_dir() and not folders[0].exists() and folders[2].is_dir()


def test_a_cache_that_cannot_be_written(published, hub, fake_hub, tmp_path, monkeypatch):
    fake_hub.push(REMOTE, published)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(MissingCheckpoint, match=r"could not be stored in .*; set HF_HOME to a folder you may write"):
        hub.get(REMOTE)


def test_a_read_only_cache_serves_what_it_has(published, hub, fake_hub, tmp_path, monkeypatch):
    commit = fake_hub.push(REMOTE, published)
    hub.folder(REMOTE)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("mkdir", "makedirs", "replace", "rename", "symlink"):  # root may write wherever it wants
        monkeypatch.setattr(os, name, refuse)
    assert ModelHub(hub.weights_dir).get(REMOTE).source == f"{REMOTE}@{commit}"
    fake_hub.push("other/lenet5.mnist", published)
    with pytest.raises(MissingCheckpoint, match=r"could not be stored in .*; set HF_HOME to a folder you may write"):
        hub.get("other/lenet5.mnist")


def test_a_full_disk(published, hub, fake_hub, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    fake_hub.push(REMOTE, published)
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.file_download.http_get", full)
        with pytest.raises(MissingCheckpoint, match=r"the disk is too full for .*make room"):
            hub.get(REMOTE)
    monkeypatch.setattr(downloads, "PATIENCE", 0)
    assert hub.get(REMOTE).id == REMOTE
