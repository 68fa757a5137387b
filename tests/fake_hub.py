"""The part of the Hugging Face Hub that downloads speak to, on the loopback."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class FakeHub:
    """A server in its own thread. `requests` are the (method, path) that it was asked, in order."""

    def __init__(self):
        self.refs: dict[str, dict[str, str]] = {}  # repository -> branch -> commit
        self.commits: dict[tuple[str, str], dict[str, bytes]] = {}  # repository, commit -> files
        self.gated: set[str] = set()
        self.requests: list[tuple[str, str]] = []
        hub = self
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> FakeHub:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away: connections are refused from here on. Done twice it does nothing."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def push(self, repository: str, folder: Path, branch: str = "main", **more: bytes) -> str:
        """Commit the files of a folder, and others by name, to a branch; the commit."""
        files = {path.name: path.read_bytes() for path in folder.iterdir()} | more
        commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.refs.setdefault(repository, {})[branch] = commit
        self.commits[repository, commit] = files
        return commit

    def asked(self, method: str) -> list[str]:
        """The names of the files that were asked for with this method, sorted."""
        return sorted(path.rpartition("/")[2] for how, path in self.requests if how == method and "/resolve/" in path)


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"
    timeout = 5

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append((self.command, path))
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[:2] == ["api", "models"]:
            parts = parts[2:]
        repository, what, revision, *name = "/".join(parts[:2]), *(parts[2:] or ["revision", "main"])
        if repository not in self.hub.refs:
            return self.answer(404, error="RepoNotFound")
        commit = self.hub.refs[repository].get(revision, revision)
        files = self.hub.commits.get((repository, commit))
        if files is None:
            return self.answer(404, error="RevisionNotFound")
        if what == "revision":
            siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
            return self.answer(200, json.dumps({"id": repository, "sha": commit, "siblings": siblings}).encode())
        if repository in self.hub.gated:
            return self.answer(403, error="GatedRepo")
        if what == "tree":
            tree = [{"type": "file", "path": n, "size": len(c), "oid": _oid(c)} for n, c in files.items()]
            return self.answer(200, json.dumps(tree).encode())
        content = files.get("/".join(name))
        if content is None:
            return self.answer(404, error="EntryNotFound")
        return self.answer(200, content, **{"ETag": f'"{_oid(content)}"', "X-Repo-Commit": commit})

    do_HEAD = do_GET

    def answer(self, status: int, content: bytes = b"{}", error: str = "", **headers: str) -> None:
        self.send_response(status)
        if error:
            headers["X-Error-Code"] = error
        headers |= {"Content-Length": str(len(content)), "Connection": "close"}  # so that `stop` stops at once
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
