"""The arrows of the design: app -> ui -> cnn_models <- training."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cnn_models

ROOT = Path(__file__).parents[1]

MAY_NOT_IMPORT = {
    "cnn_models": {"gradio", "training", "ui", "app", "torchvision"},  # the app would take 160 MB more
    "training": {"gradio", "ui", "app"},
    "ui": {"training", "app", "torchvision"},
    "app.py": {"training"},
}


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports anywhere, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("part", MAY_NOT_IMPORT)
def test_arrows(part):
    path = ROOT / part
    files = sorted(path.rglob("*.py")) or ([path] if path.is_file() else [])
    if not files:
        pytest.skip(f"{part} is not there yet")
    wrong = {str(file.relative_to(ROOT)): found for file in files if (found := imported(file) & MAY_NOT_IMPORT[part])}
    assert not wrong


def modules() -> dict[str, set[str]]:
    """Every module of the project with those of the project that it imports, also inside functions."""
    files = [
        ROOT / "app.py",
        *(file for part in ("cnn_models", "training", "ui") for file in (ROOT / part).rglob("*.py")),
    ]
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}
    found = {}
    for name, file in names.items():
        said = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                said |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                said |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        found[name] = said & names.keys() - {name}
    return found


def circles(arrows: dict[str, set[str]]) -> set[str]:
    """What stands in a circle of arrows: takes away, again and again, what has no arrow to the rest."""
    rest = dict(arrows)
    while ends := [name for name, to in rest.items() if not to & rest.keys()]:
        for name in ends:
            del rest[name]
    while starts := [name for name in rest if not any(name in to for to in rest.values())]:
        for name in starts:
            del rest[name]
    return set(rest)


def room(module: str) -> str:
    """The package of a module, as far as two levels tell rooms apart: `ui.compare`, `cnn_models.hub`, `training`."""
    return ".".join(module.split(".")[:2]) if module.split(".")[0] != "training" else module


def test_no_modules_import_each_other_in_a_circle():
    arrows = modules()
    # The public names are imported when they are used, and by no module of the package itself.
    arrows["cnn_models"] = set()
    assert not circles(arrows)


def test_no_rooms_import_each_other_in_a_circle():
    arrows = {}
    for module, to in modules().items():
        arrows.setdefault(room(module), set()).update({room(each) for each in to} - {room(module)})
    arrows["cnn_models"] = set()
    assert not circles(arrows)


@pytest.mark.parametrize("tab", ["compare", "layers", "training", "learn"])
def test_a_tab_borrows_from_no_other_tab(tab):
    may = {f"ui.{tab}", "ui.common", "ui.server", "ui"}
    wrong = {
        module: found
        for module, to in modules().items()
        if room(module) == f"ui.{tab}"
        and (found := {each for each in to if each.startswith("ui.") and room(each) not in may})
    }
    assert not wrong


TAG = re.compile(r"(?<!\?P)</?[a-z]")  # not a named group of a regular expression
TAGGED = {"ui/common/texts.py"}  # texts as elements


def strings(file: Path) -> list[str]:
    """Every string of a module but those that are statements: docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in docs]
    return [value for value in constants if isinstance(value, str)]


@pytest.mark.parametrize("folder", ["common", "compare", "layers", "learn", "server", "training"])
def test_html_is_written_in_templates_alone(folder):
    files = {str(file.relative_to(ROOT)): file for file in (ROOT / "ui" / folder).rglob("*.py")}
    found = {name: tags for name, file in files.items() if (tags := list(filter(TAG.search, strings(file))))}
    assert not {name: tags for name, tags in found.items() if name not in TAGGED}
    assert not [name for name, file in files.items() if name not in TAGGED and "from html import" in file.read_text()]


def test_importing_the_package_is_light():
    """Neither torch, gradio nor the Hub's client comes along; how threads wait is set before torch can read it."""
    code = (
        "import os, sys, cnn_models, cnn_models.images.worker; "
        "print(os.environ['OMP_WAIT_POLICY'], {'torch', 'gradio', 'huggingface_hub'} & sys.modules.keys())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.stdout.split() == ["PASSIVE", "set()"], run.stderr


def test_every_public_name_is_there():
    assert all(hasattr(cnn_models, name) for name in cnn_models.__all__)
    assert set(cnn_models.__all__) <= set(dir(cnn_models))
    with pytest.raises(AttributeError, match="no attribute 'vgg'"):
        cnn_models.vgg  # noqa: B018
