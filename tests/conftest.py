"""Shared fixtures: the data sets, small real checkpoints, a Hub on the loopback, the running app."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # gw0, gw1: each has a core and ports of its own
    os.environ |= {"OMP_NUM_THREADS": "1", "GRADIO_SERVER_PORT": f"{7860 + 100 * int(worker[2:])}"}

import torch
from torch import nn

import cnn_models  # first of all: it sets OMP_WAIT_POLICY before torch is imported
from cnn_models import ARCHITECTURES, DATASETS, Card, ModelHub, create_model
from cnn_models.checkpoints.evaluation import Evaluation
from cnn_models.checkpoints.folder import HISTORY_COLUMNS, weights_hash, write_checkpoint
from cnn_models.specs import Split
from tests.fake_hub import FakeHub
from training.saved_run import Progress, SavedRun
from training.state import save_state

ROOT = Path(cnn_models.__file__).parents[1]

# The same examples in every run.
settings.register_profile(
    "repeatable", derandomize=True, max_examples=60, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("repeatable")


def run_async(function: Callable[..., Coroutine], *arguments: object) -> object:
    """The result of a coroutine, run in another thread, as Playwright keeps an event loop in the main thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, function(*arguments)).result()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with both data sets in torchvision's layout; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("CNN_DATA_DIR") or ROOT / "data")
    if not all((folder / name / "raw").is_dir() for name in ("MNIST", "FashionMNIST")):
        sentence = f"no data sets in {folder}; run `python -m training.data`, or set CNN_DATA_DIR to where they are"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
    return folder


def make_card(architecture: str = "lenet5", dataset: str = "mnist") -> Card:
    """A valid card of a network that was never trained."""
    facts = DATASETS[dataset]
    return Card(
        architecture, dataset, ARCHITECTURES[architecture].input_size, facts.mean, facts.std, facts.classes,
        recipe={"name": "test", "epochs": 0}, seed=0, split=Split(), weights_dtype="float32", weights_sha256="0" * 64,
        versions={"torch": "test"}, commit="0" * 40, date="2026-01-01", metrics={"test_accuracy": 10.0},
    )  # fmt: skip


def make_evaluation(weights_sha256: str) -> Evaluation:
    """The evaluation of a network that predicts the first class for all of 20 test images, two per class."""
    confusion = tuple((2, *[0] * 9) for _ in range(10))
    return Evaluation(weights_sha256, confusion, (tuple(range(2, 20)), *[()] * 9))


def save_unfinished(state: Path, history: list[dict], **facts: object) -> None:
    """Save the state of a training after the epochs of a history."""
    module = nn.Linear(1, 1)
    run = SavedRun(facts, len(history), 1, {"model": module}, torch.optim.SGD(module.parameters()))
    save_state(state, run, Progress(step=len(history), history=history))


@pytest.fixture
def checkpoint(tmp_path) -> Callable[..., Path]:
    """`checkpoint("lenet5.mnist")` writes a freshly initialised network to `weights/lenet5.mnist`, for `tmp_path`."""

    def write(id: str = "lenet5.mnist", root: Path = tmp_path / "weights") -> Path:
        card = make_card(*id.split("."))
        history = [dict.fromkeys(HISTORY_COLUMNS, 1)]
        state = create_model(card.architecture).state_dict()
        evaluation = make_evaluation(weights_hash(state))
        write_checkpoint(root / id, state, card, history, f"# {id}\n", evaluation)
        return root / id

    return write


@pytest.fixture
def hub(tmp_path, monkeypatch) -> ModelHub:
    """A hub over `tmp_path / "weights"`, where `checkpoint` writes, independent of the environment."""
    monkeypatch.delenv("CNN_WEIGHTS_DIR", raising=False)
    monkeypatch.delenv("CNN_HUB_NAMESPACE", raising=False)
    monkeypatch.setenv("CNN_DEVICE", "cpu")
    return ModelHub(tmp_path / "weights")


@pytest.fixture
def fake_hub(tmp_path, monkeypatch):
    """A Hub on the loopback that the real client uses, with an empty cache in `tmp_path`."""
    import huggingface_hub
    from huggingface_hub import constants

    with FakeHub() as hub:
        # The client reads its environment at import; `test_environment_names_hub_and_cache` covers the environment.
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + template[template.index("/{repo_id}") :]
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        huggingface_hub.close_session()
        before = set(threading.enumerate())
        yield hub
        for thread in set(threading.enumerate()) - before:
            # Downloads continue after one file failed, or after the caller was interrupted.
            if thread.name.startswith("ThreadPool") or thread.name.startswith("download "):
                thread.join(5)
    huggingface_hub.close_session()


@contextmanager
def launched(*options: str, folder: Path = ROOT) -> Iterator[tuple[str, int]]:
    """The address and process id of a running `python app.py` without the Hub.

    A traceback in its output fails the test. It runs where gradio's folder for temporary files cannot be used, as where
    that belongs to another user.
    """
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "gradio").touch()
        yield from _launched(options, folder, os.environ | {"TMPDIR": temporary})


def _launched(options: tuple[str, ...], folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    environment |= {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    environment.pop("GRADIO_TEMP_DIR", None)
    environment.pop("CNN_HUB_NAMESPACE", None)
    environment.pop("CNN_WEIGHTS_DIR", None)
    process = subprocess.Popen(
        [sys.executable, "app.py", *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = []
    for line in process.stdout:
        output.append(line)
        if found := re.search(r"http://\S+", line):
            break
    else:
        pytest.fail("app.py ended before it gave an address:\n" + "".join(output))
    drain = threading.Thread(target=lambda: output.extend(process.stdout), daemon=True)
    drain.start()
    yield found.group(), process.pid
    process.terminate()
    process.wait(30)
    drain.join(5)
    traces = "".join(output)
    assert "Traceback" not in traces, traces


@contextmanager
def served(*options: str, folder: Path = ROOT) -> Iterator[str]:
    """The address of `launched`."""
    with launched(*options, folder=folder) as (address, _):
        yield address


@pytest.fixture(scope="session")
def app():
    """The address and process id of the app with the bundled weights."""
    with launched() as started:
        yield started


@pytest.fixture(scope="session")
def url(app):
    """The address of the app with the bundled weights."""
    return app[0]
