"""The options of the app: each that cannot be used is refused with a sentence."""

import socket

import pytest

from cnn_models.hub.model_hub import MAX_MEMORY
from ui.server import options


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRADIO_SERVER_PORT", "99999"),
        ("GRADIO_NUM_PORTS", "x"),
        ("GRADIO_SERVER_NAME", "nowhere.invalid"),
        ("GRADIO_ROOT_PATH", "not/abs"),
        ("CNN_WEIGHTS_DIR", "/nowhere"),
    ],
)
def test_the_environment_is_checked_like_the_command_line(name, value, refused, monkeypatch):
    monkeypatch.setenv(name, value)
    assert value in refused()


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
