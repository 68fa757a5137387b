"""What the README says, held against the code and the cards."""

import re
from pathlib import Path

import gradio
import pytest
from huggingface_hub import RepoCard

from training import evaluate

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = TEXT + (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")


def test_the_results_are_those_of_the_cards(capsys):
    evaluate.main(["--table"])
    assert capsys.readouterr().out in TEXT


def test_the_space_runs_the_gradio_that_was_tested():
    card = RepoCard.load(ROOT / "README.md").data
    assert (card.sdk, card.sdk_version, card.app_file) == ("gradio", gradio.__version__, "app.py")
    assert card.python_version == "3.12"  # ZeroGPU has 3.10.13 and 3.12.12


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:cnn_models|training|tests|ui)/[\w./]+)`|\]\((?!http)([^)]+)\)", DOCS)))
)
def test_paths_that_are_named_exist(path):
    assert (ROOT / "".join(path)).exists()


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ((?:training|tests)[\w.]*)", DOCS))))
def test_modules_that_are_named_exist(module):
    assert (ROOT / f"{module.replace('.', '/')}.py").exists()
