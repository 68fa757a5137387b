"""The arrows of the design: app -> ui -> cnn_models <- training."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnn_models

ROOT = Path(__file__).parents[1]

MAY_NOT_IMPORT = {
    "cnn_models": {"gradio", "training", "ui", "app"},
    "training": {"gradio", "ui", "app"},
    "ui": {"training", "app"},
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
