"""What the commands share: output on any console, a clean end, arguments."""

import argparse
import subprocess
import sys

import pytest
import torch

from cnn_models.command import INTERRUPTED, positive, run, whole


def python(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", f"from cnn_models import command\n{code}"], timeout=60, **options)


@pytest.mark.parametrize("encoding", ["cp437", "cp866", "cp1251", "cp1253", "ascii"])
def test_a_pipe_gets_utf_8_whatever_the_console_has(encoding):
    code = "command.run(lambda: print('5×5 σ 卷积 \\udcff'))"
    ended = python(code, capture_output=True, env={"PYTHONIOENCODING": encoding})
    assert (ended.returncode, ended.stdout.decode("utf-8")) == (0, "5×5 σ 卷积 ?\n"), ended.stderr


def test_ctrl_c_ends_a_command_with_a_word():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        run(interrupted)
    assert ended.value.code == INTERRUPTED


def test_a_reader_that_leaves_early_ends_a_command_without_a_traceback():
    code = "command.run(lambda: [print('x' * 1000) for _ in range(1000)])"
    command = [sys.executable, "-c", f"from cnn_models import command\n{code}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("MPS backend out of memory")])
def test_a_full_gpu_ends_a_command_with_the_way_out(error):
    def full():
        raise error

    with pytest.raises(SystemExit, match="set CNN_DEVICE=cpu"):
        run(full)


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "11", "9" * 30, "9" * 100_000, "١"])
def test_a_number_outside_its_limits_is_refused_by_them(text):
    with pytest.raises(argparse.ArgumentTypeError, match="a whole number from 0 to 10"):
        whole(0, 10)(text)
    assert whole(-3, 10)("-3") == -3


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "0", "-1", "1e31", "1e999"])
def test_a_number_that_is_not_positive_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        positive(text)
    assert positive("1e-3") == 0.001
