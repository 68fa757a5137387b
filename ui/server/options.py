"""The options of the app, from its command line and the environment; read before gradio and torch are imported."""

from __future__ import annotations

import argparse
import errno
import os
import re
import socket
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from cnn_models.command import whole

PORT = whole(1, 65535)
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)


def parse(description: str, argv: list[str] | None = None) -> argparse.Namespace:
    """The options; exits with a sentence for one that cannot be used, as an address that cannot be listened on."""
    parser = argparse.ArgumentParser(description=description)
    environment = {name: value for name, value in os.environ.items() if value}
    parser.add_argument(
        "--host",
        default=environment.get("GRADIO_SERVER_NAME"),
        help="the address to listen on; 0.0.0.0 lets other machines in",
    )
    parser.add_argument(
        "--port",
        type=PORT,
        help="by default the first free one from 7860 up, or from GRADIO_SERVER_PORT",
    )
    parser.add_argument("--share", action="store_true", help="open a public link through gradio")
    parser.add_argument(
        "--weights",
        type=folder,
        default=environment.get("CNN_WEIGHTS_DIR"),
        help="the folder with the checkpoints; by default the bundled ones",
    )
    parser.add_argument("--namespace", help="the Hugging Face user or organisation to fetch missing checkpoints from")
    parser.add_argument(
        "--max-memory",
        type=size,
        metavar="SIZE",
        help="what loaded networks may take, as 800M or 1.5G (default: 1G); the ten of the line-up take 0.43G",
    )
    parser.add_argument(
        "--root-path",
        type=root_path,
        default=environment.get("GRADIO_ROOT_PATH"),
        help="the path under which a proxy shows the app, as /cnn or https://example.org/cnn",
    )
    parser.add_argument(
        "--public-host",
        type=host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="a name, such as example.org, under which clients of MCP may use the tools; may be given several times",
    )
    args = parser.parse_args(argv)
    for name in environment.keys() & {"GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS"}:  # gradio reads them
        try:
            PORT(environment[name])
        except argparse.ArgumentTypeError as error:
            parser.error(f"{name}: {error}")
    if why := refusal(args.host or "127.0.0.1", args.port or 0):
        parser.error(why)
    return args


def refusal(host: str, port: int) -> str:
    """Why an address cannot be listened on, and what to do; "" where it can. Port 0 stands for any."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            if os.name == "posix":  # elsewhere it would take over a port in use
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
    except PermissionError:
        return f"port {port} needs the rights of an administrator; choose one above 1023 with --port"
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return f"port {port} is in use; choose another with --port, or leave it out to take the first free one"
        return f"{host!r:.80} is no address of this machine; give --host 127.0.0.1, 0.0.0.0 or one of its own"
    return ""


def folder(text: str) -> Path:
    """A folder that exists. Raises ArgumentTypeError."""
    if not (path := Path(text)).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r:.200} is not a folder; name the one with the checkpoints")
    return path


def size(text: str) -> int:
    """Bytes of `800M` or `1.5G`. Raises ArgumentTypeError."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([MG])B?", text.upper())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a size; write it as 800M or 1.5G")
    return int(float(match[1]) * {"M": 10**6, "G": 10**9}[match[2]])


def root_path(text: str) -> str:
    """A path, or the URL of a path. Raises ArgumentTypeError."""
    if not re.fullmatch(r"(https?://[^/\s\[\]]+)?(/(?!/)\S*)?", text, re.IGNORECASE) or not text:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is not a path; write it as /cnn or https://example.org/cnn")
    return text


def host_name(text: str) -> str:
    """The name of a host, without scheme or port. Raises ArgumentTypeError."""
    if not HOST_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r:.80} is not the name of a host; write it as example.org")
    return text


def public_hosts(names: Collection[str], root_path: str | None) -> set[str]:
    """The public names of this server: the given ones, that of a Space, and that in the root path."""
    return {*names, os.environ.get("SPACE_HOST", ""), urlsplit(root_path or "").hostname or ""} - {""}
