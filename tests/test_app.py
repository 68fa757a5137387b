"""The command line of the app, and how it starts."""

import signal
import socket
import subprocess
import sys
from collections import Counter

import pytest

from app import main
from cnn_models import ModelHub
from cnn_models.hub.model_hub import MAX_MEMORY
from tests.benchmarks.app import started
from tests.conftest import ROOT
from ui.server import options
from ui.tabs import build


@pytest.fixture
def refused(capsys):
    """`refused("--port", "x")` is the last line of the refusal of these options."""

    def parse(*argv: str) -> str:
        with pytest.raises(SystemExit) as ended:
            options.parse("", list(argv))
        assert ended.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return parse


@pytest.mark.parametrize(("text", "bytes"), [("800M", 8e8), ("1.5G", 1.5e9), ("2gb", 2e9), ("1G", MAX_MEMORY)])
def test_memory_is_given_in_mega_or_gigabytes(text, bytes):
    assert options.parse("", ["--max-memory", text]).max_memory == bytes


@pytest.mark.parametrize("text", ["", "800", "1T", "G", "9" * 400 + "G"])
def test_memory_without_a_unit_is_refused(text, refused):
    assert "write it as 800M or 1.5G" in refused("--max-memory", text)


@pytest.mark.parametrize("port", ["99999", "0", "-1", "x", "7860.5", "9" * 5000])
def test_a_port_that_is_none_is_refused(port, refused):
    assert "a whole number from 1 to 65535" in refused(f"--port={port}")


def test_the_environment_is_checked_like_the_command_line(refused, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "99999")
    assert "a whole number from 1 to 65535" in refused()


def test_a_port_in_use_is_refused(refused):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"port {port} is in use; choose another with --port" in refused("--port", port)


@pytest.mark.parametrize(
    "host", ["nowhere.invalid", "192.0.2.1", "a" * 300, "é" * 300, "1.2.3.4.5", "http://127.0.0.1"]
)
def test_a_host_that_is_not_of_this_machine_is_refused(host, refused):
    assert "is no address of this machine" in refused("--host", host)


@pytest.mark.parametrize("path", ["not/abs", "ftp://example.org/cnn", "//example.org", "https://", "http://["])
def test_a_root_path_that_is_none_is_refused(path, refused):
    assert "write it as /cnn or https://example.org/cnn" in refused("--root-path", path)


@pytest.mark.parametrize("path", ["/cnn", "https://example.org/cnn"])
def test_a_root_path_is_a_path_or_a_url(path):
    assert options.parse("", ["--root-path", path]).root_path == path


@pytest.mark.parametrize("host", ["http://example.org", "example.org:80", ""])
def test_a_public_host_is_a_name(host, refused):
    assert "write it as example.org" in refused("--public-host", host)


def test_a_folder_of_weights_has_to_exist(refused, tmp_path):
    assert "is not a folder" in refused("--weights", str(tmp_path / "nowhere"))
    (file := tmp_path / "file").touch()
    assert "is not a folder" in refused("--weights", str(file))


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
