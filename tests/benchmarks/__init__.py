"""What is fast and what is not; each prints its figures."""

import cnn_models  # noqa: F401  (before torch is imported: it sets how threads wait)
