"""CNN Lineup: draw once, and every classic CNN answers side by side."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

# Nothing is sent anywhere while the app runs; read when gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr

from cnn_models import ModelHub
from ui import theme
from ui.compare import compare_tab
from ui.layers import layers_tab
from ui.training import training_tab


def build(hub: ModelHub) -> gr.Blocks:
    """The page, over the checkpoints of a hub."""
    with gr.Blocks(title=theme.TITLE) as page:
        gr.HTML(theme.HEADER, apply_default_css=False)
        with gr.Tabs():
            with gr.Tab("Compare", elem_id="compare"):
                compare_tab(hub)
            with gr.Tab("Layers"):
                layers_tab()
            with gr.Tab("Training", elem_id="training"):
                training_tab(hub)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", help="the address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, help="the first free one from 7860 up if left out")
    parser.add_argument("--share", action="store_true", help="open a public link through gradio")
    parser.add_argument("--weights", type=Path, help="the folder with the checkpoints")
    parser.add_argument("--namespace", help="the Hugging Face user or organisation to fetch missing checkpoints from")
    args = parser.parse_args()
    build(ModelHub(args.weights, args.namespace)).launch(
        server_name=args.host,
        server_port=args.port,
        share=args.share,
        mcp_server=importlib.util.find_spec("mcp") is not None,
        **theme.LAUNCH,
    )


if __name__ == "__main__":
    main()
