"""Questions of many visitors at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnn_models.visitors import Visitor
from ui.compare import batches
from ui.compare.batches import MOST, Batches


def waits(ask):
    """How many questions wait."""
    return sum(len(queue) for sessions in ask._waiting._queues.values() for queue in sessions.values())


@pytest.fixture
def busy(monkeypatch):
    """`busy(work, alike)`: Batches whose only turn is taken by a question until `begin` is called, and `asked`."""
    monkeypatch.setattr(batches.os, "cpu_count", lambda: 1)
    gate, begun, pool = threading.Event(), threading.Event(), ThreadPoolExecutor(50)

    def make(work, alike, by=lambda question: Visitor("one house", str(question))):
        def waiting(questions):
            if questions == ["first"]:
                begun.set()
                gate.wait()
            return work(questions)

        ask = Batches(waiting, alike, by)
        pool.submit(ask, "first")
        begun.wait()

        def asked(*questions):
            found = []
            for question in questions:  # one after another, so that their order is known
                found.append(pool.submit(ask, question))
                while waits(ask) < len(found):
                    pass
            gate.set()
            return found

        return asked

    yield make
    gate.set()
    pool.shutdown()


def test_who_waits_for_the_same_is_answered_together(busy):
    seen = []
    asked = busy(lambda questions: seen.append(questions) or [2 * each for each in questions], type)
    found = asked(1, 0.5, *range(2, MOST + 3), 1.5)
    assert [each.result() for each in found] == [2, 1, *range(4, 2 * MOST + 6, 2), 3]
    assert seen == [["first"], [1, *range(2, MOST + 1)], [0.5, 1.5], [MOST + 1, MOST + 2]]


def test_an_error_is_of_those_who_asked_together(busy):
    asked = busy(lambda questions: [1 / each for each in questions] if questions != ["first"] else [0], bool)
    wrong, right = asked(0, 4)
    assert right.result() == 0.25
    with pytest.raises(ZeroDivisionError):
        wrong.result()


def test_who_floods_makes_others_wait_for_one_question(busy):
    seen = []
    by = lambda question: Visitor(str(question)[0], str(question)[-1])  # noqa: E731
    asked = busy(lambda questions: seen.append(questions) or questions, lambda question: 0, by)
    found = asked("a1", "a 1", "a  1", "a2", "b1", "c1")
    assert {each.result() for each in found} == {"a1", "a 1", "a  1", "a2", "b1", "c1"}
    assert seen[1] == ["a1", "b1", "c1"]  # one of each address
    assert seen[2:] == [["a2"], ["a 1"], ["a  1"]]  # and so on, as the others may ask again; sessions take turns


def test_a_session_is_answered_in_order(busy):
    seen = []
    asked = busy(lambda questions: seen.extend(questions) or questions, type, lambda question: Visitor())
    assert [each.result() for each in asked(1, 2, 3)] == [1, 2, 3]
    assert seen == ["first", 1, 2, 3]
