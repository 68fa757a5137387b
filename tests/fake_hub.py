"""A Hugging Face Hub on the loopback for downloads and publishing: as strict as the real one, with faults on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote

import yaml

REGULAR = 10 * 2**20  # bytes from which a file goes through LFS; *.safetensors always does
PAGE = 10  # discussions that are listed at once
REPOSITORY = r"/api/(?P<type>model|space|dataset)s/(?P<id>[^/]+/[^/]+)"


@dataclass
class Repository:
    refs: dict[str, str] = field(default_factory=dict)  # branch -> commit
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)  # commit -> files
    private: bool = False
    made: dict = field(default_factory=dict)  # the body of the request that created it
    discussions: list[dict] = field(default_factory=list)  # in the Hub's format, the newest first


@dataclass
class Fault:
    """A fault in the next `times` requests of a method whose path holds `part`."""

    method: str
    part: str
    status: int = 0
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0  # seconds before the response
    cut: int | None = None  # bytes of the body after which the connection is closed
    reset: bool = False  # rather than closed
    short: bool = False  # a Content-Length that is too small
    instead: bytes | None = None  # another body of the same length
    lies: dict[str, str] = field(default_factory=dict)  # headers instead of the true ones
    body: bytes | None = None  # another response
    endless: bool = False  # a body in chunks without an end, or as long as a Content-Length among the lies
    drop: float = 0  # seconds between two bytes of it
    first: Callable[[], object] = lambda: None
    times: int = 1


class FakeHub:
    """A server in its own thread. `requests` are the (method, path) received, in order."""

    def __init__(self):
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.collections: dict[str, dict] = {}
        self.blobs: dict[str, bytes] = {}  # LFS, by SHA-256
        self.tokens = {"hf_owner": "someone", "hf_other": "other"}
        self.gated: set[str] = set()
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.ranges: list[str] = []  # the Range headers of requests for weights
        self.lock = threading.Lock()
        self.part_size = 0  # bytes of a part, where LFS uploads come in several
        hub = self
        self.server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.cdn = f"http://localhost:{self.server.server_port}/cdn"  # another host, where no token may go

    def __enter__(self) -> FakeHub:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse connections from here on. A second call does nothing."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def fail(self, method: str, part: str, status: int = 0, **fault) -> None:
        """Add a `Fault` for the next request of this method whose path holds `part`."""
        self.faults.append(Fault(method, part, status, **fault))

    def files(self, id: str, revision: str = "main", type: str = "model") -> dict[str, bytes]:
        repository = self.repositories[type, id]
        return repository.commits[repository.refs.get(revision, revision)]

    def push(self, id: str, folder: Path, branch: str = "main", **more: bytes) -> str:
        """Commit the files of a folder, and others by name, to a branch; returns the commit."""
        files = {path.name: path.read_bytes() for path in folder.iterdir()} | more
        return self.commit(self.repositories.setdefault(("model", id), Repository()), branch, files)

    def commit(self, repository: Repository, branch: str, files: dict[str, bytes]) -> str:
        parent = repository.refs.get(branch, "")
        commit = hashlib.sha1(repr((parent, sorted(files.items()))).encode()).hexdigest()
        repository.refs[branch], repository.commits[commit] = commit, files
        return commit

    def requested(self, method: str) -> list[str]:
        """The names of the files that were requested with this method, sorted."""
        return sorted(path.rpartition("/")[2] for how, path in self.requests if how == method and "/resolve/" in path)

    def bodies(self) -> int:
        """The number of requests for weights."""
        return sum(how == "GET" and path.startswith("/cdn/") for how, path in self.requests)


class Answer(Exception):
    """The response to a request, raised by its handler."""

    def __init__(self, status: int, body: object = None, error: str = "", message: str = "", **headers: str):
        super().__init__(status)
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, bytes) else json.dumps(body or {"error": message or error}).encode()
        self.headers |= {"X-Error-Code": error} if error else {}
        self.headers |= {"X-Error-Message": message} if message else {}


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: some tests disconnect during a response."""


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"
    timeout = 5

    def log_message(self, *_) -> None:
        pass

    def handle_one(self) -> None:
        self.path, _, query = self.path.partition("?")
        self.query = {name: values[-1] for name, values in parse_qs(query).items()}
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                self.content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        with self.hub.lock:
            self.hub.requests.append((self.command, self.path))
            faults = (each for each in self.hub.faults if each.times and each.method == self.command)
            fault = next((each for each in faults if each.part in self.path), Fault("", ""))
            fault.times -= 1
        try:
            fault.first()
            time.sleep(fault.delay)
            if fault.body is not None:
                raise Answer(200, fault.body)
            if fault.status:
                raise Answer(fault.status, error=fault.error, **fault.headers)
            self.route()
        except Answer as answer:
            self.answer(answer, fault)

    do_GET = do_HEAD = do_POST = do_PUT = handle_one

    def answer(self, answer: Answer, fault: Fault) -> None:
        body = answer.body
        if fault.instead is not None:
            body = (fault.instead * len(body))[: len(body)]
        length = len(body) // 2 if fault.short else len(body)
        # Closed, so that `stop` stops at once.
        headers = answer.headers | {"Content-Length": str(length), "Connection": "close"} | fault.lies
        if fault.endless and "Content-Length" not in fault.lies:
            headers["Transfer-Encoding"] = "chunked"
            del headers["Content-Length"]
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault.endless and self.command != "HEAD":
            self.pour(fault.drop, "Transfer-Encoding" in headers)
        elif self.command != "HEAD":
            self.wfile.write(body[: fault.cut])
            self.wfile.flush()
            if fault.reset:  # closed without lingering, and before the server shuts it down
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

    def pour(self, drop: float, chunked: bool) -> None:
        """Send until the client disconnects, for at most 20 seconds."""
        part, until = (b"0" if drop else bytes(2**16)), time.monotonic() + 20
        while time.monotonic() < until:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            self.wfile.flush()
            time.sleep(drop)

    def route(self) -> None:
        for (method, pattern), act in ROUTES.items():
            if (method == self.command or (method == "GET" and self.command == "HEAD")) and (
                match := re.fullmatch(pattern, self.path)
            ):
                return act(self, **{name: unquote(value) for name, value in match.groupdict().items()})
        raise Answer(404, message=f"no such endpoint: {self.command} {self.path}")

    @property
    def json(self) -> dict:
        return json.loads(self.content)

    def user(self, needed: bool = False) -> str | None:
        """The user of the request's token, if any. An unknown token is refused."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if (token or needed) and token not in self.hub.tokens:
            raise Answer(401, message="Invalid credentials in Authorization header" if token else "Not logged in")
        return self.hub.tokens.get(token)

    def repository(self, type: str, id: str, write: bool = False, revision: str = "main") -> Repository:
        user, repository = self.user(needed=write), self.hub.repositories.get((type, id))
        if repository is None or (repository.private and id.split("/")[0] != user):
            raise Answer(404 if user else 401, error="RepoNotFound")
        if write and id.split("/")[0] != user and "create_pr" not in self.query:
            proposed = [f"refs/pr/{each['num']}" for each in repository.discussions if each["author"]["name"] == user]
            if revision not in proposed:
                raise Answer(403, message="you have no right to write to this repository")
        return repository

    def version(self, repository: Repository, revision: str) -> tuple[str, dict[str, bytes]]:
        commit = repository.refs.get(revision, revision)
        if commit not in repository.commits:
            raise Answer(404, error="RevisionNotFound")
        return commit, repository.commits[commit]

    # Reading

    def info(self, type: str, id: str, revision: str = "main") -> None:
        repository = self.repository(type, id)
        commit, files = self.version(repository, revision)
        siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
        gated = "auto" if id in self.hub.gated else False
        body = {"id": id, "sha": commit, "private": repository.private, "gated": gated, "siblings": siblings}
        raise Answer(200, body | ({"tags": [], "downloads": 0} if type == "model" else {}))

    def tree(self, type: str, id: str, revision: str) -> None:
        _, files = self.version(self.repository(type, id), revision)
        self.check_gate(id)
        entries = []
        for name, content in files.items():
            entry = {"type": "file", "path": name, "size": len(content), "oid": oid(name, content)}
            if is_lfs(name, content):
                entry["lfs"] = {"oid": oid(name, content), "size": len(content), "pointerSize": 134}
            entries.append(entry)
        raise Answer(200, entries)

    def resolve(self, id: str, revision: str, name: str) -> None:
        commit, files = self.version(self.repository("model", id), revision)
        self.check_gate(id)
        if name not in files:
            raise Answer(404, error="EntryNotFound", **{"X-Repo-Commit": commit})
        content = files[name]
        headers = {"ETag": f'"{oid(name, content)}"', "X-Repo-Commit": commit}
        if not is_lfs(name, content):
            self.send(content, headers)
        self.hub.blobs[oid(name, content)] = content
        headers |= {"X-Linked-Size": str(len(content)), "X-Linked-ETag": headers["ETag"]}
        raise Answer(302, **headers, Location=f"{self.hub.cdn}/{oid(name, content)}")

    def send_blob(self, sha: str) -> None:
        if self.command == "GET":
            self.hub.ranges.append(self.headers.get("Range", ""))
        if "Authorization" in self.headers:
            raise Answer(400, message="a token was sent to a host that is not the Hub")
        self.send(self.hub.blobs[sha], {"ETag": f'"{sha}"'})

    def send(self, content: bytes, headers: dict[str, str]) -> None:
        if wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(wanted[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            raise Answer(206, content[start:], **headers)
        raise Answer(200, content, **headers)

    def check_gate(self, id: str) -> None:
        if id in self.hub.gated:
            raise Answer(403, error="GatedRepo")

    # Writing

    def whoami(self) -> None:
        user = self.user(needed=True)
        raise Answer(200, {"type": "user", "name": user, "orgs": [], "auth": {"type": "access_token"}})

    def create(self) -> None:
        user, wanted = self.user(needed=True), self.json
        owner, type = wanted["organization"] or user, wanted.get("type", "model")
        if owner != user:
            raise Answer(403, message=f"you have no right to create repositories under {owner}")
        id = f"{owner}/{wanted['name']}"
        url = f"{self.hub.url}/{'' if type == 'model' else type + 's/'}{id}"
        if (type, id) in self.hub.repositories:
            raise Answer(409, {"error": f"You already created this {type} repo", "url": url})
        if type == "space" and wanted.get("sdk") != "gradio":
            raise Answer(400, message="a Space needs an sdk")
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        repository = self.hub.repositories[type, id] = Repository(private=private, made=wanted)
        self.hub.commit(repository, "main", {".gitattributes": b"*.safetensors filter=lfs\n"})
        raise Answer(200, {"url": url, "name": id})

    def validate(self) -> None:
        front = re.match(r"---\n(.*?)\n---\n", self.json["content"], re.DOTALL)
        metadata = yaml.safe_load(front[1]) if front else {}
        errors = []
        if self.json["repoType"] == "model":
            errors += [{"message": f'"{n}" is missing'} for n in ("license", "model-index") if n not in metadata]
        elif not {"sdk", "sdk_version", "app_file"} <= metadata.keys():
            errors.append({"message": "a Space needs sdk, sdk_version and app_file"})
        raise Answer(400 if errors else 200, {"errors": errors, "warnings": []})

    def preupload(self, type: str, id: str, revision: str) -> None:
        _, files = self.version(self.repository(type, id, True, revision), revision)
        answers = []
        for file in self.json["files"]:
            name = file["path"]
            lfs = name.endswith(".safetensors") or file["size"] > REGULAR
            answers.append(
                {
                    "path": name,
                    "uploadMode": "lfs" if lfs else "regular",
                    "shouldIgnore": False,
                    "oid": oid(name, files[name]) if name in files else None,
                }
            )
        raise Answer(200, {"files": answers})

    def batch(self, id: str, prefix: str = "") -> None:
        self.repository(prefix.removesuffix("s/") or "model", id)
        objects = []
        for wanted in self.json["objects"]:
            sha, size = wanted["oid"], wanted["size"]
            if sha in self.hub.blobs:
                objects.append(wanted)
                continue
            href, header = f"{self.hub.url}/upload/{sha}", {}
            if self.hub.part_size:
                parts = math.ceil(size / self.hub.part_size)
                header = {str(n + 1): f"{self.hub.url}/part/{sha}/{n}" for n in range(parts)}
                header["chunk_size"] = str(self.hub.part_size)
            verify = {"href": f"{self.hub.url}/verify"}
            objects.append(wanted | {"actions": {"upload": {"href": href, "header": header}, "verify": verify}})
        raise Answer(200, {"transfer": "basic", "objects": objects})

    def upload(self, sha: str) -> None:
        if self.command == "PUT":
            self.store(sha, self.content)
        else:  # all parts are there
            self.store(sha, b"".join(self.hub.blobs.pop(f"{sha}.{n}") for n in range(len(self.json["parts"]))))
        raise Answer(200)

    def part(self, sha: str, number: str) -> None:
        self.hub.blobs[f"{sha}.{number}"] = self.content
        raise Answer(200, ETag=f'"{hashlib.md5(self.content).hexdigest()}"')

    def store(self, sha: str, content: bytes) -> None:
        if hashlib.sha256(content).hexdigest() != sha:
            raise Answer(422, message="what was uploaded is not what was announced")
        self.hub.blobs[sha] = content

    def verify(self) -> None:
        if len(self.hub.blobs.get(self.json["oid"], b"")) != self.json["size"]:
            raise Answer(404, message="nothing was uploaded")
        raise Answer(200)

    def commit(self, type: str, id: str, revision: str) -> None:
        repository = self.repository(type, id, True, revision)
        head, files = self.version(repository, revision)
        header, *operations = map(json.loads, self.content.splitlines())
        if header["value"].get("parentCommit", head) != head:
            raise Answer(412, message="the branch was changed since")
        files = dict(files)
        for operation in operations:
            value = operation["value"]
            match operation["key"]:
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile" if value["oid"] in self.hub.blobs:
                    files[value["path"]] = self.hub.blobs[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
                case _:
                    raise Answer(400, message=f"cannot {operation['key']} {value['path']}")
        request = None
        if "create_pr" in self.query:
            number = 1 + len(repository.discussions)
            revision = f"refs/pr/{number}"
            request = f"{self.hub.url}/{'' if type == 'model' else type + 's/'}{id}/discussions/{number}"
            discussion = {
                "num": number, "title": header["value"]["summary"], "author": {"name": self.user()}, "status": "open",
                "isPullRequest": True, "createdAt": "2026-01-01T00:00:00.000Z", "repo": {"name": id, "type": type},
            }  # fmt: skip
            repository.discussions.insert(0, discussion)
        commit = self.hub.commit(repository, revision, files)
        url = f"{self.hub.url}/{id}/commit/{commit}"
        raise Answer(200, {"success": True, "commitOid": commit, "commitUrl": url, "pullRequestUrl": request})

    def discussions(self, type: str, id: str) -> None:
        found = [
            each
            for each in self.repository(type, id).discussions
            if self.query.get("author") in (None, each["author"]["name"])
            and self.query.get("status") in (None, "all", "closed" if each["status"] == "merged" else each["status"])
            and (self.query.get("type") != "discussion" or not each["isPullRequest"])
            and (self.query.get("type") != "pull_request" or each["isPullRequest"])
        ]
        start = PAGE * int(self.query.get("p", 0))
        raise Answer(200, {"discussions": found[start : start + PAGE], "count": len(found), "start": start})

    def branch(self, type: str, id: str, revision: str) -> None:
        repository = self.repository(type, id, write=True)
        if revision in repository.refs:
            raise Answer(409, message="this branch exists")
        repository.refs[revision] = repository.refs["main"]
        raise Answer(200)

    def collection(self, slug: str = "") -> None:
        user = self.user(needed=True)
        if self.command == "GET":
            raise Answer(200, self.hub.collections[slug])
        if slug:
            items, wanted = self.hub.collections[slug]["items"], self.json["item"]
            if any(item["id"] == wanted["id"] for item in items):
                raise Answer(409, message="it is in there")
            items.append(wanted | {"_id": str(len(items)), "position": len(items)})
            raise Answer(200, self.hub.collections[slug])
        slug = f"{user}/{self.json['title'].lower().replace(' ', '-')}-0123456789abcdef01234567"
        if slug in self.hub.collections:
            raise Answer(409, {"error": "it exists", "slug": slug})
        self.hub.collections[slug] = {
            "slug": slug, "title": self.json["title"], "owner": {"name": user}, "items": [], "position": 0,
            "private": self.json["private"], "theme": "green", "upvotes": 0, "lastUpdated": "2026-01-01T00:00:00.000Z",
        }  # fmt: skip
        raise Answer(200, self.hub.collections[slug])


H = _Handler
ROUTES: dict[tuple[str, str], Callable] = {
    ("GET", REPOSITORY): H.info,
    ("GET", REPOSITORY + r"/revision/(?P<revision>[^/]+)"): H.info,
    ("GET", REPOSITORY + r"/tree/(?P<revision>[^/]+)"): H.tree,
    ("GET", r"/(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>.+)"): H.resolve,
    ("GET", r"/cdn/(?P<sha>\w+)"): H.send_blob,
    ("GET", r"/api/whoami-v2"): H.whoami,
    ("POST", r"/api/repos/create"): H.create,
    ("POST", r"/api/validate-yaml"): H.validate,
    ("POST", REPOSITORY + r"/preupload/(?P<revision>[^/]+)"): H.preupload,
    ("POST", r"/(?P<prefix>spaces/|)(?P<id>[^/]+/[^/]+)\.git/info/lfs/objects/batch"): H.batch,
    ("PUT", r"/upload/(?P<sha>\w+)"): H.upload,
    ("POST", r"/upload/(?P<sha>\w+)"): H.upload,
    ("PUT", r"/part/(?P<sha>\w+)/(?P<number>\d+)"): H.part,
    ("POST", r"/verify"): H.verify,
    ("POST", REPOSITORY + r"/commit/(?P<revision>[^/]+)"): H.commit,
    ("GET", REPOSITORY + r"/discussions"): H.discussions,
    ("POST", REPOSITORY + r"/branch/(?P<revision>[^/]+)"): H.branch,
    ("POST", r"/api/collections"): H.collection,
    ("GET", r"/api/collections/(?P<slug>[^/]+/[^/]+)"): H.collection,
    ("POST", r"/api/collections/(?P<slug>[^/]+/[^/]+)/items"): H.collection,
}


def is_lfs(name: str, content: bytes) -> bool:
    return name.endswith(".safetensors") or len(content) > REGULAR


def oid(name: str, content: bytes) -> str:
    """SHA-256 of an LFS file, git's own hash of another."""
    if is_lfs(name, content):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
