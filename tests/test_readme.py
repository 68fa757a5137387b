"""The README files and SECURITY.md: paths, links, commands, names and figures exist."""

import pkgutil
import re
import shlex
from pathlib import Path

import gradio
import pytest
from huggingface_hub import RepoCard

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.attacks import attacks_of
from training import evaluate
from training.results import attacks_tables

ROOT = Path(__file__).parents[1]
FOLDERS = ("cnn_models", "training", "ui", "weights", "tests")
FILES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "README.zh-CN.md",
        *(f"{folder}/README.md" for folder in FOLDERS),
        ".github/CONTRIBUTING.md",
        ".github/SECURITY.md",
    )
}
README, CHINESE = FILES["README.md"], FILES["README.zh-CN.md"]
LONGEST = 130  # lines of README.md: one screen and a half


def found(pattern: str) -> list[tuple[str, str]]:
    """The matches of a pattern, each once with its file."""
    return sorted({(name, each) for name, text in FILES.items() for each in re.findall(pattern, text)})


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n.*?^```$", text, re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a text."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def numbers(text: str) -> list[str]:
    """Every number in the rows of a text's tables."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return re.findall(r"\d[\d,.]*", "\n".join(rows))


def test_the_results_are_those_of_the_cards(capsys):
    evaluate.main(["--table"])
    tables = capsys.readouterr().out
    assert tables in FILES["weights/README.md"]
    assert tables.partition("\n\n")[0] in README


def test_the_attacks_are_those_of_the_file():
    tables = attacks_tables(attacks_of(ROOT / "weights", ModelHub(ROOT / "weights").cards().values()))
    assert len(tables) == len(DATASETS) and all(table in FILES["training/README.md"] for table in tables)


def test_the_space_runs_the_gradio_that_was_tested():
    card = RepoCard.load(ROOT / "README.md").data
    assert (card.sdk, card.sdk_version, card.app_file) == ("gradio", gradio.__version__, "app.py")
    assert card.python_version == "3.12"  # ZeroGPU has 3.10.13 and 3.12.12


def test_the_readme_is_short():
    assert len(README.splitlines()) <= LONGEST


def test_the_readme_in_chinese_has_the_same_commands_results_and_links():
    assert code_blocks(README) == code_blocks(CHINESE) != []
    assert numbers(README) == numbers(CHINESE) != []
    english, chinese = (set(re.findall(r"\]\(([^)]+)\)", text)) for text in (README, CHINESE))
    assert english - {"README.zh-CN.md"} == chinese - {"README.md"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_readme_leads_to_those_of_the_folders(folder):
    assert f"]({folder}/README.md)" in README


@pytest.mark.parametrize(
    ("file", "path"), found(r"`((?:cnn_models|training|tests|ui|weights/runs)/[\w./]*|weights/\w+\.json)`")
)
def test_paths_that_are_named_exist(file, path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("file", "link"), found(r"\]\((?!http)([^)]+)\)"))
def test_links_lead_somewhere(file, link):
    path, _, anchor = link.partition("#")
    target = (ROOT / file).parent / path if path else ROOT / file
    assert target.exists()
    assert not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "module"), found(r"-m ((?:cnn_models|training|tests)[\w.]*)"))
def test_modules_that_are_named_can_be_run(file, module):
    path = ROOT / module.replace(".", "/")
    assert (path / "__main__.py").exists() or path.with_suffix(".py").exists()


@pytest.mark.parametrize(("file", "name"), found(r"`((?:cnn_models|training|ui)(?:\.\w+)+)`"))
def test_functions_that_are_named_exist(file, name):
    assert pkgutil.resolve_name(name)


@pytest.mark.parametrize(("file", "command"), found(r"(?m)(python (?:-m (?:cnn_models|training)|app\.py)[^`\n]*)"))
def test_options_that_are_named_are_known(file, command):
    words = shlex.split(command, comments=True)
    module = words[2].replace(".", "/") if words[1] == "-m" else "ui/server/options"
    path = next(path for path in (ROOT / f"{module}.py", ROOT / module / "__main__.py") if path.exists())
    code = path.read_text(encoding="utf-8")
    for option in (word for word in words if word.startswith("--")):
        assert f'"{option}"' in code
