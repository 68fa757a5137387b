"""Checkpoint ids: `lenet5.mnist`, or `someone/lenet5.mnist@revision` for any repository on the Hub."""

from __future__ import annotations

import re
from typing import NamedTuple

from cnn_models.architectures import NAMES
from cnn_models.datasets import DATASETS

BUILT_IN = tuple(f"{architecture}.{dataset}" for dataset in DATASETS for architecture in NAMES)

REFERENCE_MODEL = "mini_resnet"  # scores OOD images for all; as accurate there as an ensemble of three networks

WORD = r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*"  # without ".." and "--": safe as a part of a path
ID = re.compile(rf"(?:(?P<owner>{WORD})/)?(?P<name>{WORD})(?:@(?P<revision>{WORD}(?:/{WORD})*))?")
COMMIT = re.compile(r"[0-9a-f]{40}")


class Reference(NamedTuple):
    """A parsed checkpoint id. `owner` is None for `weights/` and the namespace; `str` is the id, without `@main`."""

    owner: str | None
    name: str
    revision: str

    @property
    def architecture(self) -> str:
        return self.name.partition(".")[0]

    @property
    def dataset(self) -> str:
        return self.name.partition(".")[2]

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return bool(COMMIT.fullmatch(self.revision))

    def __str__(self) -> str:
        owner = f"{self.owner}/" if self.owner else ""
        return f"{owner}{self.name}" + ("" if self.revision == "main" else f"@{self.revision}")


def parse(id: str) -> Reference:
    """The reference of an id. Raises ValueError, which lists the known names."""
    match = ID.fullmatch(id) if len(id) <= 200 else None
    if not match or match["name"] not in BUILT_IN or (match["revision"] and not match["owner"]):
        known = ", ".join(BUILT_IN)
        raise ValueError(f"{id!r:.80} is not a checkpoint; known are {known}, each also as owner/name@revision")
    return Reference(match["owner"], match["name"], match["revision"] or "main")
