"""Accuracies of ensembles and multi-crop averages: `averaged.json`, by `python -m training.evaluate --averages`."""

from __future__ import annotations

import json
from pathlib import Path

AVERAGED = "averaged.json"


def read_averaged(weights: Path) -> dict[str, dict]:
    """The content of the file, by data set; empty where there is no file.

    `accuracy` (percent of the test set) is that of the ensemble of all networks, `weights` their hashes by checkpoint
    id; `together` holds the accuracies of the ensembles of any of them, as `[[ids], accuracy]`; `looks`, by checkpoint
    id, the `pictures` tested and the `accuracy` by number of crops.
    """
    path = weights / AVERAGED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
