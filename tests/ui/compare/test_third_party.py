"""Third-party checkpoints, without a browser, through the real client of the Hub and a fake Hub."""

import re
import threading
import time
from contextvars import copy_context

import pytest

from cnn_models import ModelHub
from cnn_models.checkpoints.folder import WEIGHTS, CheckpointError
from cnn_models.checkpoints.ids import parse
from cnn_models.errors import Refused
from cnn_models.hub import downloads, limits
from cnn_models.hub.errors import DownloadPending
from cnn_models.hub.limits import Hourly
from cnn_models.visitors import VISITOR, Visitor
from tests.ui.compare.test_tab import SEVEN, numbers
from ui.api import wait_for_downloads
from ui.common.texts import LANGUAGES
from ui.compare import predictor as predictor_module
from ui.compare import third_party as third_party_module
from ui.compare.predictor import Predictor
from ui.compare.third_party import EXAMPLE, ThirdParty

REMOTE = "someone/lenet5.mnist"


@pytest.fixture
def public(hub, checkpoint, monkeypatch):
    """A hub for untrusted clients with one network of its own; third-party networks get one batch of test images."""
    monkeypatch.setattr(third_party_module, "MEASURING", 0)
    monkeypatch.setattr(predictor_module, "MEASURING", 0)
    checkpoint()
    return ModelHub(hub.weights_dir, public=True)


