"""The switches for branch ablation: a row for each block, a column for each kind of branch; without gradio.

The head of a row or a column switches all in it; `ablation.js` makes it do so.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from markupsafe import Markup, escape

from cnn_models import create_model
from cnn_models.analysis.ablation import parts
from ui.common.templates import render
from ui.common.texts import TEXTS, Text, mark

SEPARATOR = ","  # between parts that are sent


class Part(NamedTuple):
    """A block or a kind of branch: its name in the network, as HTML, and as a value of another text."""

    name: str
    mark: Markup
    text: Text | str


def grid(architecture: str) -> Markup:
    """The switches of an architecture, none of them off."""
    with torch.device("meta"):
        found = [part.split("/") for part in parts(create_model(architecture))]
    blocks = [_part(block) for block in dict.fromkeys(block for block, _ in found)]
    branches = [_part(branch) for branch in sorted({branch for _, branch in found})]
    return render("learn/ablation_grid.html", blocks=blocks, branches=branches)


def _part(name: str) -> Part:
    key = branch_key(name)
    return Part(name, branch_mark(name), Text(key) if key in TEXTS["en"] else name)


def branch_key(branch: str) -> str:
    """The text key of a kind of branch; its name where that is the same in every language."""
    return key if (key := f"switches.branch.{branch}") in TEXTS["en"] else branch


def branch_mark(branch: str) -> Markup:
    """A kind of branch as HTML, in the visitor's language."""
    key = branch_key(branch)
    return mark(key) if key in TEXTS["en"] else escape(branch)


def part_mark(part: str) -> Markup:
    """`block1 shortcut` for `block1/shortcut`, as HTML in the visitor's language."""
    block, branch = part.split("/")
    return escape(block) + " " + branch_mark(branch)
