"""Batches of concurrent requests of many visitors."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnn_models.visitors import Visitor
from ui.compare import batches
from ui.compare.batches import MOST, Batches


def count_waiting(batches):
    """The number of waiting requests."""
    return sum(len(queue) for sessions in batches._waiting._queues.values() for queue in sessions.values())


@pytest.fixture
def busy(monkeypatch):
    """`busy(work, key)` returns `send`: Batches on one core, which is busy until all requests of `send` wait."""
    monkeypatch.setattr(batches.os, "cpu_count", lambda: 1)
    gate, begun, pool = threading.Event(), threading.Event(), ThreadPoolExecutor(50)

    def make(work, key, visitor=lambda request: Visitor("one address", str(request))):
        def waiting(requests):
            if requests == ["first"]:
                begun.set()
                gate.wait()
            return work(requests)

        batched = Batches(waiting, key, visitor)
        pool.submit(batched, "first")
        begun.wait()

        def send(*requests):
            found = []
            for request in requests:  # one after another, so that their order is known
                found.append(pool.submit(batched, request))
                while count_waiting(batched) < len(found):
                    pass
            gate.set()
            return found

        return send

    yield make
    gate.set()
    pool.shutdown()


def test_requests_with_the_same_key_share_a_batch(busy):
    seen = []
    send = busy(lambda requests: seen.append(requests) or [2 * each for each in requests], type)
    found = send(1, 0.5, *range(2, MOST + 3), 1.5)
    assert [each.result() for each in found] == [2, 1, *range(4, 2 * MOST + 6, 2), 3]
    assert seen == [["first"], [1, *range(2, MOST + 1)], [0.5, 1.5], [MOST + 1, MOST + 2]]


def test_an_error_is_raised_for_its_batch_only(busy):
    send = busy(lambda requests: [1 / each for each in requests] if requests != ["first"] else [0], bool)
    wrong, right = send(0, 4)
    assert right.result() == 0.25
    with pytest.raises(ZeroDivisionError):
        wrong.result()


def test_a_flood_delays_others_by_one_request(busy):
    seen = []
    echo = lambda requests: seen.append(requests) or requests  # noqa: E731
    send = busy(echo, lambda request: 0, lambda request: Visitor(request[0], request[-1]))
    found = send("a1", "a 1", "a  1", "a2", "b1", "c1")
    assert {each.result() for each in found} == {"a1", "a 1", "a  1", "a2", "b1", "c1"}
    assert seen[1] == ["a1", "b1", "c1"]  # one of each address
    assert seen[2:] == [["a2"], ["a 1"], ["a  1"]]  # also now, as the others were active; sessions take turns


def test_a_session_keeps_its_order(busy):
    seen = []
    send = busy(lambda requests: seen.extend(requests) or requests, type, lambda request: Visitor())
    assert [each.result() for each in send(1, 2, 3)] == [1, 2, 3]
    assert seen == ["first", 1, 2, 3]
