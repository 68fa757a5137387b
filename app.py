"""CNN Lineup: draw once, and every classic CNN answers side by side."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import re
from pathlib import Path

# Nothing is sent anywhere while the app runs; read when gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Read when torch is imported: one picture is too little to share between threads, and visitors come side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gradio as gr

from cnn_models import ModelHub
from cnn_models.hub import MAX_MEMORY
from ui import theme
from ui.api import Page
from ui.compare import compare_tab
from ui.layers import layers_tab
from ui.learn import learn_tab
from ui.texts import say
from ui.training import training_tab

AT_ONCE = os.cpu_count() or 1  # questions over HTTP that are answered at the same time; more would slow each other
WAITING = 200  # questions that may wait for their turn


def build(hub: ModelHub) -> gr.Blocks:
    """The page, over the checkpoints of a hub."""
    with Page(title=theme.TITLE) as page:
        gr.HTML(theme.HEADER, apply_default_css=False)
        with gr.Tabs():
            with gr.Tab(say("en", "tab.compare"), elem_id="compare"):
                compare_tab(hub)
            with gr.Tab(say("en", "tab.layers")) as layers:
                layers_tab(hub, layers)
            with gr.Tab(say("en", "tab.training"), elem_id="training") as training:
                training_tab(hub, training)
            with gr.Tab(say("en", "tab.learn")) as learn:
                learn_tab(hub, learn)
    return page


def size(text: str) -> int:
    """Bytes from `800M` or `1.5G`, as argparse wants it."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([MG])B?", text.upper())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 800M or 1.5G")
    return int(float(match[1]) * {"M": 10**6, "G": 10**9}[match[2]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", help="the address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, help="the first free one from 7860 up if left out")
    parser.add_argument("--share", action="store_true", help="open a public link through gradio")
    parser.add_argument("--weights", type=Path, help="the folder with the checkpoints")
    parser.add_argument("--namespace", help="the Hugging Face user or organisation to fetch missing checkpoints from")
    parser.add_argument(
        "--max-memory",
        type=size,
        default=MAX_MEMORY,
        metavar="SIZE",
        help="what loaded networks may take, as 800M or 1.5G (default: 1G); the ten of the line-up take 0.43G",
    )
    parser.add_argument("--root-path", help="the path under which a proxy shows the app; also GRADIO_ROOT_PATH")
    args = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("cnn_models").setLevel(logging.INFO)
    try:
        hub = ModelHub(args.weights, args.namespace, max_memory=args.max_memory, public=True)
    except ValueError as error:
        parser.error(str(error))
    page = build(hub)
    page.queue(default_concurrency_limit=AT_ONCE, max_size=WAITING).launch(
        server_name=args.host,
        server_port=args.port,
        share=args.share,
        root_path=args.root_path,
        mcp_server=importlib.util.find_spec("mcp") is not None,
        **theme.LAUNCH,
    )


if __name__ == "__main__":
    main()
