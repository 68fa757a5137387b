"""Publishing through the real Hub client, to a server on the loopback that is as strict as the Hub."""

import dataclasses
import json
import re
import runpy
import shutil
import signal
import sys
import threading
from collections.abc import Callable

import httpx
import onnxruntime
import pytest
from huggingface_hub import ModelCard, constants

from cnn_models import ModelHub
from cnn_models.analysis.averaged import read_averaged
from cnn_models.analysis.projection import read_projection
from cnn_models.analysis.seeds import read_seeds
from cnn_models.checkpoints.folder import (
    EVALUATION,
    FILES,
    HISTORY,
    README,
    WEIGHTS,
    files_of,
    load_model,
    read_card,
    read_evaluation,
    read_history,
    write_checkpoint,
)
from cnn_models.checkpoints.runs import find_runs
from cnn_models.command import INTERRUPTED
from cnn_models.datasets.test_sets import Measured
from cnn_models.folders import default_weights_dir
from cnn_models.hub import guard
from tests.conftest import served
from tests.fake_hub import Repository
from tests.small_training import Training
from training import exporter, uploads
from training.publish import main
from training.uploads import CURVES

ID, REMOTE, ONNX = "lenet5.mnist", "someone/lenet5.mnist", "lenet5.mnist.onnx"
FOLDER = default_weights_dir() / ID
SENT = {*files_of(read_card(FOLDER)), CURVES}
KNOWN = {}


@pytest.fixture(autouse=True)
def measured_and_drawn_once(monkeypatch):
    """The same weights are measured once in all tests, and the same history drawn once."""
    measure, draw = uploads.measure, uploads.curves_png

    def once(key: str, function: Callable, *args: object) -> object:
        if key not in KNOWN:
            KNOWN[key] = function(*args)
        return KNOWN[key]

    monkeypatch.setattr(uploads, "measure", lambda *args: once(args[1].weights_sha256, measure, *args))
    monkeypatch.setattr(uploads, "curves_png", lambda history: once(repr(history), draw, history))


@pytest.fixture
def owner(fake_hub, monkeypatch):
    """The Hub, with a token that may write to `someone/`; the client retries at once."""

    def sleep(seconds: float) -> None:
        assert seconds < 20

    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", sleep)
    return fake_hub


def run(*options: str, id: str = ID) -> str | None:
    """The error message of the command; None when it succeeds."""
    try:
        main([id, "--namespace", "someone", *options])
    except SystemExit as end:
        return str(end.code)


def test_pushed_from_one_cache_pulled_from_another(owner, hub, tmp_path, capsys):
    assert run() is None
    (line,) = re.findall(r'ModelHub\(\).get\("(.+)"\)', capsys.readouterr().out)
    files = owner.files(REMOTE)
    assert files.keys() == SENT | {".gitattributes"}
    net = hub.get(line)
    assert net.source == line and net.card == load_model(FOLDER)[1]
    for name in set(FILES) - {README}:
        assert (hub.folder(line) / name).read_bytes() == (FOLDER / name).read_bytes() == files[name]
    assert len(owner.repositories["model", REMOTE].commits) == 2  # made, then filled at once


def test_an_onnx_file_is_sent_again_only_when_it_changes_and_disturbs_no_pull(owner, hub, monkeypatch, capsys):
    monkeypatch.setattr(exporter, "COMPARED", 10)
    assert run("--onnx") is None
    (line,) = re.findall(r'ModelHub\(\).get\("(.+)"\)', capsys.readouterr().out)
    files = owner.files(REMOTE)
    assert files.keys() == SENT | {".gitattributes", ONNX}
    assert f'onnxruntime.InferenceSession("{ONNX}")' in files[README].decode()
    assert [each.name for each in onnxruntime.InferenceSession(files[ONNX]).get_inputs()] == ["image"]
    assert hub.get(line).card == load_model(FOLDER)[1] and not (hub.folder(line) / ONNX).exists()
    assert run("--onnx") is None
    assert "is up to date" in capsys.readouterr().out
    assert run() is None
    assert f"{REMOTE}: will delete {ONNX}" in capsys.readouterr().out
    assert ONNX not in owner.files(REMOTE) and b"onnxruntime" not in owner.files(REMOTE)[README]


