"""Offline training, evaluation and publishing of the checkpoints."""

import cnn_models  # noqa: F401  (before torch is imported: it sets how threads wait)
