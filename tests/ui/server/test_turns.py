"""Turns between many visitors."""

import asyncio

import pytest

from cnn_models import fair_queue
from cnn_models.fair_queue import RoundRobin
from cnn_models.visitors import Visitor
from tests.conftest import run_async
from ui.server.turns import BusyError, Turns


async def settle():
    """Run all tasks as far as they go."""
    for _ in range(20):
        await asyncio.sleep(0)


class Bench:
    """A single turn, held until `let_go`, and the names of the tasks that had it since, in order."""

    def __init__(self, **limits):
        self.turns, self.had, self.tasks = Turns(1, **limits), [], {}
        self.gate = asyncio.Event()

    async def hold(self):
        async def holding():
            async with self.turns.turn(Visitor("holder")):
                await self.gate.wait()

        self.tasks["holder"] = asyncio.create_task(holding())
        await settle()

    async def ask(self, address, session="", name=""):
        async def asking():
            async with self.turns.turn(Visitor(address, session)):
                self.had.append(name or address + session)
                await asyncio.sleep(0)

        task = self.tasks[name or address + session] = asyncio.create_task(asking())
        await settle()
        return task

    async def let_go(self):
        self.gate.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


def run(test):
    """A test that runs a coroutine function."""
    return lambda: run_async(test)


@run
async def test_addresses_and_their_sessions_take_turns():
    bench = Bench()
    await bench.hold()
    for name in ("first", "second", "third"):
        await bench.ask("flood", "1", name)
    await bench.ask("flood", "2")
    await bench.ask("quiet")
    await bench.let_go()
    assert bench.had == ["first", "quiet", "flood2", "second", "third"]


@run
async def test_a_visitor_beside_a_flood_is_next():
    bench = Bench()
    await bench.ask("flood")  # had its turn at once
    await bench.hold()
    for name in ("first", "second"):
        await bench.ask("flood", "1", name)
    await bench.ask("quiet")
    await bench.let_go()
    assert bench.had == ["flood", "quiet", "first", "second"]


@run
async def test_too_many_tasks_of_a_visitor_are_refused():
    bench = Bench(per_session=2, per_address=3)
    await bench.hold()
    tasks = [await bench.ask("flood", "1", str(index)) for index in range(4)]
    tasks += [await bench.ask("flood", "2", "other"), await bench.ask("flood", "3", "more")]
    await bench.ask("quiet")
    assert [task.done() for task in tasks] == [False, False, True, True, False, True]
    assert all(isinstance(task.exception(), BusyError) for task in tasks if task.done())
    await bench.let_go()
    assert bench.had == ["0", "quiet", "other", "1"]
    assert not bench.turns._pending and bench.turns._free == 1


@run
async def test_a_cancelled_task_gets_no_turn():
    bench = Bench()
    await bench.hold()
    leaving, staying = await bench.ask("leaving"), await bench.ask("staying")
    leaving.cancel()
    await bench.let_go()
    assert staying.done() and bench.had == ["staying"]
    assert not bench.turns._pending and bench.turns._free == 1


@run
async def test_the_turn_of_a_task_that_is_cancelled_goes_to_the_next():
    bench = Bench()
    await bench.hold()
    leaving, staying = await bench.ask("leaving"), await bench.ask("staying")
    bench.gate.set()
    await asyncio.sleep(0)  # the holder gives the turn back; no other task has run since
    leaving.cancel()
    await asyncio.wait({staying}, timeout=5)
    assert "staying" in bench.had and bench.turns._free == 1


@run
async def test_an_error_gives_the_turn_back():
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with turns.turn(Visitor("a")):
                1 / 0  # noqa: B018
    assert turns._free == 1


def test_a_queue_without_items_is_empty():
    queue = RoundRobin(4)
    for visitor, item in ((Visitor("a", "1"), 1), (Visitor("a", "2"), 2), (Visitor("b"), 3)):
        queue.put(visitor, item)
    assert [item for _, item in queue.heads()] == [1, 3, 2] and queue.active() == 2 and queue.count("a") == 2
    queue.remove(Visitor("a", "2"), 2)
    queue.remove(Visitor("nobody"), 9)
    assert [queue.take(queue.next()), queue.take(Visitor("b"))] == [1, 3]
    assert not queue and queue.next() is None
    for address in "ab":
        queue.release(Visitor(address))
    assert not queue._working


def test_an_address_has_its_share_of_the_places_while_others_are_there(monkeypatch):
    now, queue = fair_queue.time.monotonic(), RoundRobin(4)
    for number in range(6):
        queue.put(Visitor("flood", str(number)), number)
    assert len(list(queue.heads())) == 6  # the only address
    queue.put(Visitor("quiet"), 7)
    for _ in range(3):
        queue.take(queue.next())
    assert queue.next() is None  # two places for the flood, one for the other
    queue.release(Visitor("flood"))
    assert queue.next().address == "flood"
    monkeypatch.setattr(fair_queue.time, "monotonic", lambda: now + fair_queue.RECENT)
    assert len(list(queue.heads())) == 4  # the other is not active any more


def test_an_address_rests_after_a_few_while_others_are_there(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(fair_queue.time, "monotonic", lambda: now[0])
    queue = RoundRobin(2, rest=0.1)
    for number in range(50):
        queue.put(Visitor("flood"), number)

    def served(seconds):
        """The number of items of the flood begun in so many seconds, each of 0.01 s."""
        count = 0
        for _ in range(round(seconds * 100)):
            if visitor := queue.next():
                count += queue.take(visitor) is not None
                queue.release(visitor)
            now[0] += 0.01
        return count

    assert served(0.2) == 20  # the only address
    queue.put(Visitor("quiet"), "x")
    assert queue.take(queue.next()) == "x"  # a new address does not rest
    assert served(1) == pytest.approx(10, abs=1)
    queue.release(Visitor("quiet"))
    now[0] += fair_queue.RECENT
    assert served(0.1) == 10  # the other is not active any more


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),  # /64 of a household
        ("testclient", "testclient"),
    ],
)
def test_the_address_of_a_visitor_is_that_of_the_household(host, address):
    assert Visitor.of(host, None) == (address, "None")
