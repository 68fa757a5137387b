"""One command at a time writes a checkpoint; a killed one leaves no lock."""

import signal
import time

import pytest

from cnn_models.analysis.seeds import SEEDS
from cnn_models.checkpoints.folder import read_card, read_weights
from tests.small_training import Training
from tests.training.test_distributed import run
from tests.training.test_loop import finish, wait_for_files
from training import depth_study, evaluate, state, study
from training.lock import writing
from training.process_group import ProcessGroup, SingleProcess
from training.state import TrainingError

ID = "mini_resnet.mnist"
REFUSED = f"{ID}; run this one when that has ended, or write to another folder"


def start(out, *options):
    return Training(ID, "--recipe=source", "--epochs=2", "--device=cpu", f"--out={out}", *options)


def start_and_wait_for_a_state(out):
    saved, process = out / ".training" / f"{ID}.safetensors", start(out)
    wait_for_files(process, saved)
    return saved, process


def test_the_second_of_two_trainings_is_refused_and_the_first_is_written(data_dir, tmp_path):
    _, first = start_and_wait_for_a_state(tmp_path)
    first.send_signal(signal.SIGSTOP)
    for options in ([], ["--restart"], ["--resume", "--seed=1"]):
        code, output = finish(start(tmp_path, *options))
        assert code and f"another command is at work on {tmp_path}" in output and REFUSED in output
    assert first.poll() is None, "it was too short for the test"
    first.send_signal(signal.SIGCONT)
    code, output = finish(first)
    assert code == 0, output
    assert read_card(tmp_path / ID).seed == 0


def test_a_killed_training_leaves_no_lock_and_can_be_resumed(data_dir, tmp_path):
    saved, process = start_and_wait_for_a_state(tmp_path)
    process.kill()
    finish(process)
    assert state.exists(saved) and not (tmp_path / ID).exists()
    code, output = finish(start(tmp_path, "--resume"))
    assert code == 0, output
    read_weights(tmp_path / ID)


def test_all_processes_of_a_training_are_refused(data_dir, tmp_path):
    with writing(tmp_path / ID):
        start = time.monotonic()
        code, output = finish(run(tmp_path, count=2))
    assert code and output.count(REFUSED) == 1 and time.monotonic() < start + 100
    assert not (tmp_path / ID).exists()


def test_other_commands_are_refused_too(checkpoint, capsys):
    folder = checkpoint()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path, command in (
        (folder, lambda: evaluate.main([folder.name, "--weights", str(folder.parent)])),
        (folder.parent / "averaged.json", lambda: evaluate.main(["--averages", "--weights", str(folder.parent)])),
        (folder.parent / SEEDS, lambda: evaluate.main(["--seeds", "--weights", str(folder.parent)])),
        (folder.parent / study.FILE, lambda: depth_study.main(["--out", str(folder.parent), "--restart"])),
    ):
        with writing(path), pytest.raises(SystemExit, match=f"another command is at work on {path}"):
            command()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_lock_is_of_one_checkpoint_and_outlives_a_discard(tmp_path):
    path = tmp_path / ".training" / f"{ID}.safetensors"
    with writing(tmp_path / ID), writing(tmp_path / "lenet5.mnist"):
        state.discard(path)
        with pytest.raises(TrainingError, match="another command is at work"), writing(tmp_path / ID):
            pytest.fail("two hold it")
    with writing(tmp_path / ID):
        pass


def test_other_processes_are_refused_with_rank_0(tmp_path):
    class Second(SingleProcess):
        is_rank_0, on_rank_0 = False, ProcessGroup.on_rank_0

        def any(self, flags):
            return [True]

    with pytest.raises(TrainingError, match="rank 0 cannot go on"), writing(tmp_path / ID, Second()):
        pytest.fail("it went on")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / ".training").write_text("")
    with pytest.raises(TrainingError, match="get write permission for it, or choose another"), writing(tmp_path / ID):
        pytest.fail("it went on")
