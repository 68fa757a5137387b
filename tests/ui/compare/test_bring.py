"""Third-party checkpoints, without a browser: checkpoints of the Hub of the tests, through the real client."""

import re
import threading
import time
from contextvars import copy_context

import pytest

from cnn_models import ModelHub
from cnn_models.checkpoints.folder import WEIGHTS, CheckpointError
from cnn_models.checkpoints.ids import parse
from cnn_models.hub import downloads, limits
from cnn_models.hub.errors import DownloadPending
from cnn_models.hub.limits import Hourly
from cnn_models.visitors import VISITOR, Visitor
from tests.ui.compare.test_tab import SEVEN, numbers
from ui.api import arrive
from ui.common.texts import LANGUAGES
from ui.compare import bring as module
from ui.compare import look
from ui.compare.bring import EXAMPLE, Bringer
from ui.compare.look import Looker

REMOTE = "someone/lenet5.mnist"


@pytest.fixture
def public(hub, checkpoint, monkeypatch):
    """A hub for untrusted clients with one network of its own; measuring takes no longer than it must."""
    monkeypatch.setattr(module, "MEASURING", 0)
    monkeypatch.setattr(look, "MEASURING", 0)
    checkpoint()
    return ModelHub(hub.weights_dir, public=True)


def test_what_is_brought_joins_the_board_measured_and_marked(public, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commit = fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    got = Bringer(public).bring({"id": f" {REMOTE}@main "})
    pinned = f"{REMOTE}@{commit}"
    assert got["id"] == pinned and f'value="{pinned}" checked' in got["choice"] and "error" not in got
    fake_hub.requests.clear()
    looker = Looker(public)
    shown = looker.look({"image": SEVEN, "models": ["lenet5", pinned], "quick": True})
    found = public.measure(pinned, seconds=0)
    assert f"someone@<wbr>{commit[:7]}" in shown["board"] and f"{found.accuracy:.2f} % of 100 here" in shown["board"]
    assert len(numbers(shown["board"], "lenet5")) == len(numbers(shown["board"], pinned)) == 10
    assert "weights/" in shown["board"] and f"{REMOTE}@{commit[:7]}" in shown["board"].replace("<wbr>", "")
    assert set(shown["answers"]) == {"lenet5", pinned} and f"(someone@{commit[:7]})" in shown["steps"]
    assert pinned not in looker.look({"image": SEVEN, "models": [pinned], "dataset": "fashion_mnist"})["order"]
    assert not fake_hub.requests


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_brought_gets_a_sentence_and_no_request(language, public, fake_hub):
    bringer = Bringer(public)
    for id in (None, 7, "", "lenet5.mnist", "someone/vgg16.mnist", "https://x/someone/lenet5.mnist", "a/../b"):
        assert EXAMPLE in bringer.bring({"id": id, "language": language})["error"]
        assert bringer.bringing({"id": id}) == {}
    error = bringer.bring({"id": "someone/lenet5.fashion_mnist", "language": language})["error"]
    assert error.count("Clothing" if language == "en" else "服饰") == 2
    assert "4" in bringer.bring({"id": REMOTE, "there": ["x"] * 4, "language": language})["error"]
    assert not fake_hub.requests and bringer.bring(None)["error"] and bringer.bringing(None) == {}


def test_a_hostile_one_is_refused_by_name(public, checkpoint, fake_hub, tmp_path):
    pickle = {WEIGHTS: b"\x80\x04cos\nsystem\n."}
    commit = fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"), **pickle)
    got = Bringer(public).bring({"id": REMOTE})
    assert f"{REMOTE}@{commit}/{WEIGHTS} is not the weights of lenet5.mnist: " in got["error"]
    assert "id" not in got and str(tmp_path) not in got["error"]


def test_who_waits_sees_how_far_it_is(public, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate = threading.Event()
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    bringer, seen = Bringer(public), []
    for _ in range(100):
        assert bringer.bring({"id": REMOTE}) == {"wait": True}
        if far := bringer.bringing({"id": REMOTE}):
            break
    assert 0 < far["done"] < far["all"] and far["text"].endswith("of 0.2 MB downloaded")
    gate.set()
    monkeypatch.setattr(downloads, "WAIT", 20)
    measure = public.measure

    def watched(id, seconds, progress):
        return measure(id, seconds, lambda count: (progress(count), seen.append(bringer.bringing({"id": REMOTE}))))

    monkeypatch.setattr(public, "measure", watched)
    assert bringer.bring({"id": REMOTE})["id"].startswith(REMOTE)
    assert seen == [{"done": 100, "all": 10_000, "text": "evaluating: 100 of 10,000 test images"}]
    assert bringer.bringing({"id": REMOTE}) == {}


def test_the_page_does_not_wait_for_the_line_up_but_asks_again(hub, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate = threading.Event()
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    looker = Looker(ModelHub(hub.weights_dir, namespace="someone", public=True))
    ask = {"image": SEVEN, "models": ["lenet5"], "language": "zh"}
    for _ in range(100):
        got = looker.look(ask)
        assert got["again"] and "正在下载" in got["board"] and not got["answers"]
        if "max=" in got["board"]:
            break
    assert re.search(r'已下载 0\.\d / 0\.2 MB</p>\s*<progress value="\d+" max="\d{6}">', got["board"])
    monkeypatch.setattr(downloads, "WAIT", 20)
    start = time.monotonic()
    assert looker.look(ask)["again"] and time.monotonic() < start + 10, "it waited for what it knows to be on its way"
    gate.set()
    while (got := looker.look(ask))["again"]:
        assert time.monotonic() < start + 20
    assert got["answers"]


def test_compare_waits_for_what_is_on_its_way_and_for_nothing_else(hub, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate = threading.Event()
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    fake_hub.fail("GET", "/cdn/", first=lambda: gate.wait(20))
    public = ModelHub(hub.weights_dir, namespace="someone", public=True)
    with pytest.raises(DownloadPending):
        public.get("lenet5.mnist")
    threading.Timer(0.5, gate.set).start()
    arrive(public, ["alexnet.mnist", "lenet5.mnist"])
    assert gate.is_set() and public.get("lenet5.mnist").id == "lenet5.mnist"


def test_a_visitor_costs_one_look_up(public, checkpoint, fake_hub, tmp_path, monkeypatch):
    """Of those an hour has, though the branch and its commit are asked for, and asked for again."""
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    bringer = Bringer(public)
    ids = {bringer.bring({"id": id})["id"] for id in (REMOTE, REMOTE)}
    assert len(ids) == 1 and bringer.bring({"id": ids.pop()})["id"]
    assert len(public._downloads._limits._downloads._times[""]) == 1


def by(visitor, work, *arguments):
    """What `work` gives on behalf of a visitor."""

    def run():
        VISITOR.set(Visitor(visitor))
        return work(*arguments)

    return copy_context().run(run)


def test_who_asks_for_many_that_do_not_exist_locks_out_nobody_else(public, checkpoint, fake_hub, tmp_path):
    fake_hub.push(REMOTE, checkpoint(root=tmp_path / "published"))
    bringer = Bringer(public)
    assert by("first", bringer.bring, {"id": REMOTE})["id"]
    fake_hub.requests.clear()
    errors = [by("first", bringer.bring, {"id": f"nobody{number}/lenet5.mnist"})["error"] for number in range(80)]
    assert sum("or it is private; check the name" in error for error in errors) == 19 == len(fake_hub.requests)
    assert "is not looked up: you requested 20 new names within an hour; try again in 60 minutes" in errors[-1]
    assert by("first", bringer.bring, {"id": REMOTE})["id"], "what is known costs no look-up"
    fake_hub.push("other/lenet5.mnist", tmp_path / "published" / "lenet5.mnist")
    assert "new names" in by("first", bringer.bring, {"id": "other/lenet5.mnist"})["error"]
    assert by("second", bringer.bring, {"id": "other/lenet5.mnist"})["id"]
    assert by("first", bringer.bring, {"id": "other/lenet5.mnist"})["id"]
    assert "check the name" in by("second", bringer.bring, {"id": "nobody0/lenet5.mnist"})["error"]
    assert len(fake_hub.requests) < 19 + 20, "that it failed was forgotten"
    assert len(public._downloads._limits._downloads._times[""]) == 2


def test_pools_look_up_for_who_asked_them(public, fake_hub, monkeypatch):
    monkeypatch.setattr(public._downloads._limits, "_lookups", Hourly(1, "checkpoint.lookups"))
    ids = [f"{name}/lenet5.mnist@{name * 40}" for name in "abcd"]
    shown = by("first", Looker(public).look, {"image": SEVEN, "models": ids, "quick": True})
    assert shown["board"].count("new names within an hour") == 3
    by("second", arrive, public, [f"{id[:-1]}0" for id in ids])
    with pytest.raises(CheckpointError):
        by("third", public.fetch, [f"{id[:-1]}1" for id in ids])
    assert set(public._downloads._limits._lookups._times) == {"first", "second", "third"}
    by("fourth", ModelHub(public.weights_dir, namespace="someone", public=True).known)  # its own are not counted


def test_one_visitor_has_two_of_four_places(public, checkpoint, fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "WAIT", 0.1)
    gate, published = threading.Event(), checkpoint(root=tmp_path / "published")
    for name in "abcd":
        fake_hub.push(f"{name}/lenet5.mnist", published)
        fake_hub.fail("GET", f"/api/models/{name}/", first=lambda: gate.wait(20))
    bringer = Bringer(public)
    for visitor, names in {"first": "abc", "second": "d"}.items():
        for name in names:
            assert by(visitor, bringer.bring, {"id": f"{name}/lenet5.mnist"}) == {"wait": True}
    deadline = time.monotonic() + 20
    while len(fake_hub.requests) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(path.split("/")[3] for _, path in fake_hub.requests) == ["a", "b", "d"]
    gate.set()
    monkeypatch.setattr(downloads, "WAIT", 20)
    assert all(by("second", bringer.bring, {"id": f"{name}/lenet5.mnist"})["id"] for name in "abcd")


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
