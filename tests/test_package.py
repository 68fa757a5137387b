"""What `pip install .` installs works in a folder that is no clone."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cnn_models.folders import default_weights_dir
from tests.conftest import ROOT
from tests.test_commands import COMMANDS
from tests.test_requirements import REQUIREMENTS
from training.exporter import PACKAGES

SOURCES = (".ci", "LICENSE", "README.md", "cnn_models", "pyproject.toml", "requirements.txt", "training")
ID = "mini_resnet.mnist"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from copies, as a build leaves files where its sources are."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "requirements.txt", folder / "tests")
    run_pip("wheel", "--no-build-isolation", "--wheel-dir", folder / "dist", folder)
    return next((folder / "dist").iterdir())


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that the package alone is installed in."""
    folder = tmp_path_factory.mktemp("installed")
    run_pip("install", "--target", folder, wheel)
    return folder


def run_pip(command: str, *arguments: str | Path) -> None:
    """Runs pip without the network."""
    options = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")
    subprocess.run([sys.executable, "-m", "pip", command, *options, *arguments], check=True)


def run(installed: Path, folder: Path, *arguments: str, **environment: str) -> str:
    """What Python with the installed package prints in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CNN_")}
    found = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(installed), "CNN_DEVICE": "cpu", "HF_HUB_OFFLINE": "1"} | environment,
        capture_output=True,
        text=True,
    )
    assert not found.returncode, found.stderr
    return found.stdout


def test_the_wheel_holds_the_library_the_commands_and_their_data(wheel):
    there = {
        path.relative_to(ROOT).as_posix()
        for part in ("cnn_models", "training")
        for path in (ROOT / part).rglob("*")
        if path.is_file() and path.suffix not in (".md", ".pyc")
    }
    assert there == {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_every_requirement_is_of_the_library_of_the_app_or_of_the_tests(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    groups = {"": set(), "app": set(), "heic": set(), "onnx": set(), "test": set()}
    for each in map(Requirement, metadata.get_all("Requires-Dist")):
        assert each.specifier == REQUIREMENTS[each.name]
        groups[re.sub(r"\W|extra", "", str(each.marker or ""))].add(each.name)
    assert {"torch", "huggingface_hub"} <= groups[""] and "gradio" in groups["app"] < groups["test"]
    assert groups["heic"] == {"pillow-heif"} < groups["test"]
    assert groups["onnx"] == {*PACKAGES} < groups["test"]
    assert not groups[""] & groups["test"] and groups[""] | groups["test"] == REQUIREMENTS.keys()


def test_the_code_on_a_model_card_works(installed, tmp_path):
    shutil.copy(ROOT / "ui" / "common" / "samples" / "mnist.7.png", tmp_path / "image.png")
    card = (default_weights_dir() / ID / "README.md").read_text(encoding="utf-8")
    code = re.search(r"^## Use$.*?^```python\n(.*?)^```$", card, re.DOTALL | re.MULTILINE)[1]
    assert "label='7'" in run(installed, tmp_path, "-c", code, CNN_WEIGHTS_DIR=str(default_weights_dir()))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs_elsewhere(command, installed, tmp_path):
    assert f"usage: python -m {command}" in run(installed, tmp_path, "-m", command, "--help")


def test_what_a_clone_would_hold_is_looked_for_in_the_current_folder(installed, tmp_path):
    shutil.copytree(default_weights_dir() / ID, tmp_path / "weights" / ID)
    code = """
import json
from pathlib import Path
from cnn_models import ModelHub
from training.data import data_dir
from training.uploads import PublishError, pack_space
from training.trainer import git_commit

try:
    pack_space("someone/cnn-lineup", Path("weights"))
except PublishError as error:
    print(json.dumps([list(ModelHub().cards()), str(data_dir()), git_commit(), str(error)]))
"""
    *found, error = json.loads(run(installed, tmp_path, "-c", code))
    assert found == [[ID], "data", "unknown"]
    assert "run this in a clone" in error


def test_an_image_of_an_untrusted_client_is_decoded(installed, tmp_path):
    code = """
import sys
from cnn_models.images.worker import Workers
print(Workers(1).read(open(sys.argv[1], "rb").read()).luminance.ndim)
"""
    assert run(installed, tmp_path, "-c", code, str(ROOT / "ui" / "compare.png")) == "2\n"
