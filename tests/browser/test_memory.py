"""The memory of the app while its tabs are shown."""

import sys

import pytest

from tests.benchmarks.app import settle, unfinished
from tests.benchmarks.process_memory import Memory, uses

MOST = 1100  # MB without pages of files; the ten networks are 404 of them, torch and gradio up to 370


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_with_all_networks_and_their_explanations_the_process_stays_small(page, app, tmp_path):
    url, pid = app
    requests = unfinished(page)
    for name, use in uses(page, url, tmp_path):
        use()
        settle(page, requests)
        if name == "Layers":  # the rest takes no more, see the benchmark
            break
    assert Memory.of(pid).anonymous < MOST
