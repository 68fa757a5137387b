"""Whether a command can write is found before its work; what fails later is reported, and loses nothing."""

import errno
import os
import resource
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from cnn_models.checkpoints import centroids as module
from cnn_models.checkpoints.folder import CENTROIDS, CheckpointError, memory, read_weights
from tests.conftest import ROOT
from tests.small_training import Training, main
from tests.training.test_loop import finish
from training import centroids as centroids_command
from training import clusters, distill, ensembles, evaluate, evaluation, lock, projector, state, study, train, trainer
from training import depth_study as study_command
from training import projection as projection_command
from training.data import LabelledImages
from training.learner import Learner, Setup
from training.optimizers import OPTIMIZERS
from training.recipes import Recipe
from training.saved_run import Progress, SavedRun
from training.saver import Saver
from training.state import TrainingError, save_state

WEIGHTS = ROOT / "weights"
WORK = [
    (trainer, "split"), (evaluation, "examine"), (evaluation, "measure_ensembles"),
    (evaluation, "measure_seeds"), (study, "split"), (clusters, "split"), (projector, "project"),
]  # fmt: skip
COMMANDS = {
    "train": lambda folder: train.main(["mini_resnet.mnist", "--out", folder]),
    "evaluate": lambda folder: evaluate.main(["mini_resnet.mnist", "--weights", folder]),
    "evaluate --averages": lambda folder: evaluate.main(["--averages", "--weights", folder]),
    "evaluate --seeds": lambda folder: evaluate.main(["--seeds", "--weights", folder]),
    "depth_study": lambda folder: study_command.main(["--out", folder]),
    "centroids": lambda folder: centroids_command.main(["--weights", folder]),
    "projection": lambda folder: projection_command.main(["--weights", folder]),
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with a checkpoint of the reference model; a command that begins its work there fails the test."""
    for place, name in WORK:
        monkeypatch.setattr(place, name, lambda *_: pytest.fail("the work began"))
    shutil.copytree(WEIGHTS / "mini_resnet.mnist", tmp_path / "mini_resnet.mnist")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_without_write_access_is_found_before_the_work(command, folder, monkeypatch):
    for number, remedy in {
        errno.EACCES: "get write permission for it, or choose another folder",
        errno.EROFS: "get write permission for it, or choose another folder",
        errno.ENOSPC: "make room",
        errno.EDQUOT: "make room",
    }.items():

        def refused(dir, number=number, **_):
            raise OSError(number, os.strerror(number), str(dir))

        monkeypatch.setattr(lock, "NamedTemporaryFile", refused)
        with pytest.raises(SystemExit) as ended:
            COMMANDS[command](str(folder))
        reason = os.strerror(number)
        assert ended.value.code == f"error: {folder / '.training'} cannot be written to ({reason}); {remedy}"


@pytest.mark.parametrize("command", ["train", "evaluate", "depth_study"])
def test_too_little_room_is_found_before_the_work(command, folder, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 50_000))
    with pytest.raises(SystemExit, match=rf"{folder} is on a disk that is too full \(0 MB are free, \d+ MB are needed"):
        COMMANDS[command](str(folder))


def test_a_folder_inside_that_cannot_be_written_to_is_found_too(folder, monkeypatch):
    original = lock.NamedTemporaryFile

    def refused(dir, **options):
        if dir == folder / "mini_resnet.mnist":
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(dir=dir, **options)

    monkeypatch.setattr(lock, "NamedTemporaryFile", refused)
    with pytest.raises(SystemExit, match=r"mini_resnet.mnist cannot be written to \(Permission denied\)"):
        COMMANDS["evaluate"](str(folder))
    assert not list(folder.glob("**/*.new"))


@pytest.mark.parametrize(
    ("init", "sentence"), [("lenet5.mnist", "which is another network"), ("", "is not the card of a checkpoint")]
)
def test_weights_that_cannot_be_the_first_are_found_before_the_work(init, sentence, folder):
    with pytest.raises(SystemExit, match=sentence):
        train.main(["mini_resnet.mnist", "--recipe", "distilled", "--init", str(WEIGHTS / init), "--out", str(folder)])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_the_room_that_is_needed_is_that_of_three_states_and_the_checkpoint(optimizer, average, tmp_path):
    images = LabelledImages(torch.zeros(4, 28, 28, dtype=torch.uint8), torch.arange(4))
    recipe = Recipe(2, 4, 1e-3, optimizer, average=average, size=28, mean=0.1, std=0.3)
    build = trainer.ARCHITECTURES["mini_inception"].build
    setup = Setup("mini_inception.mnist", build, images, images, recipe, 0, torch.device("cpu"))
    learner, progress = Learner(setup), Progress()
    for _ in range(3):
        progress.take(learner.kept)
    learner.network(torch.rand(4, 1, 28, 28)).sum().backward()
    learner.optimizer.step()
    path = tmp_path / ".training" / "mini_inception.mnist.safetensors"
    needed = trainer.disk_space(memory("mini_inception"), recipe, path)
    run = Saver(path, setup, learner, lambda: False).run
    for _ in range(2):
        save_state(path, run, progress)
    one, snapshots = path.stat().st_size, 3 * memory("mini_inception") // 2
    assert needed == pytest.approx(3 * one + memory("mini_inception") + snapshots, rel=0.05)
    left = trainer.disk_space(memory("mini_inception"), recipe, path)
    assert left == pytest.approx(needed - 2 * one, rel=0.05)


def limited(arguments: list[str]) -> None:
    """A training whose files can have 20 KB: enough for its locks, too little for its states."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    main(arguments)


def test_where_not_even_the_first_state_can_be_saved_none_is_promised(tmp_path, data_dir):
    code, output = finish(Training("mini_resnet.mnist", "--device=cpu", f"--out={tmp_path}", command=limited))
    assert code == 1 and "Traceback" not in output
    assert "nothing of it is saved: make room, or choose another --out, then start it again" in output
    assert "still there" not in output and not list(tmp_path.glob(".training/*.safetensors"))


def full(*_, **__):
    raise SafetensorError("I/O error: No space left on device (os error 28)")


def test_a_full_disk_at_the_end_is_reported_and_what_was_there_stays(folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in (folder / "mini_resnet.mnist").iterdir()}
    found = module.read_centroids(folder / "mini_resnet.mnist")
    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(CheckpointError, match=rf"{CENTROIDS} was not written and is as it was before: the disk is"):
        module.write_centroids(folder / "mini_resnet.mnist", found)
    monkeypatch.setattr(distill, "save_file", full)
    with pytest.raises(TrainingError, match=r"soft targets could not be saved .*; make room, then run the same"):
        distill._write(folder / "answers.safetensors", "", torch.zeros(1, 10))
    assert {path.name: path.read_bytes() for path in (folder / "mini_resnet.mnist").iterdir()} == before
    assert [path.name for path in folder.iterdir()] == ["mini_resnet.mnist"]


@pytest.mark.parametrize(
    ("write", "file", "error"),
    [(ensembles.write_averaged, "", CheckpointError), (study.write, study.FILE, TrainingError)],
)
def test_results_that_cannot_be_written_leave_those_before(write, file, error, tmp_path, monkeypatch):
    def refused(path, *_, **__):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    write(tmp_path / file, {"runs": []})
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    for way in ("write_text", "write_bytes"):
        monkeypatch.setattr(Path, way, refused)
    with pytest.raises(error, match=rf"{path.name} (was not|could not be) written.*; make room,? and run"):
        write(tmp_path / file, {"runs": [1]})
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_a_checkpoint_that_cannot_be_replaced_stays(checkpoint, monkeypatch):
    folder = checkpoint()
    before, original = read_weights(folder)[0], Path.rename

    def refused(path, target):
        if path.name.endswith(".new"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(CheckpointError, match=r"is as it was before: .*Permission denied"):
        checkpoint()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert all(torch.equal(tensor, before[name]) for name, tensor in read_weights(folder)[0].items())


def test_a_state_that_cannot_be_saved_names_what_there_is(tmp_path, monkeypatch):
    model = torch.nn.Linear(2, 2)
    optimizer, path = torch.optim.AdamW(model.parameters()), tmp_path / "state.safetensors"
    monkeypatch.setattr(state, "save_file", full)
    with pytest.raises(TrainingError, match="nothing of it is saved: make room"):
        save_state(path, SavedRun({}, 1, 1, {"model": model}, optimizer), Progress())
