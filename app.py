"""CNN Lineup: draw once, and every classic CNN answers side by side."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import sys

# Read when torch is imported: a single image is not worth several threads, and visitors are served concurrently.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from cnn_models import command
from ui.server import options
from ui.server.proxies import unproxied

log = logging.getLogger("cnn_models")

WAITING = 200  # events in the queue of gradio; `ui.server.turns` orders them


def main(argv: list[str] | None = None) -> None:
    """Serve the page. The options are parsed first, in an instant; imports take seconds."""
    args = options.parse(str(__doc__), argv)
    with command.ending_at_once(), unproxied():
        from cnn_models.hub.model_hub import MAX_MEMORY, ModelHub
        from ui.common import uploads

        try:
            uploads.folder()  # before gradio is imported, which reads the path
        except ValueError as error:
            sys.exit(f"error: {error}")
        from ui.tabs import build

    logging.basicConfig(format="%(message)s")
    log.setLevel(logging.INFO)
    try:
        hub = ModelHub(args.weights, args.namespace, max_memory=args.max_memory or MAX_MEMORY, public=True)
        hub.device  # noqa: B018  (an unusable CNN_DEVICE is refused now, and not at the first prediction)
    except ValueError as error:
        sys.exit(f"error: {error}")
    if not (hub.namespace or hub.cards()):
        log.warning("%s holds no checkpoints; name another folder with --weights, or train some", hub.weights_dir)
    # Exit as usual, so that uploads are deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with unproxied():
        page = build(hub).queue(default_concurrency_limit=None, max_size=WAITING)
        page.launch(
            hosts=options.public_hosts(args.public_host, args.root_path),
            server_name=args.host,
            server_port=args.port,
            share=args.share,
            root_path=args.root_path,
            mcp_server=importlib.util.find_spec("mcp") is not None,
            prevent_thread_lock=True,
        )
    page.block_thread()


if __name__ == "__main__":
    command.run(main)