def test_a_third_party_network_is_on_the_board_with_its_accuracy_and_source(
    public, checkpoint, fake_hub, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    commit = fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    got = ThirdParty(public).add_checkpoint({"id": f" {REMOTE}@main "})
    pinned = f"{REMOTE}@{commit}"
    assert got["id"] == pinned and f'value="{pinned}" checked' in got["choice"] and "error" not in got
    fake_hub.requests.clear()
    predictor = Predictor(public)
    shown = predictor.predict({"image": SEVEN, "models": ["lenet5", pinned], "quick": True})
    found = public.measure(pinned, seconds=0)
    assert f"someone@<wbr>{commit[:7]}" in shown["board"] and f"{found.accuracy:.2f} % of 100 here" in shown["board"]
    assert len(numbers(shown["board"], "lenet5")) == len(numbers(shown["board"], pinned)) == 10
    assert ">bundled</td>" in shown["board"] and f"{REMOTE}@{commit[:7]}" in shown["board"].replace("<wbr>", "")
    assert set(shown["answers"]) == {"lenet5", pinned} and f"(someone@{commit[:7]})" in shown["steps"]
    with pytest.raises(Refused, match=r"^models: unknown name 'someone/"):
        predictor.predict({"image": SEVEN, "models": [pinned], "dataset": "fashion_mnist"})
    assert not fake_hub.requests


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_invalid_id_is_refused_in_a_sentence_without_a_request_to_the_hub(language, public, fake_hub):
    third_party = ThirdParty(public)
    for id in (None, 7, "", "lenet5.mnist", "someone/vgg16.mnist", "https://x/someone/lenet5.mnist", "a/../b"):
        assert EXAMPLE in third_party.add_checkpoint({"id": id, "language": language})["error"]
        assert third_party.checkpoint_progress({"id": id}) == {}
    error = third_party.add_checkpoint({"id": "someone/lenet5.fashion_mnist", "language": language})["error"]
    assert error.count("Clothing" if language == "en" else "服饰") == 2
    assert "4" in third_party.add_checkpoint({"id": REMOTE, "there": ["x"] * 4, "language": language})["error"]
    for function in (third_party.add_checkpoint, third_party.checkpoint_progress):
        with pytest.raises(Refused, match=r"^request: None"):
            function(None)
    assert not fake_hub.requests


def test_a_pickle_is_refused_by_name(public, checkpoint, fake_hub, tmp_path):
    pickle = {WEIGHTS: b"\x80\x04cos\nsystem\n."}
    commit = fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"), **pickle)
    got = ThirdParty(public).add_checkpoint({"id": REMOTE})
    assert f"{REMOTE}@{commit}/{WEIGHTS} is not the weights of lenet5.mnist: " in got["error"]
    assert "id" not in got and str(tmp_path) not in got["error"]


def test_the_progress_of_download_and_evaluation_is_reported(public, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate = threading.Event()
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    third_party, seen = ThirdParty(public), []
    for _ in range(100):
        assert third_party.add_checkpoint({"id": REMOTE}) == {"wait": True}
        if far := third_party.checkpoint_progress({"id": REMOTE}):
            break
    assert 0 < far["done"] < far["all"] and far["text"].endswith("of 0.2 MB downloaded")
    gate.set()
    monkeypatch.setattr(downloads, "WAIT", 20)
    measure = public.measure

    def watched(id, seconds, progress):
        return measure(
            id, seconds, lambda count: (progress(count), seen.append(third_party.checkpoint_progress({"id": REMOTE})))
        )

    monkeypatch.setattr(public, "measure", watched)
    assert third_party.add_checkpoint({"id": REMOTE})["id"].startswith(REMOTE)
    assert seen == [{"done": 100, "all": 10_000, "text": "evaluating: 100 of 10,000 test images"}]
    assert third_party.checkpoint_progress({"id": REMOTE}) == {}


def test_the_page_does_not_wait_for_downloads_but_requests_again(hub, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate = threading.Event()
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    predictor = Predictor(ModelHub(hub.weights_dir, namespace="someone", public=True))
    sent = {"image": SEVEN, "models": ["lenet5"], "language": "zh"}
    for _ in range(100):
        got = predictor.predict(sent)
        assert got["again"] and "正在下载" in got["board"] and not got["answers"]
        if "max=" in got["board"]:
            break
    assert re.search(r'已下载 0\.\d / 0\.2 MB</p>\s*<progress value="\d+" max="\d{6}">', got["board"])
    monkeypatch.setattr(downloads, "WAIT", 20)
    start = time.monotonic()
    assert predictor.predict(sent)["again"] and time.monotonic() < start + 10, "it waited for a known download"
    gate.set()
    while (got := predictor.predict(sent))["again"]:
        assert time.monotonic() < start + 20
    assert got["answers"]


def test_compare_waits_for_downloads_and_for_nothing_else(hub, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate = threading.Event()
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    public = ModelHub(hub.weights_dir, namespace="someone", public=True)
    with pytest.raises(DownloadPending):
        public.get("lenet5.mnist")
    threading.Timer(0.5, gate.set).start()
    wait_for_downloads(public, ["alexnet.mnist", "lenet5.mnist"])
    assert gate.is_set() and public.get("lenet5.mnist").id == "lenet5.mnist"


def test_a_visitor_costs_one_look_up(public, checkpoint, fake_hub, tmp_path, monkeypatch):
    """Of those in an hour, though branch and commit are looked up, repeatedly."""
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    third_party = ThirdParty(public)
    ids = {third_party.add_checkpoint({"id": id})["id"] for id in (REMOTE, REMOTE)}
    assert len(ids) == 1 and third_party.add_checkpoint({"id": ids.pop()})["id"]
    assert len(public._downloads._limits._downloads._times[""]) == 1


def by(visitor, work, *arguments):
    """The result of `work` for a visitor."""

    def run():
        VISITOR.set(Visitor(visitor))
        return work(*arguments)

    return copy_context().run(run)


def test_a_visitor_who_requests_many_unknown_ids_does_not_shut_out_others(public, checkpoint, fake_hub, tmp_path):
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    third_party = ThirdParty(public)
    assert by("first", third_party.add_checkpoint, {"id": REMOTE})["id"]
    fake_hub.requests.clear()
    errors = [
        by("first", third_party.add_checkpoint, {"id": f"nobody{number}/lenet5.mnist"})["error"] for number in range(80)
    ]
    assert sum("or it is private; check the name" in error for error in errors) == 19 == len(fake_hub.requests)
    assert "is not looked up: you requested 20 new names within an hour; try again in 60 minutes" in errors[-1]
    assert by("first", third_party.add_checkpoint, {"id": REMOTE})["id"], "a known id needs no look-up"
    fake_hub.push("other/lenet5.mnist", tmp_path / "published" / "lenet5.mnist")
    assert "new names" in by("first", third_party.add_checkpoint, {"id": "other/lenet5.mnist"})["error"]
    assert by("second", third_party.add_checkpoint, {"id": "other/lenet5.mnist"})["id"]
    assert by("first", third_party.add_checkpoint, {"id": "other/lenet5.mnist"})["id"]
    assert "check the name" in by("second", third_party.add_checkpoint, {"id": "nobody0/lenet5.mnist"})["error"]
    assert len(fake_hub.requests) < 19 + 20, "the failure was not cached"
    assert len(public._downloads._limits._downloads._times[""]) == 2


def test_look_ups_in_threads_count_for_their_visitor(public, fake_hub, monkeypatch):
    monkeypatch.setattr(public._downloads._limits, "_lookups", Hourly(1, "checkpoint.lookups"))
    ids = [f"{name}/lenet5.mnist@{name * 40}" for name in "abcd"]
    shown = by("first", Predictor(public).predict, {"image": SEVEN, "models": ids, "quick": True})
    assert shown["board"].count("new names within an hour") == 3
    by("second", wait_for_downloads, public, [f"{id[:-1]}0" for id in ids])
    with pytest.raises(CheckpointError):
        by("third", public.fetch, [f"{id[:-1]}1" for id in ids])
    assert set(public._downloads._limits._lookups._times) == {"first", "second", "third"}
    by("fourth", ModelHub(public.weights_dir, namespace="someone", public=True).known)  # its own are not counted


def test_a_visitor_has_two_of_four_downloads(public, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate, published = threading.Event(), checkpoint(root=tmp_path / "published")
    for name in "abcd":
        fake_hub.push(f"{name}/lenet5.mnist", published)
        fake_hub.fail("GET", f"/api/models/{name}/", first=lambda: gate.wait(20))
    third_party = ThirdParty(public)
    for visitor, names in {"first": "abc", "second": "d"}.items():
        for name in names:
            assert by(visitor, third_party.add_checkpoint, {"id": f"{name}/lenet5.mnist"}) == {"wait": True}
    deadline = time.monotonic() + 20
    while len(fake_hub.requests) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(path.split("/")[3] for _, path in fake_hub.requests) == ["a", "b", "d"]
    gate.set()
    monkeypatch.setattr(downloads, "WAIT", 20)
    assert all(by("second", third_party.add_checkpoint, {"id": f"{name}/lenet5.mnist"})["id"] for name in "abcd")


def test_events_are_limited_for_each_visitor_and_the_least_recently_used_are_evicted(monkeypatch):
    monkeypatch.setattr(limits, "REMEMBERED", 3)
    now = [0.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    hourly, reference = Hourly(2, "checkpoint.lookups"), parse(REMOTE)
    for visitor in "aabc":
        hourly.count(reference, visitor)
    with pytest.raises(CheckpointError, match="try again in 60 minutes"):
        hourly.count(reference, "a")
    hourly.count(reference, "d")
    assert set(hourly._times) == {"a", "c", "d"}
    now[0] = 3600.0
    hourly.count(reference, "a")
