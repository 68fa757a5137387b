"""The page and the HTTP API, over `cnn_models`."""

import os

# No analytics are sent; read when gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
