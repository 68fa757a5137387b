"""The proxies of the environment are for the Hub, and never for this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "no_proxy"  # precedes NO_PROXY, for urllib and httpx


@contextmanager
def unproxied() -> Iterator[None]:
    """Without proxies, nor those of the operating system: gradio requests its own page while it starts.

    Proxies that httpx cannot use, as a SOCKS proxy without `socksio`, have no effect then. gradio makes a client of
    httpx while it is imported, hence its import belongs in here too.
    """
    before = os.environ.get(NAME)
    os.environ[NAME] = "*"
    try:
        yield
    finally:
        del os.environ[NAME]
        if before is not None:
            os.environ[NAME] = before
