"""The switches for the parts of a network: a row for each block, a column for each kind of part. HTML, without gradio.

The head of a row or a column switches all in it; `switches.js` makes it do so.
"""

from __future__ import annotations

from html import escape

import torch

from cnn_models import create_model
from cnn_models.analysis.ablation import parts
from ui.common.texts import TEXTS, Text, attribute, mark

SEPARATOR = ","  # between parts that are sent


def grid(name: str) -> str:
    """The switches of an architecture, none of them off."""
    with torch.device("meta"):
        blocks: dict[str, list[str]] = {}
        for part in parts(create_model(name)):
            block, branch = part.split("/")
            blocks.setdefault(block, []).append(branch)
    branches = sorted(next(iter(blocks.values())))
    heads = "".join(f"<th scope='col'>{_head(branch)}</th>" for branch in branches)
    rows = "".join(
        f"<tr><th scope='row'>{_head(block)}</th>{''.join(_cell(block, branch) for branch in branches)}</tr>"
        for block in blocks
    )
    return (
        f"<table class='switch-grid'><thead><tr>{mark('switches.off', 'td')}{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def branch_key(branch: str) -> str:
    """The key of a kind of part; of one that is called alike in every language, its name."""
    return key if (key := f"switches.branch.{branch}") in TEXTS["en"] else branch


def branch_mark(branch: str) -> str:
    """A kind of part as HTML that follows the visitor's language."""
    key = branch_key(branch)
    return mark(key) if key in TEXTS["en"] else escape(branch)


def part_mark(part: str) -> str:
    """`block1 shortcut`, as HTML that follows the visitor's language."""
    block, branch = part.split("/")
    return f"{escape(block)} {branch_mark(branch)}"


def _head(name: str) -> str:
    box = f"<input type='checkbox' data-all='{escape(name)}' {_named('switches.all', part=name)}>"
    return f"<label>{branch_mark(name)}{box}</label>"


def _cell(block: str, branch: str) -> str:
    named = _named("switches.part.of", block=block, part=branch)
    return f"<td><label><input type='checkbox' value='{escape(block)}/{escape(branch)}' {named}></label></td>"


def _named(key: str, part: str, **values: str) -> str:
    """An aria-label with the name of a part in it."""
    kind = branch_key(part)
    return attribute("aria-label", key, part=Text(kind) if kind in TEXTS["en"] else part, **values)
