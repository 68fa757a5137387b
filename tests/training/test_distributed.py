"""Two processes under torchrun train the weights that one trains."""

import signal
import subprocess
import sys

import pytest
import torch

from cnn_models.checkpoints.folder import read_history, read_weights
from tests.conftest import ROOT
from tests.small_training import Training, main
from tests.training.test_loop import finish, wait_for_files
from training import state, train

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
# Without augmentation, so that shared batches differ from whole ones by rounding errors alone.
OPTIONS = ("mini_resnet.mnist", "--recipe=source", "--epochs=3", "--device=cpu")
MUON = ("lenet5.mnist", "--recipe=fast", "--epochs=3", "--device=cpu")


def run(out, *options, of=OPTIONS, count=1):
    return Training(*of, f"--out={out}", *options, count=count)


def run_torchrun(out, *options, of=OPTIONS):
    command = [sys.executable, *TORCHRUN, "-m", "tests.small_training", *of, f"--out={out}", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)


@pytest.fixture(scope="module")
def single_process(tmp_path_factory, data_dir):
    out = tmp_path_factory.mktemp("single")
    code, errors = finish(run(out))
    assert code == 0, errors
    return out / "mini_resnet.mnist"


def assert_close(folder, single_process):
    """Weights up to rounding errors (1.3e-5 was seen); gradients that are 1 % too large change them by 4e-4."""
    ours, theirs = (read_weights(folder)[0] for folder in (folder, single_process))
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-4)
    assert_same_losses(folder, single_process)


def assert_same_losses(folder, single_process):
    for ours, theirs in zip(read_history(folder), read_history(single_process), strict=True):
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-3)
        assert ours["train_accuracy"] == pytest.approx(theirs["train_accuracy"], abs=0.4)


def test_two_processes_train_the_weights_of_one_and_one_writes(single_process, tmp_path):
    code, errors = finish(run_torchrun(tmp_path))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", single_process)
    assert errors.count("100%") and errors.count("mini_resnet.mnist:   0%") == 1, "both printed"


def test_two_processes_with_muon_have_the_losses_of_one(data_dir, tmp_path):
    """Weights differ: an orthogonal momentum, in bfloat16, magnifies rounding errors."""
    processes = {"one": run(tmp_path / "one", of=MUON), "two": run(tmp_path / "two", of=MUON, count=2)}
    for process in processes.values():
        code, errors = finish(process)
        assert code == 0, errors
    assert_same_losses(*(tmp_path / name / "lenet5.mnist" for name in processes))


def test_a_run_of_two_processes_resumes_with_one(single_process, tmp_path):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run_torchrun(tmp_path)
    wait_for_files(process, saved)
    process.send_signal(signal.SIGTERM)
    code, errors = finish(process)
    assert code and saved.exists() and not (tmp_path / "mini_resnet.mnist").exists(), errors
    code, errors = finish(run(tmp_path, "--resume"))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", single_process)


def test_a_run_of_one_process_resumes_with_two(single_process, tmp_path):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run(tmp_path)
    wait_for_files(process, saved)
    process.kill()
    finish(process)
    assert state.exists(saved) and not (tmp_path / "mini_resnet.mnist").exists()
    code, errors = finish(run(tmp_path, "--resume", count=2))
    assert code == 0, errors
    assert_close(tmp_path / "mini_resnet.mnist", single_process)


def test_two_processes_report_a_damaged_state_once(data_dir, tmp_path):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    saved.parent.mkdir()
    saved.write_text("<html>")
    for options, sentence in (
        (["--resume"], f"error: {saved} is damaged"),
        ([], f"error: {saved} holds an unfinished"),
    ):
        code, output = finish(run(tmp_path, *options, count=2))
        assert code == 1 and output.count(sentence) == 1 and "Traceback" not in output, output
    assert saved.read_text() == "<html>"


@pytest.mark.parametrize(("rank", "lines"), [("0", 1), ("1", 0)])
def test_one_process_of_a_group_reports_wrong_arguments(rank, lines, monkeypatch, capsys):
    monkeypatch.setenv("RANK", rank)
    with pytest.raises(SystemExit):
        train.main(["lenet5.mnist", "--epochs=0"])
    assert capsys.readouterr().err.count("is not a whole number") == lines


def train_without_a_group(arguments):
    main(arguments)
    assert not torch.distributed.is_initialized()


def test_a_single_process_starts_no_process_group(tmp_path, data_dir):
    code, output = finish(Training(*OPTIONS, "--epochs=1", f"--out={tmp_path}", command=train_without_a_group))
    assert code == 0, output
