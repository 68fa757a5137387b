"""Two processes under torchrun train what one trains."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from cnn_models.checkpoint import read_history, read_weights
from tests.test_training import SMALL, finish
from training import state

TOGETHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
# Without augmentation, so that shared batches differ from whole ones by roundings alone.
OPTIONS = ("mini_resnet.mnist", "--recipe=source", "--epochs=3", "--device=cpu")


def run(script, out, *options, processes=()):
    command = [sys.executable, *processes, str(script), *OPTIONS, f"--out={out}", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=Path(__file__).parents[1], text=True, **pipes)


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("script") / "small.py"
    path.write_text(f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[1])!r})\n{SMALL}")
    return path


@pytest.fixture(scope="module")
def alone(script, tmp_path_factory, data_dir):
    out = tmp_path_factory.mktemp("alone")
    code, errors = finish(run(script, out))
    assert code == 0, errors
    return out / "mini_resnet.mnist"


def assert_close(folder, alone):
    ours, theirs = (read_weights(folder)[0] for folder in (folder, alone))
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-5)
    for ours, theirs in zip(read_history(folder), read_history(alone), strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-3)
        assert ours["train_accuracy"] == pytest.approx(theirs["train_accuracy"], abs=0.4)


def test_two_processes_train_what_one_does_and_one_writes(script, alone, tmp_path):
    code, errors = finish(run(script, tmp_path, processes=TOGETHER))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", alone)
    assert errors.count("100%") and errors.count("mini_resnet.mnist:   0%") == 1, "both printed"


def test_a_run_of_two_processes_goes_on_with_one(script, alone, tmp_path):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run(script, tmp_path, processes=TOGETHER)
    while not saved.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code and saved.exists() and not (tmp_path / "mini_resnet.mnist").exists(), errors
    code, errors = finish(run(script, tmp_path, "--resume"))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", alone)


def test_a_run_of_one_process_goes_on_with_two(script, alone, tmp_path):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run(script, tmp_path)
    while not saved.exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    finish(process)
    assert state.exists(saved) and not (tmp_path / "mini_resnet.mnist").exists()
    code, errors = finish(run(script, tmp_path, "--resume", processes=TOGETHER))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", alone)


def test_one_process_imports_nothing_of_it(script, tmp_path, data_dir):
    script = script.with_name("alone.py")
    script.write_text(script.with_name("small.py").read_text() + "\nassert 'training.distributed' not in sys.modules\n")
    code, errors = finish(run(script, tmp_path, "--epochs=1"))
    assert code == 0, errors
