"""Every command: its help is quick, its numbers have limits, Ctrl-C and any console get a sentence."""

import argparse
import contextlib
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from io import BytesIO, TextIOWrapper

import pytest

from cnn_models.command import INTERRUPTED, folder
from tests.conftest import ROOT

HEAVY = {"torch", "torchvision", "numpy", "PIL", "gradio", "huggingface_hub"}
COMMANDS = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for file in [*(ROOT / "cnn_models").rglob("__main__.py"), *(ROOT / "training").glob("*.py")]
    if 'if __name__ == "__main__":' in file.read_text(encoding="utf-8")
)
REQUIRED = {  # arguments without which a command does not start
    "cnn_models.batch": [".", "--dataset", "mnist"],
    "cnn_models.layers": ["lenet5"],
    "training.train": ["lenet5.mnist"],
    "training.evaluate": ["lenet5.mnist"],
    "training.export": ["lenet5.mnist"],
    "training.interpolate": ["lenet5.mnist", "--with", "."],
    "training.publish": ["lenet5.mnist", "--namespace", "someone"],
}
RUN = "import os, runpy, signal, sys; module, *sys.argv[1:] = sys.argv[1:]\n"


def test_all_commands_are_found():
    listed = (ROOT / "training" / "README.md").read_text(encoding="utf-8")
    assert all(f"`python -m {name}" in listed for name in COMMANDS if name.startswith("training."))
    assert {"cnn_models.batch", "cnn_models.layers", "training.data", "training.train"} <= set(COMMANDS)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    """A command in a process of its own, started by `code`."""
    start = [sys.executable, "-c", RUN + code, *arguments]
    return subprocess.run(start, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_comes_before_the_imports(name):
    code = f"""
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
finally:
    print({HEAVY} & sys.modules.keys())
"""
    ended = python(code, name, "--help")
    assert ended.returncode == 0 and ended.stdout.startswith(f"usage: python -m {name} "), ended.stderr
    assert ended.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_during_the_imports_gets_a_sentence(name):
    code = """
class CtrlC:
    def find_spec(self, imported, *_):
        if imported == "numpy":  # whose import goes on after KeyboardInterrupt, and fails later
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest may run where it is ignored
sys.meta_path.insert(0, CtrlC())
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
    ended = python(code, name, *REQUIRED.get(name, ()))
    assert ended.returncode == INTERRUPTED, ended.stderr
    assert ended.stderr.strip().startswith("stopped") and len(ended.stderr.strip().splitlines()) == 1


def options(name: str, monkeypatch) -> dict[str, argparse.Action]:
    """The options of a command that take a value, by name."""
    found = {}

    def parse_args(parser, *_):
        found.update({a.option_strings[0]: a for a in parser._actions if a.option_strings and a.nargs != 0})
        sys.exit()

    with monkeypatch.context() as patched, contextlib.suppress(SystemExit):
        patched.setattr(argparse.ArgumentParser, "parse_args", parse_args)
        main(name)([])
    return found


def main(name: str) -> Callable[[list[str]], None]:
    """The main function of a command."""
    return import_module(f"{name}.__main__" if name.startswith("cnn_models.") else name).main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_number_has_limits(name, monkeypatch, capsys):
    typed = {option: action.type for option, action in options(name, monkeypatch).items() if action.type}
    assert not {int, float} & set(typed.values())
    numbers = [option for option, type in typed.items() if "whole" in type.__qualname__ or "positive" in type.__name__]
    for option in numbers:
        for value in ("9" * 5000, "-1", "nan", "x", ""):
            with pytest.raises(SystemExit) as ended:
                main(name)([*REQUIRED.get(name, ()), f"{option}={value}"])
            assert ended.value.code == 2
            error = capsys.readouterr().err.splitlines()[-1]
            assert f"argument {option}: '{value[:10]}" in error and " is not a " in error
    assert bool(numbers) == (
        name in ("cnn_models.layers", "training.adversarial", "training.depth_study", "training.train")
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_in_place_of_a_folder_is_refused(name, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    folders = [option for option, action in options(name, monkeypatch).items() if action.type is folder]
    for option in folders:
        for path in (os.devnull, tmp_path / "file", tmp_path / "file" / "new" / "one"):
            with pytest.raises(SystemExit) as ended:
                main(name)([*REQUIRED.get(name, ()), f"{option}={path}"])
            assert ended.value.code == 2
            assert f"argument {option}: " in (error := capsys.readouterr().err) and " is not a folder; give" in error
    assert bool(folders) == (name.startswith("training.") and name not in ("training.bundle", "training.data"))


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("encoding", ["cp437", "cp866", "cp1251", "cp1253", "ascii"])
@pytest.mark.parametrize(
    ("command", "content"), [("cnn_models.layers lenet5 --csv", "5×5"), ("training.evaluate --table", " ± ")]
)
def test_a_file_gets_utf_8_whatever_the_console_has(command, content, encoding, monkeypatch):
    name, *arguments = command.split()
    file = TextIOWrapper(BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    monkeypatch.setattr(sys, "stdout", file)
    runpy.run_module(name, run_name="__main__")
    assert content in file.buffer.getvalue().decode("utf-8")
