"""Measurements of speed and memory; each module prints its figures."""

import cnn_models  # noqa: F401  (before torch is imported: it sets how threads wait)
