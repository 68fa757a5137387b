"""What averaging gains: `averaged.json` beside the checkpoints, written by `python -m training.evaluate --averages`."""

from __future__ import annotations

import json
from pathlib import Path

AVERAGED = "averaged.json"


def read_averaged(weights: Path) -> dict[str, dict]:
    """By data set; empty before it was measured.

    `accuracy` (percent of the test set) is that of the mean of all networks' probabilities, `weights` their hashes by
    checkpoint id; `together` the accuracies of the mean of any of them, as `[[ids], accuracy]`; `looks`, by checkpoint
    id, `images` that were looked at and `accuracy` by the number of crops.
    """
    path = weights / AVERAGED
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
