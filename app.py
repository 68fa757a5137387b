"""CNN Lineup: draw once, and every classic CNN answers side by side."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import re
import signal
import sys
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

# No analytics are sent; read when gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Read when torch is imported: a single image is not worth several threads, and visitors are served concurrently.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from ui.common import uploads

try:
    uploads.folder()  # before gradio is imported, which reads the path
except ValueError as error:
    sys.exit(str(error))

import gradio as gr

from cnn_models import ModelHub
from cnn_models.hub.model_hub import MAX_MEMORY
from ui.api import endpoints
from ui.common import theme
from ui.common.texts import say
from ui.compare.tab import compare_tab
from ui.layers.tab import layers_tab
from ui.learn.tab import learn_tab
from ui.server.page import Page
from ui.training.tab import training_tab

WAITING = 200  # events in the queue of gradio; `ui.server.turns` orders them


def build(hub: ModelHub) -> Page:
    """The page, over the checkpoints of a hub."""
    with Page(title=theme.TITLE) as page:
        gr.HTML(theme.HEADER, apply_default_css=False)
        with gr.Tabs():
            with gr.Tab(say("en", "tab.compare"), elem_id="compare"):
                compare_tab(hub, page.turns, page.slow)
            with gr.Tab(say("en", "tab.layers")) as layers:
                layers_tab(hub, layers)
            with gr.Tab(say("en", "tab.training"), elem_id="training") as training:
                training_tab(hub, training)
            with gr.Tab(say("en", "tab.learn")) as learn:
                learn_tab(hub, learn)
        endpoints(hub, page.turns, page.slow)
    return page


def size(text: str) -> int:
    """Bytes of `800M` or `1.5G`. Raises ArgumentTypeError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([MG])B?", text.upper())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 800M or 1.5G")
    return int(float(match[1]) * {"M": 10**6, "G": 10**9}[match[2]])


def hosts(names: Collection[str], root_path: str | None) -> set[str]:
    """The public names of this server: the given ones, that of a Space, and that in the root path."""
    return {*names, os.environ.get("SPACE_HOST", ""), urlsplit(root_path or "").hostname or ""} - {""}


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
    parser.add_argument(
        "--public-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name, such as example.org, under which clients of MCP may use the tools; may be given several times",
    )
    args = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("cnn_models").setLevel(logging.INFO)
    try:
        hub = ModelHub(args.weights, args.namespace, max_memory=args.max_memory, public=True)
    except ValueError as error:
        parser.error(str(error))
    # Exit as usual, so that uploads are deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    page = build(hub)
    page.queue(default_concurrency_limit=None, max_size=WAITING).launch(
        hosts=hosts(args.public_host, args.root_path),
        server_name=args.host,
        server_port=args.port,
        share=args.share,
        root_path=args.root_path,
        mcp_server=importlib.util.find_spec("mcp") is not None,
        **theme.LAUNCH,
    )


if __name__ == "__main__":
    main()
