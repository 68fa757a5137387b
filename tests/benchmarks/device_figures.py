"""The figures of `tests.benchmarks.device`, each row measured in a process of its own."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from cnn_models import ARCHITECTURES
from cnn_models.checkpoints.folder import load_model, read_card, read_history
from cnn_models.checkpoints.ids import BUILT_IN
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.folders import default_weights_dir
from cnn_models.network import Network
from cnn_models.runtime import keep_memory, place
from tests.benchmarks.training import last_epoch
from tests.conftest import ROOT
from training.data import LabelledImages
from training.learner import Setup
from training.loop import fit
from training.state import TrainingError

ANSWERED = 500  # test images
TIMED = 20  # of single images, after as many to warm up
TRAINED, TRAINED_SLOWLY = 20_000, 256  # images of an epoch; of a large network on a CPU
LARGE = ("alexnet", "googlenet")
STOPPED = 50  # the step after which the training that is resumed was stopped
SMALL = "lenet5.mnist"  # the network of the last three rows
# Without augmentation, which processes draw differently, and in few steps, over which rounding errors grow.
SHARED = ("--recipe=fast", "--batch-size=8192", "--epochs=2")
CPU = torch.device("cpu")


class Figures(NamedTuple):
    """The figures of a row; None where they are not measured. Speeds are images per second, memory is bytes."""

    difference: float
    trained: float
    answered: float | None = None
    milliseconds: float | None = None
    memory: int | None = None


def table(device: torch.device) -> str:
    """The table in Markdown; a row that cannot be measured says why."""
    rows: dict[str, Callable[[], Figures]] = {id: partial(checkpoint, id, device) for id in BUILT_IN}
    rows[f"{SMALL}, compiled"] = partial(compiled, device)
    rows[f"{SMALL}, resumed"] = partial(resumed, device)
    rows[f"{SMALL}, two processes"] = partial(two_processes, device)
    heads = "largest difference", "images/s training", "images/s answering", "ms for one", "memory, MB"
    lines = [f"| {' | '.join([name_of(device), *heads])} |", "|---|" + "---:|" * len(heads)]
    for title, measure in (bar := tqdm(rows.items(), unit="row")):
        bar.set_postfix_str(title)
        try:
            lines.append(row(title, in_new_process(measure)))
        except Exception as error:  # the other rows are still of use
            lines.append(f"| {title} | not measured: {error} | | | | |")
    return "\n".join(lines)


def in_new_process(measure: Callable[[], Figures]) -> Figures:
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=quiet) as process:
        return process.submit(measure).result()


def quiet() -> None:
    """Prepare a process as `training.train` does, without the output of trainings."""
    keep_memory()
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  for as long as the process


def name_of(device: torch.device) -> str:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type} ({platform.machine()})"
    return f"{name}, torch {torch.__version__}"


def row(title: str, found: Figures) -> str:
    memory = None if found.memory is None else found.memory / 1e6
    values = found.difference, found.trained, found.answered, found.milliseconds, memory
    forms = ".1e", ",.0f", ",.0f", ",.2f", ",.0f"
    cells = ["" if value is None else format(value, form) for value, form in zip(values, forms, strict=True)]
    return f"| {' | '.join([title, *cells])} |"


def checkpoint(id: str, device: torch.device) -> Figures:
    """The figures of a checkpoint; the difference is that to the CPU."""
    model, card = load_model(default_weights_dir() / id)
    images = some_images(id)
    expected = Network(place(model, CPU), card, CPU).run(images).probabilities
    net = Network(place(model, device), card, device)
    net.run(images)  # the first run includes set-up
    found = net.run(images)
    times = [net.run(images[:1]).milliseconds for _ in range(2 * TIMED)]
    _, speed = trained(training(id, device))
    return Figures(
        largest(found.probabilities, expected),
        speed,
        1000 * len(images) / found.milliseconds,
        median(times[TIMED:]),
        peak_memory(device),
    )


def compiled(device: torch.device) -> Figures:
    """The figures of a training of the compiled network."""
    one, _ = trained(training(SMALL, device))
    two, speed = trained(training(SMALL, device, compile=True))
    return Figures(apart(one, two, device), speed)


def resumed(device: torch.device) -> Figures:
    """The figures of a training that is stopped and resumed."""
    setup, steps = training(SMALL, device), count(1)
    one, _ = trained(setup)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.safetensors"
        with suppress(TrainingError):
            fit(setup, state, stop=lambda: next(steps) == STOPPED)
        two, progress = fit(setup, state, resume=True)
    return Figures(apart(one, two, device), progress.history[-1]["images_per_second"])


def two_processes(device: torch.device) -> Figures:
    """The figures of a training by torchrun, compared with the same command in one process."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one"), Path(folder, "two")
        for out, launcher in {one: (), two: torchrun}.items():
            command = (sys.executable, *launcher, "-m", "training.train", SMALL, *SHARED)
            options = (f"--device={device}", f"--out={out}")
            ended = subprocess.run((*command, *options), cwd=ROOT, capture_output=True, text=True)
            if ended.returncode:
                lines = ended.stderr.splitlines()
                raise RuntimeError(next((line for line in lines if line.startswith("error: ")), lines[-1]))
        models = [place(load_model(out / SMALL)[0], device) for out in (one, two)]
        return Figures(apart(*models, device), read_history(two / SMALL)[-1]["images_per_second"])


def training(id: str, device: torch.device, **changed: bool) -> Setup:
    """Two epochs of the recipe `best` at its final input size; test images are as slow as those to train on."""
    architecture, dataset = id.split(".")
    images, labels = (torch.tensor(each, device=device) for each in load_test_set(dataset))
    size = TRAINED_SLOWLY if architecture in LARGE and device.type == "cpu" else TRAINED
    index = torch.arange(size, device=device) % len(labels)
    examples = LabelledImages(images[index], labels[index].long())
    recipe = replace(last_epoch(id), epochs=2, **changed)
    return Setup(id, ARCHITECTURES[architecture].build, examples, examples[:100], recipe, 0, device)


def trained(setup: Setup) -> tuple[nn.Module, float]:
    """The trained network, and images per second in the last epoch."""
    with tempfile.TemporaryDirectory() as folder:
        model, progress = fit(setup, Path(folder) / "state.safetensors")
    return model, progress.history[-1]["images_per_second"]


def some_images(id: str) -> Tensor:
    """The first ANSWERED test images of a checkpoint's data set."""
    return torch.tensor(load_test_set(id.split(".")[1])[0][:ANSWERED])


def apart(one: nn.Module, two: nn.Module, device: torch.device) -> float:
    """The largest difference between probabilities of two networks SMALL."""
    card = read_card(default_weights_dir() / SMALL)
    found = [Network(each.eval(), card, device).run(some_images(SMALL)).probabilities for each in (one, two)]
    return largest(*found)


def largest(found: Tensor, expected: Tensor) -> float:
    return (found - expected).abs().max().item()


def peak_memory(device: torch.device) -> int:
    """The most bytes so far: of tensors on CUDA, of this process on a CPU. On MPS, the bytes at present."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
