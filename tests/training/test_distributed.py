"""Two processes under torchrun train what one trains."""

import signal
import subprocess
import sys
import time

import pytest
import torch

from cnn_models.checkpoints.folder import read_history, read_weights
from tests.conftest import ROOT
from tests.small_training import Training, main
from tests.training.test_loop import finish
from training import state

TOGETHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
# Without augmentation, so that shared batches differ from whole ones by roundings alone.
OPTIONS = ("mini_resnet.mnist", "--recipe=source", "--epochs=3", "--device=cpu")
MUON = ("lenet5.mnist", "--recipe=fast", "--epochs=3", "--device=cpu")


def run(out, *options, of=OPTIONS, count=1):
    return Training(*of, f"--out={out}", *options, count=count)


def run_torchrun(out, *options, of=OPTIONS):
    command = [sys.executable, *TOGETHER, "-m", "tests.small_training", *of, f"--out={out}", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, data_dir):
    out = tmp_path_factory.mktemp("alone")
    code, errors = finish(run(out))
    assert code == 0, errors
    return out / "mini_resnet.mnist"


def assert_close(folder, alone):
    ours, theirs = (read_weights(folder)[0] for folder in (folder, alone))
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-5)
    assert_learned_alike(folder, alone)


def assert_learned_alike(folder, alone):
    for ours, theirs in zip(read_history(folder), read_history(alone), strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-3)
        assert ours["train_accuracy"] == pytest.approx(theirs["train_accuracy"], abs=0.4)


def test_two_processes_train_what_one_does_and_one_writes(alone, tmp_path):
    code, errors = finish(run_torchrun(tmp_path))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", alone)
    assert errors.count("100%") and errors.count("mini_resnet.mnist:   0%") == 1, "both printed"


def test_two_processes_learn_with_muon_what_one_does(data_dir, tmp_path):
    """Not to the last weight: a momentum made orthogonal, in bfloat16, magnifies roundings."""
    processes = {"one": run(tmp_path / "one", of=MUON), "two": run(tmp_path / "two", of=MUON, count=2)}
    for process in processes.values():
        code, errors = finish(process)
        assert code == 0, errors
    assert_learned_alike(*(tmp_path / name / "lenet5.mnist" for name in processes))


def test_a_run_of_two_processes_goes_on_with_one(alone, tmp_path):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run_torchrun(tmp_path)
    while not saved.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code and saved.exists() and not (tmp_path / "mini_resnet.mnist").exists(), errors
    code, errors = finish(run(tmp_path, "--resume"))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", alone)


def test_a_run_of_one_process_goes_on_with_two(alone, tmp_path):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run(tmp_path)
    while not saved.exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    finish(process)
    assert state.exists(saved) and not (tmp_path / "mini_resnet.mnist").exists()
    code, errors = finish(run(tmp_path, "--resume", count=2))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", alone)


def train_outside_of_a_group(arguments):
    main(arguments)
    assert not torch.distributed.is_initialized()


def test_a_single_process_starts_no_process_group(tmp_path, data_dir):
    code, output = finish(Training(*OPTIONS, "--epochs=1", f"--out={tmp_path}", command=train_outside_of_a_group))
    assert code == 0, output
