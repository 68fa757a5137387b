"""The waiting time of a visitor beside a client that floods the app, relative to that without it.

python -m tests.benchmarks.flood
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from tests.benchmarks.app import started
from tests.benchmarks.drawing_latency import drawings
from tests.conftest import ROOT

FLOOD, VISITOR = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))  # as a proxy reports
IN_FLIGHT = 60  # requests of the flood, from as many sessions
ROUNDS = 7
LONGEST = 300  # seconds
SAMPLE = (ROOT / "ui" / "common" / "samples" / "mnist.7.png").read_bytes()


class Client:
    """A client with an address of its own, whose requests differ from those of all others."""

    images = drawings()
    number = itertools.count(0, 2)  # predictions are cached

    def __init__(self, url: str, component: int, headers: dict[str, str], session: str):
        self.http = httpx.Client(base_url=f"{url}/gradio_api", headers=headers, timeout=LONGEST)
        self.component, self.session = component, session

    def _send(self, function: str, **more: object) -> bool:
        data = {"image": self.images[next(self.number) % len(self.images)], **more}
        body = {"data": data, "fn_name": function, "component_id": self.component, "session_hash": self.session}
        return self.http.post("/component_server", json=body).is_success

    def drawing(self) -> bool:
        return self._send("look")

    def heat_map(self) -> bool:
        return self._send("why", part="heat")

    def compare(self, explain: bool = False) -> bool:
        path = self.http.post("/upload", files={"files": ("7.png", SAMPLE)}).json()[0]
        image = {"path": path, "meta": {"_type": "gradio.FileData"}}
        sent = {"data": [image, "mnist", ["mini_resnet"], False, explain], "session_hash": self.session}
        event = self.http.post("/call/compare", json=sent).json().get("event_id")
        return "event: complete" in self.http.get(f"/call/compare/{event}").text


@contextmanager
def flooded(url: str, component: int, do: str) -> Iterator[None]:
    """Run a process that keeps `IN_FLIGHT` requests open.

    Its priority is the lowest, as a remote client takes no processor time of the app.
    """
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=flood, args=(url, component, do), daemon=True)
    process.start()
    time.sleep(10)
    try:
        yield
    finally:
        process.terminate()
        process.join()
        time.sleep(5)


def flood(url: str, component: int, do: str) -> None:
    os.nice(19)
    Client.number = itertools.count(1, 2)

    def keep_sending(number: int) -> None:
        client = Client(url, component, FLOOD, f"flood of {do} {number}")
        while True:
            try:
                is_answered = getattr(client, do)()
            except (httpx.HTTPError, ValueError):
                is_answered = False
            if not is_answered:
                time.sleep(0.1)  # refused: without the pause, the speed of this process would be measured

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(keep_sending, range(IN_FLIGHT)))


def seconds(work: Callable[[], bool], rounds: int = ROUNDS) -> float:
    """The median of some rounds, fewer where they take too long; infinity where one is refused."""
    times: list[float] = []
    while len(times) < rounds and sum(times) < LONGEST / 3:
        start = time.perf_counter()
        try:
            if not work():
                return float("inf")  # refused: the flood locks others out
        except httpx.TimeoutException:
            return float("inf")
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    with started() as (_, url):
        config = json.load(urllib.request.urlopen(f"{url}/config"))
        component = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "compare-page")
        visitor = Client(url, component, VISITOR, "visitor")
        works = {"a drawing": visitor.drawing, "a heat map": visitor.heat_map, "/compare": visitor.compare}
        alone = {}
        for name, work in works.items():
            work()  # the networks are loaded
            alone[name] = seconds(work)
        print("| beside 60 of | " + " | ".join(works) + " |\n|---|" + "---:|" * len(works))
        print("| alone | " + " | ".join(f"{each:.2f} s" for each in alone.values()) + " |", flush=True)
        for name, function in (("drawings", "drawing"), ("heat maps", "heat_map"), ("calls of /compare", "compare")):
            with flooded(url, component, function):
                found = {each: seconds(work) for each, work in works.items()}
            cells = " | ".join(f"{found[each]:.2f} s ({found[each] / alone[each]:.1f}×)" for each in works)
            print(f"| {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
