"""The rows of the benchmark of devices, measured with few images on the CPU and on a stand-in for a GPU."""

import subprocess
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch

from cnn_models.runtime import best_device
from tests.benchmarks import device_figures
from tests.benchmarks.device_figures import CPU, Figures, checkpoint, compiled, resumed, table
from tests.fake_device import fake_device


@pytest.fixture(params=["cpu", "cuda", "mps"])
def device(request, monkeypatch) -> Iterator[torch.device]:
    for name, value in {"ANSWERED": 10, "TIMED": 1, "TRAINED": 300, "STOPPED": 2}.items():
        monkeypatch.setattr(device_figures, name, value)
    monkeypatch.setattr("torch.cuda.max_memory_allocated", lambda device: 1)
    monkeypatch.setattr("torch.mps.driver_allocated_memory", lambda: 1)
    with nullcontext() if request.param == "cpu" else fake_device(request.param):
        yield best_device(request.param)


def test_a_checkpoint_is_compared_with_the_cpu(device):
    found = checkpoint("lenet5.mnist", device)
    assert found.difference == 0
    assert None not in found
    assert min(found[1:]) > 0


def test_a_resumed_and_a_compiled_training_are_compared_with_a_plain_one(device, monkeypatch):
    assert resumed(device).difference == 0
    monkeypatch.setattr("torch.compile", lambda model: model)  # takes half a minute
    assert compiled(device).difference == 0


def test_a_failed_row_has_the_reason_and_the_others_are_there(monkeypatch):
    ended = subprocess.CompletedProcess((), 1, stderr="usage\nerror: there are more processes than GPUs\nTraceback")
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: ended)
    monkeypatch.setattr(device_figures, "BUILT_IN", ())
    for name in ("compiled", "resumed"):
        monkeypatch.setattr(device_figures, name, lambda device: Figures(1e-7, 1234.5))
    monkeypatch.setattr(device_figures, "in_new_process", lambda measure: measure())
    assert table(CPU).splitlines()[2:] == [
        "| lenet5.mnist, compiled | 1.0e-07 | 1,234 |  |  |  |",
        "| lenet5.mnist, resumed | 1.0e-07 | 1,234 |  |  |  |",
        "| lenet5.mnist, two processes | not measured: error: there are more processes than GPUs | | | | |",
    ]
