"""The folder of uploads, its limits, and what is left of it when a process is killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.conftest import ROOT
from ui.common import uploads

OLD = (time.time() - 2 * uploads.YOUNG,) * 2
HOLD = """
import pathlib, sys
from ui.common import uploads
print(uploads.make_folder(pathlib.Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def send(empty):
    """`send(content, ago, address)` uploads a file and returns its name."""

    def send(content: bytes, ago: float = 0, address: str = "192.0.2.1") -> str:
        name = post({"files": ("a.png", content)}, address).json()[0]
        os.utime(empty / name, (time.time() - ago,) * 2)
        return name

    return send


def post(files: dict, address: str = "192.0.2.1"):
    app = Starlette(routes=[Route("/", uploads.upload, methods=["POST"])])
    return TestClient(app, client=(address, 1)).post("/", files=files)


def kept(names: list[str]) -> list[bool]:
    return [uploads.upload_path(name) is not None for name in names]


@pytest.mark.parametrize(
    "filename", ["../../etc/passwd", "..\\..\\boot.ini", "", ".", "..", ".bashrc", "é" * 300, "a/b\0c"]
)
def test_no_file_name_escapes_the_folder(filename):
    name = uploads.keep(filename, filename.encode())
    path = uploads.folder() / name
    assert path.parent.parent == uploads.folder() and path.is_file()
    assert uploads.upload_path(name) == path


def test_the_oldest_uploads_are_deleted_for_new_ones(send, empty, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_FILES", 3)
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    monkeypatch.setattr(uploads, "SHARES", 1)
    names = [send(bytes([index]) * 100, ago) for index, ago in enumerate((30, 40, 20))]
    send(b"x" * 100, 10)
    assert kept(names) == [True, False, True]
    large = send(b"y" * 850)
    assert [path.name for path in empty.rglob("*.png")] == ["a.png", "a.png"] and uploads.upload_path(large)
    os.utime(empty / large, (time.time() - uploads.AGE - 1,) * 2)
    uploads.expire()
    assert len(list(empty.rglob("*.png"))) == 1


def test_an_address_deletes_its_own_uploads_before_those_of_others(send, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    others = [send(b"other", 60, "192.0.2.2"), send(b"v6", 60, "2001:db8::1")]
    own = [send(bytes([index]) * 100, 50 - index) for index in range(10)]
    assert kept(others) == [True, True]
    assert kept(own) == [False] * 8 + [True] * 2
    same_household = [send(bytes([index]) * 80, 30, f"2001:db8::{index}") for index in range(4)]
    assert kept(same_household).count(True) == 3 and not kept(others[1:])[0]
    monkeypatch.setattr(uploads, "MOST_FILES", 4 * 3)
    small = [send(bytes([index]), 20, "192.0.2.3") for index in range(9)]
    assert kept(small) == [False] * 6 + [True] * 3 and kept(others[:1]) == [True]


def test_a_full_disk_gets_a_sentence_without_its_folder(empty, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    answer = post({"files": ("a.png", b"x")})
    assert answer.status_code == 507 and "no room" in answer.json()["detail"]
    assert str(empty) not in answer.text and not [path for path in empty.rglob("*") if path.is_file()]


@pytest.mark.parametrize("variable", ["TMPDIR", "GRADIO_TEMP_DIR"])
def test_without_a_folder_to_write_the_app_says_what_to_set(variable, tmp_path):
    """In a process whose only folders for temporary files are a file, or do not exist."""
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "below")
    start = f"import tempfile; tempfile._candidate_tempdir_list = lambda: [{nowhere!r}]" if variable == "TMPDIR" else ""
    run = f"{start}\nimport runpy; runpy.run_path('app.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, env=os.environ | {variable: nowhere}
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert nowhere in done.stderr and f"set {variable}" in done.stderr.replace("and GRADIO", "set GRADIO")


def test_a_missing_folder_is_made_and_only_this_user_reads_it(tmp_path):
    made = uploads.make_folder(tmp_path / "a" / "b")
    assert made.parent == tmp_path / "a" / "b" and made.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="there are no locks of folders")
def test_folders_of_killed_processes_are_deleted_and_no_others(tmp_path):
    def start() -> tuple[subprocess.Popen, Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, tmp_path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return process, Path(process.stdout.readline().strip())

    (killed, left), (living, in_use) = start(), start()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (left / "file").touch()
    (left / "link").symlink_to(outside)
    link = tmp_path / f"{uploads.PREFIX}link"
    link.symlink_to(outside)
    (tmp_path / "gradio").mkdir()
    young = tmp_path / f"{uploads.PREFIX}young"
    young.mkdir()
    foreign = tmp_path / f"{uploads.PREFIX}foreign"
    foreign.mkdir()
    if os.getuid() == 0:
        os.chown(foreign, 12345, 12345)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    for path in (left, in_use, foreign, link):
        os.utime(path, OLD, follow_symlinks=False)
    made = uploads.make_folder(tmp_path)
    assert not left.exists() and in_use.is_dir() and made.is_dir() and young.is_dir()
    assert foreign.exists() == (os.getuid() == 0)
    assert (outside / "kept").is_file() and (tmp_path / "gradio").is_dir()
    assert link.is_symlink()
    living.communicate()
    assert not in_use.exists()  # it ended by itself
