"""The folder of the clone, and that of the checkpoints."""

from __future__ import annotations

import os
from pathlib import Path

CLONE = root if ((root := Path(__file__).parents[1]) / "app.py").is_file() else None
"""The folder of the clone or Space with this code; None where it is installed as a package."""


def default_weights_dir() -> Path:
    """`CNN_WEIGHTS_DIR`, else `weights` in the clone or, once installed as a package, in the current folder."""
    return Path(os.environ.get("CNN_WEIGHTS_DIR") or (CLONE or Path()) / "weights")
