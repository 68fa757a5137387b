"""The command line of the app, and how it starts."""

import signal
import socket
import subprocess
import sys
from collections import Counter

import pytest

from app import main
from cnn_models import ModelHub
from tests.benchmarks.app import started
from tests.conftest import ROOT
from ui.tabs import build


def test_a_folder_without_checkpoints_is_reported(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("ui.server.page.Page.launch", lambda *_, **__: None)
    monkeypatch.setattr("ui.server.page.Page.block_thread", lambda _: None)
    main(["--weights", str(tmp_path)])
    assert f"{tmp_path} holds no checkpoints" in caplog.text


def test_a_namespace_that_is_none():
    with pytest.raises(SystemExit, match="'some/one' is not the name of a user or organisation on the Hub"):
        main(["--namespace", "some/one"])


def test_a_device_that_is_none(monkeypatch):
    monkeypatch.setenv("CNN_DEVICE", "nonsense")
    with pytest.raises(SystemExit, match="'nonsense' cannot be used here"):
        main([])


def test_help_imports_nothing_that_takes_long():
    code = f"""
import runpy, sys
sys.argv = ["app.py", "--help"]
try:
    runpy.run_path({str(ROOT / "app.py")!r}, run_name="__main__")
finally:
    print(sorted({{"torch", "gradio", "numpy", "huggingface_hub"}} & sys.modules.keys()))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--max-memory" in ended.stdout and ended.stdout.endswith("[]\n")


def test_ctrl_c_during_the_imports_ends_it_with_a_word():
    """An interrupted import of NumPy goes on, and fails later without a clue."""
    code = f"""
import os, signal, sys
class Watch:
    def find_spec(self, name, *_):
        if name == "numpy":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Watch())
sys.path.insert(0, {str(ROOT)!r})
import app
app.main([])
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "stopped\n")


@pytest.mark.parametrize(
    "proxies",
    [
        {"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9"},
        {"HTTPS_PROXY": "nonsense://", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "example.org"},
    ],
)
def test_it_starts_behind_any_proxy(proxies):
    with started("--port", str(free_port()), **proxies) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_controls_of_one_thing_share_an_event():
    """Else two answers could come in the other order, and the older one would stay."""
    events = build(ModelHub()).fns.values()
    by_input = [event for event in events if any(name == "input" for _, name in event.targets)]
    writers = Counter(output._id for event in by_input for output in event.outputs)
    assert len(writers) > 10 and set(writers.values()) == {1}
