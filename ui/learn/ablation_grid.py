"""The checkboxes of a branch ablation: a row for each block, a column for each kind of branch. No gradio.

A checkbox in the head of a row or a column checks all in it (`ablation.js`).
"""

from __future__ import annotations

from functools import cache

import torch
from markupsafe import Markup, escape

from cnn_models import create_model
from cnn_models.analysis.ablation import parts
from ui.common.templates import render
from ui.common.texts import TEXTS, Text, mark

SEPARATOR = ","  # between the parts that the page sends


def grid(architecture: str) -> Markup:
    """The checkboxes of an architecture, none of them checked."""
    found = [part.split("/") for part in architecture_parts(architecture)]
    blocks, branches = dict.fromkeys(block for block, _ in found), sorted({branch for _, branch in found})
    return render("learn/ablation_grid.html", blocks=list(map(_named, blocks)), branches=list(map(_named, branches)))


@cache
def architecture_parts(architecture: str) -> list[str]:
    """The branches of an architecture that can be ablated, as `block/branch`."""
    with torch.device("meta"):
        return parts(create_model(architecture))


def _named(name: str) -> dict[str, object]:
    """A block or a kind of branch: its name in the network, as HTML, and as a value of another text."""
    key = branch_key(name)
    return {"name": name, "mark": branch_mark(name), "text": Text(key) if key in TEXTS["en"] else name}


def branch_key(branch: str) -> str:
    """The text key of a kind of branch; the branch itself where its name is the same in every language."""
    return key if (key := f"ablation.branch.{branch}") in TEXTS["en"] else branch


def branch_mark(branch: str) -> Markup:
    """A kind of branch as HTML, in the visitor's language."""
    key = branch_key(branch)
    return mark(key) if key in TEXTS["en"] else escape(branch)


def part_mark(part: str) -> Markup:
    """`block1 shortcut` for `block1/shortcut`, as HTML in the visitor's language."""
    block, branch = part.split("/")
    return escape(block) + " " + branch_mark(branch)
