"""Texts of the page, READMEs and docstrings use the terms of the field instead of the project's old nicknames."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = (".", ".github", "cnn_models", "training", "ui", "weights", "tests")
DOCSTRINGS = ("cnn_models", "training", "ui")

TERMS = {
    r"pictures?": "image",
    r"sees": "receptive field, input",
    r"looks(?! more like)|(?:one|many|single|several|each) look|look(?:ed)? at|where .{0,20} looked": "crop, saliency",
    r"breaks? (?:it|first)|takes? to break": "robustness, changes its prediction",
    r"unusual|strange(?:ly|r|rs)?|surpris\w+|witness(?:es)?|doubt(?:s|ed)?": "OOD",
    r"(?:not one|none) of the ten(?! classes)": "OOD",
    r"foreign|brought|networks of others": "third-party checkpoint",
    r"sureness|surer|how sure": "confidence, calibration",
    r"recogni[sz]ed|share that is right": "accuracy, recall",
    r"(?<!learning )rates?": "learning rate",
    r"(?<!standard )deviations?": "standard deviation",
    r"held[- ]out": "validation",
    r"taught|teacher(?:s|'s|s') answers?": "distilled, soft targets",
    r"bent|steady": "elastic deformation, constant",
    r"crew": "process group",
    r"less the mean|over the deviation": "(x − mean) / std",
    r"by turns": "interleaved",
    r"endless": "population",
    r"reckon\w*": "computes",
    r"tells?(?! (?:\w+ )?apart)|told|said|asked|ask(?:s|ing)?|whoever": "reported, returned, requested, the caller",
    r"what (?:comes|leaves)|longest ago": "evicted, least recently used",
    r"whole ladder": "all checkpoints",
    r"Hub is out of order": "server error",
    r"disturbed|thickened": "severity, dilation",
    r"(?:closest|like) mistakes?": "nearest misclassified test images",
    r"time machine": "predictions over the epochs",
    r"switched off": "ablation",
    r"against each other": "paired comparison",
    r"journey": "publish_pull",
}
WORDS = {re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE): term for words, term in TERMS.items()}
CODE = re.compile(r"```.*?```|`[^`]*`|--[\w-]+|\{\w+\}|\]\([^)]*\)", re.DOTALL)

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Reasons by file, or key of `en.json`, and word."""


def texts(folder: str) -> Iterator[tuple[str, str]]:
    """The file (or key of `en.json`) and content of every text of a folder."""
    root = ROOT / folder
    for file in root.glob("*.md") if folder == "." else root.rglob("*.md"):
        yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")
    for file in root.rglob("*.py") if folder in DOCSTRINGS else ():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                yield str(file.relative_to(ROOT)), str(node.value.value)
    for file in root.glob("locales/en.json"):
        yield from json.loads(file.read_text(encoding="utf-8")).items()


def nicknames(folder: str) -> dict[tuple[str, str], str]:
    """The old words in a folder, by file or key and word, each with the passage and the term of the field."""
    found = {}
    for where, text in texts(folder):
        prose = " ".join(CODE.sub("`", text).split())
        for pattern, term in WORDS.items():
            for match in pattern.finditer(prose):
                passage = prose[max(match.start() - 40, 0) : match.end() + 40]
                found[where, match[0].lower()] = f"{passage!r}: use {term}"
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_texts_use_the_terms_of_the_field(folder):
    found = nicknames(folder)
    assert not {each: passage for each, passage in found.items() if each not in EXCEPTIONS}


def test_every_exception_is_needed():
    assert EXCEPTIONS.keys() <= {each for folder in FOLDERS for each in nicknames(folder)}
