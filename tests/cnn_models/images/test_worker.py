"""Files of untrusted clients: what a worker decodes, what ends it, and that nobody else waits."""

import base64
import os
import statistics
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cnn_models.images import worker as decode_worker
from cnn_models.images.decode import FORMATS, LONGEST, MAX_BYTES, ImageError, decode, read
from cnn_models.images.worker import Workers, decode_untrusted, read_untrusted
from cnn_models.visitors import VISITOR, Visitor
from tests.crafted_images import NOISE, encode, jpeg_of_scans, slow_png
from ui.common import uploads
from ui.common.sketchpad import PNG, UPLOAD, sample
from ui.compare.predictor import Predictor

SLOW = slow_png()
SMALL = encode(NOISE, "BMP")


@pytest.fixture
def workers():
    """`workers(count, limit=value)`; they end with the test."""
    made = []

    def make(*args, **limits) -> Workers:
        made.append(Workers(*args, **limits))
        return made[-1]

    yield make
    for each in made:
        each.end()


def process_of(workers: Workers):
    """The process of its only worker, which is free."""
    return workers._free[-1]._process


def until(condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came to this"
        time.sleep(0.01)


@contextmanager
def beside(*visits):
    """What goes on meanwhile, each in its own thread; ImageErrors are what they may get."""

    def visit(call):
        with suppress(ImageError):
            call()

    threads = [threading.Thread(target=visit, args=(call,)) for call in visits]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join(60)


@pytest.mark.parametrize("format", [*FORMATS, "MPO"])
def test_a_worker_decodes_as_this_process_does(format):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(image, format, **({"exif": exif} if format in ("JPEG", "WEBP", "TIFF", "PNG") else {}))
    for off in ((), ("orientation",), ["scale"]):
        here, there = read(content, off), decode_worker._workers.read(content, off)
        assert np.array_equal(here.luminance, there.luminance) and here.is_turned == there.is_turned
        assert there.luminance.dtype == np.uint8


def test_paths_are_read_here(tmp_path):
    (tmp_path / "a.bmp").write_bytes(SMALL)
    assert np.array_equal(decode_untrusted(tmp_path / "a.bmp"), NOISE)
    with pytest.raises(ImageError, match=r"no file 'b\.bmp'"):
        decode_untrusted(tmp_path / "b.bmp")


@pytest.mark.parametrize("content", [b"", b"no image", SMALL[:-1], jpeg_of_scans(1_200), bytes(MAX_BYTES + 1)])
def test_a_worker_reports_what_this_process_does_and_goes_on(content):
    errors = []
    for way in (decode, decode_untrusted):
        with pytest.raises(ImageError) as caught:
            way(content)
        errors.append((caught.value.code, caught.value.values))
    assert errors[0] == errors[1]


def test_what_is_cheap_starts_no_worker(monkeypatch):
    monkeypatch.setattr(decode_worker, "_workers", None)
    assert decode_untrusted(sample("mnist", 7).read_bytes()).shape == (28, 28)
    exif = Image.Exif()
    exif[0x0112] = 3
    assert read_untrusted(encode(NOISE, "PNG", exif=exif)).is_turned
    with pytest.raises(AttributeError):
        decode_untrusted(SMALL)


@pytest.mark.skipif(not decode_worker.resource, reason="there is no limit on CPU time")
def test_a_worker_that_computes_too_long_is_ended_and_replaced(workers):
    pool = workers(1, cpu_seconds=1)
    assert np.array_equal(pool.read(SMALL).luminance, NOISE)
    process = process_of(pool)
    with pytest.raises(ImageError, match="too much time or memory"):
        pool.read(SLOW)
    assert process.poll() is not None
    assert np.array_equal(pool.read(SMALL).luminance, NOISE)


@pytest.mark.skipif(not decode_worker.resource, reason="there is no limit on CPU time")
def test_the_limit_on_cpu_time_is_that_of_one_file(workers):
    pool, file = workers(1, cpu_seconds=1), slow_png(100)
    pool.read(SMALL)
    process = process_of(pool)
    for _ in range(20):  # 0.07 s each on a fast processor, 0.3 s on a slow one
        pool.read(file)
    assert process_of(pool) is process


def test_a_worker_that_is_late_is_ended(workers):
    pool = workers(1, cpu_seconds=100, seconds=0.3)
    with pytest.raises(ImageError, match="too much time or memory"):
        pool.read(SLOW)
    assert pool._free == [None]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may not limit the address space")
def test_memory_is_limited(workers):
    pool = workers(1, memory=400 * 2**20)
    with pytest.raises(ImageError, match=r"too many pixels|too much time or memory"):
        pool.read(encode(Image.new("RGBA", (8000, 5000)), "PNG", compress_level=1))
    assert np.array_equal(pool.read(SMALL).luminance, NOISE)


@pytest.mark.parametrize("make", [
    lambda: encode(Image.new("RGBA", (8000, 6500), (9, 9, 9, 9)), "PNG", compress_level=1),
    lambda: encode(np.zeros((6500, 8000), np.float32), "TIFF", compression="tiff_adobe_deflate"),
    lambda: encode(Image.new("L", (16_320, 12_240)), "JPEG", progressive=True),
    lambda: encode(Image.new("L", (8000, 6500)), "AVIF", speed=10),
], ids=["PNG", "TIFF", "JPEG", "AVIF"])  # fmt: skip
def test_the_largest_images_stay_within_the_limits(make):
    assert max(decode_untrusted(make()).shape) == LONGEST


def test_a_file_that_is_gone_costs_no_worker(workers, tmp_path):
    pool = workers(1)
    pool.read(SMALL)
    process = process_of(pool)
    with pytest.raises(ImageError, match=r"no file 'gone\.png'"):
        pool.read(tmp_path / "gone.png")
    assert process_of(pool) is process


def test_a_file_is_not_in_memory_while_it_waits(workers, answering, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(decode_worker, "content_of", lambda source: opened.append(source) or b"")
    go, first, second = answering('{"shape": [1, 1], "is_turned": false}\na'), tmp_path / "first", tmp_path / "second"
    pool = workers(1, patience=0.1)
    with beside(partial(pool.read, first)):
        until(lambda: opened)
        with pytest.raises(ImageError, match="Many images"):
            pool.read(second)
        go.touch()
    assert opened == [first]


def test_a_worker_that_has_ended_is_replaced(workers):
    pool = workers(1)
    for _ in range(2):
        assert np.array_equal(pool.read(SMALL).luminance, NOISE)
        process_of(pool).kill()
        process_of(pool).wait()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process is")
def test_a_worker_has_no_torch_no_tokens_and_a_low_priority(workers, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    pool = workers(1)
    pool.read(SMALL)
    process = Path("/proc", str(process_of(pool).pid))
    assert b"secret" not in (process / "environ").read_bytes()
    assert "torch" not in (process / "maps").read_text()
    assert os.getpriority(os.PRIO_PROCESS, int(process.name)) >= min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    limits = (process / "limits").read_text()
    assert f"Max address space         {decode_worker.MEMORY}" in limits and "Max file size             0" in limits


WORKER = """
import sys, time, pathlib
print("{}", flush=True)
size = sys.stdin.buffer.readline()
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
sys.stdout.write(sys.argv[2])
"""


@pytest.fixture
def answering(monkeypatch, tmp_path):
    """`answering(text)`: workers write this, whatever they are sent, once there is a file; its path is returned."""

    def answer(text: str, path: Path = tmp_path / "go") -> Path:
        start = decode_worker.subprocess.Popen
        command = [sys.executable, "-c", WORKER, str(path), text]
        fake = SimpleNamespace(PIPE=decode_worker.subprocess.PIPE, Popen=lambda _, **options: start(command, **options))
        monkeypatch.setattr(decode_worker, "subprocess", fake)
        return path

    return answer


def test_what_a_worker_writes_is_an_image(workers, answering):
    answering('{"shape": [1, 2], "is_turned": false}\nab').touch()
    assert workers(1).read(b"").luminance.tolist() == [[97, 98]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "[" * 9_000 + "\n",
        "x" * 20_000 + "\n",
        '{"shape": [1, 2], "is_turned": false}\na',
        '{"shape": [0, 2], "is_turned": false}\n',
        '{"shape": [-1, -2], "is_turned": false}\nab',
        '{"shape": [20000, 20000], "is_turned": false}\n',
        '{"shape": [1e9999, 1], "is_turned": false}\n',
        '{"shape": [1.5, 2], "is_turned": false}\nabc',
        '{"shape": ["1", 1], "is_turned": false}\na',
        '{"shape": [1, 1, 2], "is_turned": false}\nab',
        '{"is_turned": false}\na',
        '{"code": "no.such", "values": {}}\n',
        '{"code": ["image.blank"], "values": {}}\n',
        '{"code": "image.bytes", "values": {"least": ""}}\n',
        '{"code": "image.bytes", "values": 7}\n',
        '{"code": "image.bytes"}\n',
    ],
)
def test_nonsense_that_a_worker_writes_is_refused(workers, answering, text):
    answering(text).touch()
    pool = workers(1)
    with pytest.raises(ImageError, match="too much time or memory"):
        pool.read(b"")
    assert pool._free == [None]


def test_nobody_waits_for_ever(workers, answering):
    go = answering('{"shape": [1, 1], "is_turned": false}\na')
    pool = workers(1, patience=0.1)
    with beside(partial(pool.read, b"")):
        until(lambda: not pool._free)
        with pytest.raises(ImageError, match="Many images"):
            pool.read(b"")
        go.touch()


def test_no_more_wait_than_may(workers, answering):
    go = answering('{"shape": [1, 1], "is_turned": false}\na')
    pool = workers(1, patience=60, waiting=1)
    with beside(partial(pool.read, b""), partial(pool.read, b"")):
        until(lambda: not pool._free and pool._waiting.count("") == 1)
        with pytest.raises(ImageError, match="Many images"):
            pool.read(b"")
        go.touch()


def test_files_of_one_visitor_make_another_wait_for_one_of_them(workers, answering):
    go = answering('{"shape": [1, 1], "is_turned": false}\na')
    pool, served = workers(1), []

    def read(address: str) -> None:
        VISITOR.set(Visitor(address))
        try:
            pool.read(b"")
        finally:  # the worker here answers once and ends
            served.append(address)

    def waits(address: str, count: int) -> None:
        until(lambda: pool._waiting.count(address) == count)

    with beside(partial(pool.read, b"")):
        until(lambda: not pool._free)
        with beside(*[partial(read, "flood")] * 5):
            waits("flood", 5)
            with beside(partial(read, "quiet")):
                waits("quiet", 1)
                go.touch()
    assert served.index("quiet") <= 1 and len(served) == 6
    assert not pool._waiting and len(pool._free) == 1


def test_a_worker_that_cannot_start_gets_a_sentence(workers, monkeypatch):
    monkeypatch.setattr(decode_worker.sys, "executable", "/nowhere/python")
    with pytest.raises(ImageError, match="too much time or memory"):
        workers(1).read(SMALL)


def test_a_drawing_does_not_wait_for_the_slow_files_of_others(workers, monkeypatch, hub, checkpoint):
    """Its answer takes at most ten times as long as alone, and half a second for a busy machine."""
    checkpoint("lenet5.mnist")
    pool = workers(1, cpu_seconds=100, seconds=1, patience=0.1)
    monkeypatch.setattr(decode_worker, "_workers", pool)
    name = uploads.keep("slow.png", SLOW)
    predictor, done = Predictor(hub), threading.Event()

    def draw(number: int) -> float:
        image = np.full((280, 280), 255, np.uint8)
        image[40:240, 100 + number : 130 + number] = 0  # another one each time, as answers are remembered
        sent = PNG + base64.b64encode(encode(image, "PNG")).decode()
        start = time.perf_counter()
        assert predictor.predict({"image": sent, "models": ["lenet5"]})["answers"]
        return time.perf_counter() - start

    def upload() -> None:
        while not done.is_set():
            predictor.predict({"image": f"{UPLOAD}{name}", "models": ["lenet5"]})

    draw(0)
    alone = statistics.median(map(draw, range(1, 8)))
    with beside(*[upload] * 10):
        try:
            until(lambda: not pool._free)
            slowed = statistics.median(map(draw, range(8, 15)))
        finally:
            done.set()
    assert slowed < 10 * alone + 0.5
