"""How long a visitor waits beside one who floods the app, in times of what it takes alone.

python -m tests.benchmarks.flood
"""

from __future__ import annotations

import itertools
import json
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import httpx

from tests.benchmarks.live import _pictures
from tests.benchmarks.visitors import started
from tests.conftest import ROOT

FLOOD, VISITOR = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))  # as a proxy tells
IN_FLIGHT = 60  # requests of the flood, from as many sessions
ROUNDS = 7
LONGEST = 300  # seconds
SAMPLE = (ROOT / "ui" / "samples" / "mnist.7.png").read_bytes()


class Client:
    """A client with an address of its own, which asks for what no other asks for."""

    pictures = _pictures()
    number = itertools.count()

    def __init__(self, url: str, component: int, headers: dict[str, str], session: str):
        self.http = httpx.Client(base_url=f"{url}/gradio_api", headers=headers, timeout=LONGEST)
        self.component, self.session = component, session

    def _ask(self, function: str, **more: object) -> bool:
        data = {"picture": self.pictures[next(self.number) % len(self.pictures)], **more}
        body = {"data": data, "fn_name": function, "component_id": self.component, "session_hash": self.session}
        return self.http.post("/component_server", json=body).is_success

    def drawing(self) -> bool:
        return self._ask("look")

    def heat_map(self) -> bool:
        return self._ask("why", part="heat")

    def compare(self, explain: bool = False) -> bool:
        path = self.http.post("/upload", files={"files": ("7.png", SAMPLE)}).json()[0]
        picture = {"path": path, "meta": {"_type": "gradio.FileData"}}
        sent = {"data": [picture, "mnist", ["mini_resnet"], False, explain], "session_hash": self.session}
        event = self.http.post("/call/compare", json=sent).json().get("event_id")
        return "event: complete" in self.http.get(f"/call/compare/{event}").text


@contextmanager
def flooded(ask: Callable[[], Client], do: str) -> Iterator[None]:
    """`IN_FLIGHT` requests at a time of a client, again and again."""
    done = threading.Event()

    def flood() -> None:
        client = ask()
        while not done.is_set():
            try:
                is_answered = getattr(client, do)()
            except (httpx.HTTPError, ValueError):
                is_answered = False
            if not is_answered:
                time.sleep(0.1)  # refused: a flood that spins would measure how quickly this process can send

    threads = [threading.Thread(target=flood, daemon=True) for _ in range(IN_FLIGHT)]
    for thread in threads:
        thread.start()
    time.sleep(3)
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join(LONGEST)


def seconds(work: Callable[[], bool], rounds: int = ROUNDS) -> float:
    """The median of some rounds; of those that fit into `LONGEST`, if it takes so long."""
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
    with started() as (_, address):
        url = address.rstrip("/")
        config = json.load(urllib.request.urlopen(f"{url}/config"))
        component = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "compare-page")
        client, numbers = partial(Client, url, component), itertools.count()
        visitor = client(VISITOR, "visitor")
        works = {"a drawing": visitor.drawing, "a heat map": visitor.heat_map, "/compare": visitor.compare}
        alone = {}
        for name, work in works.items():
            work()  # the networks are loaded
            alone[name] = seconds(work)
        print("| beside 60 of | " + " | ".join(works) + " |\n|---|" + "---:|" * len(works))
        print("| alone | " + " | ".join(f"{each:.2f} s" for each in alone.values()) + " |", flush=True)
        for flood in ("drawing", "heat_map", "compare"):
            with flooded(lambda: client(FLOOD, f"flood{next(numbers)}"), flood):
                found = {name: seconds(work) for name, work in works.items()}
            cells = " | ".join(f"{found[name]:.2f} s ({found[name] / alone[name]:.1f}×)" for name in works)
            print(f"| {flood} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
