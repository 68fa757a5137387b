"""Live tracking of a training through trackio, for those who have it installed."""

from __future__ import annotations

import atexit
from collections.abc import Callable

from training.state import TrainingError


def tracker(name: str, config: dict) -> Callable[[dict], None]:
    """What sends a row of a history to the dashboard (`trackio show`). Raises TrainingError without trackio."""
    try:
        import trackio
    except ImportError as error:
        raise TrainingError("--track needs trackio; `pip install trackio`, or leave it out") from error
    trackio.init("cnn-lineup", name=name, config=config, resume="allow", auto_log_cpu=False, auto_log_gpu=False)
    atexit.register(trackio.finish)
    return lambda row: trackio.log({key: value for key, value in row.items() if key != "epoch"}, step=int(row["epoch"]))
