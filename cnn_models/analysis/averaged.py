"""Accuracies of ensembles and multi-crop averages: `averaged.json`, by `python -m training.evaluate --averages`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.datasets import DATASETS
from cnn_models.datasets.test_sets import COUNT

AVERAGED = "averaged.json"


def read_averaged(weights: Path) -> dict[str, dict]:
    """The content of the file, by data set; empty where there is no file.

    `accuracy` (percent of the test set) and `loss` are those of the ensemble (soft vote) of all networks, `weights`
    their hashes by checkpoint id; `together` holds the accuracies of the ensembles of any of them, as
    `[[ids], accuracy]`; `log_linear` the `accuracy`, the `loss` and the `factors` by checkpoint id of the log-linear
    ensemble of all; `looks`, by checkpoint id, the `pictures` tested and the `accuracy` by number of crops. `loss` and
    `log_linear` may be missing. Raises CheckpointError for any other content.
    """
    return read_accuracies(
        weights / AVERAGED,
        lambda found: found.keys() <= DATASETS.keys() and all(map(_is_possible, found.values())),
        "--averages",
    )


def read_accuracies(path: Path, is_possible: Callable[[dict], bool], option: str) -> dict[str, dict]:
    """The content of a file that `python -m training.evaluate` writes with this option; empty where there is no file.

    Raises CheckpointError unless the content `is_possible`, which may raise TypeError and the like for other fields.
    """
    return read_measured(path, is_possible, "averaged.damaged", option=option)


def read_measured(path: Path, is_possible: Callable[[dict], bool], code: str, **values: object) -> dict[str, dict]:
    """The content of a JSON file of measurements; empty where there is no file.

    Raises CheckpointError with the code, its values, `path` and `why` unless the content `is_possible`, which may raise
    TypeError and the like for other fields.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not is_possible(found):
            raise ValueError("a name or a number in it is impossible")
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise CheckpointError(code, path=path, why=error, **values) from error
    return found


def _is_possible(found: dict) -> bool:
    """Whether the content for one data set can have been measured. Raises TypeError and others for other fields."""
    weights, together, looks = found["weights"], found["together"], found.get("looks", {})
    crops = [tta["accuracy"] for tta in looks.values()]
    log_linear = found.get("log_linear", {"accuracy": 0, "loss": 0, "factors": dict.fromkeys(weights, 0)})
    accuracies = [
        found["accuracy"],
        log_linear["accuracy"],
        *(accuracy for _, accuracy in together),
        *(a for tta in crops for a in tta.values()),
    ]
    unbounded = [found.get("loss", 0), log_linear["loss"], *log_linear["factors"].values()]
    return (
        looks.keys() <= weights.keys() == log_linear["factors"].keys()
        and all(isinstance(sha256, str) for sha256 in weights.values())
        and all(weights.keys() >= set(ids) for ids, _ in together)
        and all(type(tta["pictures"]) is int and 0 <= tta["pictures"] <= COUNT for tta in looks.values())
        and all(int(used) > 0 for tta in crops for used in tta)
        and all(type(accuracy) in (int, float) and 0 <= accuracy <= 100 for accuracy in accuracies)
        and all(type(number) in (int, float) and 0 <= number < math.inf for number in unbounded)
    )