def test_missing_packages_for_onnx_are_found_before_the_work(owner, monkeypatch):
    monkeypatch.setattr(uploads, "measure", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert run("--onnx") == "error: an ONNX file needs packages that are not installed; run `pip install onnxruntime`"
    assert not owner.requests


def test_the_model_card_is_one_the_hub_understands(owner):
    run()
    files = owner.files(REMOTE)
    card = ModelCard(files[README].decode())
    assert (card.data.library_name, card.data.pipeline_tag) == ("pytorch", "image-classification")
    assert (card.data.datasets, card.data.license) == (["ylecun/mnist"], "mit")
    (result,) = card.data.eval_results
    assert result.metric_value == pytest.approx(load_model(FOLDER)[1].metrics["test_accuracy"] / 100)
    assert f'models=["{REMOTE}"]' in card.text
    assert f"]({CURVES})" in card.text and files[CURVES].startswith(b"\x89PNG")
    assert "| all | | | 61,706 | 416,520 |" in card.text and "## Limits" in card.text


def test_dry_run_sends_nothing_and_needs_no_login(fake_hub, capsys):
    assert run("--dry-run") is None
    assert not fake_hub.requests
    output = capsys.readouterr().out
    assert f"model {REMOTE}: {len(SENT)} files" in output and all(name in output for name in SENT)
    assert "nothing was sent, and the repository was not compared" in output


def test_again_sends_nothing(owner, capsys):
    run()
    owner.requests.clear()
    assert run() is None
    assert "is up to date" in capsys.readouterr().out
    assert len(owner.repositories["model", REMOTE].commits) == 2 and not any(p == "PUT" for p, _ in owner.requests)


def test_private_branch_and_pull_request(owner, monkeypatch, capsys):
    assert run("--private", "--revision", "trial") is None
    repository = owner.repositories["model", REMOTE]
    assert repository.private and set(repository.refs) == {"main", "trial"}
    assert WEIGHTS in owner.files(REMOTE, "trial") and WEIGHTS not in owner.files(REMOTE)
    repository.private = False
    assert "someone/lenet5.mnist is public already; make it private on the Hub" in run("--private")
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    assert "you may not write to someone/lenet5.mnist (you have no right to write" in run()
    assert run("--pull-request") is None
    assert run("--pull-request", "--revision", "trial") == "2"  # which means main for the Hub
    assert WEIGHTS in owner.files(REMOTE, "refs/pr/1") and WEIGHTS not in owner.files(REMOTE)
    assert "/discussions/1" in capsys.readouterr().out


def test_a_pull_request_that_is_open_is_updated(owner, monkeypatch, capsys):
    """Those of other users, and a closed one, are left alone."""
    run()
    before = owner.files(REMOTE)
    repository = owner.repositories["model", REMOTE]
    owner.commit(repository, "main", before | {HISTORY: b"older"})
    for user in ("hf_owner", "hf_other", "hf_other"):
        monkeypatch.setenv("HF_TOKEN", user)
        assert run("--pull-request") is None
    first, second, again = re.findall(r"http\S+/discussions/\d.*", capsys.readouterr().out)
    assert (first[-1], again) == ("1", f"{second} is up to date") and second[-1] == "2"

    owner.commit(repository, "refs/pr/2", before | {"old.txt": b"", README: b"older"})
    assert run("--pull-request", "--dry-run") is None and "old.txt" in owner.files(REMOTE, "refs/pr/2")
    assert run("--pull-request") is None and owner.files(REMOTE, "refs/pr/2") == before
    output = capsys.readouterr().out
    assert output.count("will delete old.txt") == 2 and f"{second}\n  ModelHub().get" in output
    assert len(repository.discussions) == 2 and owner.files(REMOTE)[HISTORY] == b"older"

    repository.discussions[0]["status"] = "closed"
    assert run("--pull-request") is None and "/discussions/3" in capsys.readouterr().out


@pytest.mark.parametrize("part_size", [0, 100_000])
def test_all_and_their_collection(part_size, owner, tmp_path, monkeypatch, capsys):
    owner.part_size = part_size
    for id in (ID, "mini_resnet.mnist"):
        shutil.copytree(FOLDER.parent / id, tmp_path / "some" / id)
    options = ["--all", "--namespace", "someone", "--weights", str(tmp_path / "some")]
    for _ in range(2):
        main(options)
    (collection,) = owner.collections.values()
    assert [item["id"] for item in collection["items"]] == [REMOTE, "someone/mini_resnet.mnist"]
    assert owner.files(REMOTE)[WEIGHTS] == (FOLDER / WEIGHTS).read_bytes()
    assert capsys.readouterr().out.count("/collections/someone/cnn-lineup") == 2


def test_a_card_whose_figures_do_not_hold_is_refused(fake_hub, tmp_path):
    model, card = load_model(FOLDER)
    history, folder = read_history(FOLDER), tmp_path / ID
    accuracy, loss = (card.metrics[f"test_{figure}"] for figure in ("accuracy", "loss"))
    measured = f"measured {accuracy:.2f} % on 10,000 images of it; run `python -m training.evaluate"
    for metrics, sentence in {
        (("test_accuracy", 99.9),): f"has 99.90 % on the test set, {measured}",
        (("test_loss", 0.001),): f"has a test loss of 0.0010, measured {loss:.4f}; run `python -m training.evaluate",
        (("val_loss", 0.001),): "is not of the run on its card",
        (("val_accuracy", 1.0),): "is not of the run on its card; train lenet5.mnist again",
        (("test_accuracy", None),): "has no test accuracy; run `python -m training.evaluate lenet5.mnist`",
    }.items():
        figures = {name: value for name, value in (card.metrics | dict(metrics)).items() if value is not None}
        wrong = dataclasses.replace(card, metrics=figures)
        write_checkpoint(folder, model.state_dict(), wrong, history, "")
        assert sentence in run("--dry-run", "--weights", str(tmp_path))
    (folder / WEIGHTS).write_bytes(b"\x80\x04pickle")
    assert "is not the weights of lenet5.mnist" in run("--dry-run", "--weights", str(tmp_path))
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    with (folder / HISTORY).open("a") as file:
        file.writelines([(FOLDER / HISTORY).read_text().splitlines(keepends=True)[-1]] * 20_000)
    assert "history.csv has more than 1 MiB" in run("--dry-run", "--weights", str(tmp_path))
    assert "`python -m training.train lenet5.mnist`" in run("--dry-run", "--weights", str(tmp_path / "nothing"))
    assert not fake_hub.requests


def test_an_evaluation_that_contradicts_the_card_is_refused(tmp_path):
    shutil.copytree(FOLDER, tmp_path / ID)
    evaluation = json.loads((FOLDER / EVALUATION).read_text())
    evaluation["confusion"][3][3] += 1000
    evaluation["reliability"] = None
    (tmp_path / ID / EVALUATION).write_text(json.dumps(evaluation))
    output = run("--dry-run", "--weights", str(tmp_path))
    accuracy = read_card(FOLDER).metrics["test_accuracy"]
    instead = (100 * accuracy + 1000) / 110
    assert f"{accuracy:.2f} % on the test set, its evaluation.json {instead:.2f} %; run `python -m training" in output
    (tmp_path / ID / EVALUATION).unlink()
    assert "lenet5.mnist has no evaluation.json of its weights" in run("--dry-run", "--weights", str(tmp_path))
    model, card = load_model(FOLDER)
    card = dataclasses.replace(card, metrics=card.metrics | {"test_ece": 0.0})
    evaluation = read_evaluation(FOLDER)
    write_checkpoint(tmp_path / ID, model.state_dict(), card, read_history(FOLDER), "", evaluation)
    output = run("--dry-run", "--weights", str(tmp_path))
    assert "the test ece of lenet5.mnist is not that of its evaluation.json; run `python -m training.evaluate" in output


def test_a_part_of_the_test_set_decides_with_its_error(fake_hub, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "measure", lambda *_: Measured(990, 1000))
    assert run("--dry-run") is None
    monkeypatch.setattr(uploads, "measure", lambda *_: Measured(950, 1000))
    assert "measured 95.00 % on 1,000 images of it" in run("--dry-run")


FAULTS = {
    "token": ("POST", "/api/repos/create", {"status": 401}, "does not accept your token; run `hf auth login`, or "),
    "no right": ("POST", "/commit/", {"status": 403}, "you may not write to .* or --pull-request"),
    "gone": ("POST", "/preupload/", {"status": 404, "error": "RepoNotFound"}, "you may not write to"),
    "busy": ("POST", "/commit/", {"status": 409}, "is busy with .*; run the command again"),
    "changed": ("POST", "/commit/", {"status": 412}, "was changed in the meantime; check it on the Hub"),
    "too many": ("POST", "/preupload/", {"status": 429, "times": 9}, "received too many requests; wait some minutes"),
    "an hour": ("POST", "/preupload/", {"status": 429, "headers": {"Retry-After": "3600"}}, "too many requests; wait"),
    "a window": ("PUT", "/upload/", {"status": 429, "headers": {"RateLimit": '"api";r=0;t=300'}}, "too many requests"),
    "broken": ("POST", "/commit/", {"status": 500}, "failed with 500 at someone/lenet5.mnist .*; run the command"),
    # Two files, each tried six times, side by side: the eleventh refusal is the last of one of them at the latest.
    "storage": ("PUT", "/upload/", {"status": 503, "times": 11}, "failed with 503 .*; run the command again"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_gets_a_sentence_publishes_nothing_and_can_be_repeated(case, owner, capfd, caplog):
    method, part, fault, sentence = FAULTS[case]
    owner.fail(method, part, **fault)
    output = run()
    assert re.search(sentence, output) and "\n" not in output
    found = owner.repositories.get(("model", REMOTE), Repository())
    assert len(found.commits) <= 1
    assert "hf_owner" not in output + "".join(capfd.readouterr()) + caplog.text
    owner.faults.clear()
    assert run() is None and WEIGHTS in owner.files(REMOTE)


def test_a_hub_that_falls_silent_is_given_up(owner, monkeypatch):
    monkeypatch.setattr(guard, "STORING", 0.5)
    gate = threading.Event()
    owner.fail("POST", "/preupload/", first=lambda: gate.wait(20), times=99)
    assert "the Hub cannot be reached (timed out)" in run()
    gate.set()


def send_without_measuring(arguments: list[str]) -> None:
    """The command, to the Hub at the first of its arguments."""
    constants.ENDPOINT, *arguments = arguments
    constants.HF_HUB_DISABLE_XET = True
    uploads.measure_again = lambda *_: None
    sys.argv = ["publish", *arguments]
    runpy.run_module("training.publish", run_name="__main__")


def test_ctrl_c_ends_an_upload_at_once_and_the_next_one_completes_it(owner):
    sent, gate = threading.Event(), threading.Event()
    owner.fail("PUT", "/upload/", first=lambda: sent.set() or gate.wait(60), times=1)
    process = Training(owner.url, ID, "--namespace", "someone", command=send_without_measuring)
    assert sent.wait(60)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=30)[0]
    gate.set()
    assert process.returncode == INTERRUPTED and "Traceback" not in output
    assert output.endswith("stopped; run the command again; it sends what is missing\n")
    assert WEIGHTS not in owner.files(REMOTE)
    assert run() is None and WEIGHTS in owner.files(REMOTE)


def test_a_commit_whose_answer_is_lost_is_not_denied(owner, capsys):
    owner.fail("POST", "/commit/", cut=0)
    output = run()
    assert "cannot be reached" in output and "run the command again; it sends what is missing" in output
    assert WEIGHTS in owner.files(REMOTE)
    assert run() is None and "is up to date" in capsys.readouterr().out


def test_pushed_by_two_at_once(owner):
    run()
    repository = owner.repositories["model", REMOTE]
    other = owner.files(REMOTE) | {"history.csv": b"other"}
    owner.commit(repository, "main", other | {WEIGHTS: b"other"})
    owner.fail("POST", "/preupload/", first=lambda: owner.commit(repository, "main", other))
    assert "was changed in the meantime" in run()
    assert owner.files(REMOTE) == other


def test_not_logged_in_and_no_network(fake_hub, monkeypatch):
    """Reported before anything is measured."""
    monkeypatch.setattr(uploads, "measure", None)
    assert run() == (
        "error: you are not logged in to the Hub; run `hf auth login`, or set HF_TOKEN to a token of yours"
    )
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    assert "the Hub does not accept your token; run `hf auth login`, or correct HF_TOKEN" in run()
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with monkeypatch.context() as offline:
        offline.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        assert run() == "error: HF_HUB_OFFLINE is set; unset it and run the command again"
    fake_hub.stop()
    output = run()
    assert "the Hub cannot be reached" in output and "connect to the network, then run the command again" in output


TAKEN = [
    {"pytorch_model.bin": b"x"},
    {"config.json": b'{"architectures": ["ViTForImageClassification"]}', "model.safetensors": b"x"},
    {"config.json": (FOLDER.parent / "mini_resnet.mnist" / "config.json").read_bytes()},
]


@pytest.mark.parametrize(("files", "options"), [*zip(TAKEN, [["--dry-run"], ["--revision", "trial"], []], strict=True)])
def test_a_name_that_is_taken(files, options, owner):
    repository = owner.repositories.setdefault(("model", REMOTE), Repository())
    owner.commit(repository, "main", files)
    output = f"exists and holds something else ({', '.join(sorted(files))}); publish under another name"
    assert output in run(*options)
    assert owner.files(REMOTE) == files and list(repository.refs) == ["main"]


def test_another_space_is_left_alone(owner):
    repository = owner.repositories.setdefault(("space", "someone/other"), Repository())
    owner.commit(repository, "main", {"app.py": b"", "requirements.txt": b""})
    with pytest.raises(SystemExit, match="someone/other exists and holds something else"):
        main(["--space", "someone/other"])
    assert len(repository.commits) == 1


def test_leftovers_go(owner, capsys):
    run()
    repository = owner.repositories["model", REMOTE]
    owner.commit(repository, "main", owner.files(REMOTE) | {"old.txt": b""})
    for options in (["--dry-run"], []):
        assert "old.txt" in owner.files(REMOTE)
        assert run(*options) is None
        assert f"{REMOTE}: will delete old.txt" in capsys.readouterr().out
    assert "old.txt" not in owner.files(REMOTE)


@pytest.mark.parametrize(
    "wrong", [["--space", "name"], ["--space", "me/app", "--onnx"], ["--all"], ["vgg.mnist", "--namespace", "me"], []]
)
def test_bad_options(wrong, capsys):
    with pytest.raises(SystemExit):
        main(wrong)
    sentences = "owner/name|leave out --onnx|--namespace NAME|known are lenet5.mnist|required"
    assert re.search(sentences, capsys.readouterr().err)


def test_a_space_holds_the_app_and_nothing_else(owner, tmp_path, capsys):
    main(["--space", "someone/cnn-lineup", "--dry-run"])
    assert not owner.repositories and "space someone/cnn-lineup: " in capsys.readouterr().out
    main(["--space", "someone/cnn-lineup"])
    files = owner.files("someone/cnn-lineup", type="space")
    assert owner.repositories["space", "someone/cnn-lineup"].made["sdk"] == "gradio"
    tops = {name.partition("/")[0] for name in files} - {".gitattributes"}
    assert tops == {"app.py", "cnn_models", "ui", "weights", "requirements.txt", "README.md", "LICENSE"}
    assert "ui/compare.png" in files
    assert not [name for name in files if "__pycache__" in name or name.endswith(".pyc")]
    for name, content in files.items():
        if name != ".gitattributes":
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
    hub = ModelHub(tmp_path / "weights")
    assert list(hub.cards()) == list(ModelHub(default_weights_dir()).cards())
    finished = {group: [run for run in runs if run.card] for group, runs in find_runs(default_weights_dir()).items()}
    assert find_runs(hub.weights_dir) == {group: runs for group, runs in finished.items() if runs}
    assert not [name for name in files if name.startswith("weights/runs/") and name.endswith(".safetensors")]
    measured = {f"weights/{path.name}" for path in default_weights_dir().glob("*.json")}
    assert measured and measured <= files.keys()
    assert read_averaged(hub.weights_dir) == read_averaged(default_weights_dir()) != {}
    assert read_seeds(hub.weights_dir) == read_seeds(default_weights_dir())
    for card in hub.cards().values():  # predictions over the epochs need them
        assert (hub.snapshots(card.id) is None) is (card.snapshots_sha256 is None)
        assert read_projection(hub.weights_dir, card)  # the map does
    assert (tmp_path / "cnn_models" / "datasets" / "data" / "mnist.png").is_file()

    # It starts, here as behind a proxy that ends HTTPS and shows it below a path, and answers by these weights.
    with served("--root-path", "/cnn", folder=tmp_path) as address:
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "demo.example", "Host": "demo.example"}
        assert httpx.get(f"{address}/config", headers=proxied, timeout=60).json()["root"] == "https://demo.example/cnn"
        with (tmp_path / "ui" / "common" / "samples" / "mnist.7.png").open("rb") as file:
            (path,) = httpx.post(f"{address}/gradio_api/upload", files={"files": file}, timeout=60).json()
        question = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, "mnist"]}
        event = httpx.post(f"{address}/gradio_api/call/compare", json=question, timeout=60).json()["event_id"]
        answer = httpx.get(f"{address}/gradio_api/call/compare/{event}", timeout=60).text
    (found,) = json.loads(answer.partition("data: ")[2])
    assert found["verdict"]["votes"] == {"7": len(found["models"])} and len(found["models"]) >= 3
