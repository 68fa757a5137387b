"""The command line of the app."""

import argparse
import sys
from collections import Counter

import pytest

from app import build, main, size
from cnn_models import ModelHub


@pytest.mark.parametrize(("text", "bytes"), [("800M", 8e8), ("1.5G", 1.5e9), ("2gb", 2e9)])
def test_size(text, bytes):
    assert size(text) == bytes


@pytest.mark.parametrize("text", ["", "800", "-1G", "1T", "G"])
def test_size_that_is_none(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"write it as 800M or 1.5G"):
        size(text)


def test_a_namespace_that_is_none(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["app.py", "--namespace", "some/one"])
    with pytest.raises(SystemExit):
        main()
    assert "error: 'some/one' is not the name of a user or organisation on the Hub" in capsys.readouterr().err


def test_controls_of_one_thing_share_an_event():
    """Else two answers could come in the other order, and the older one would stay."""
    events = build(ModelHub()).fns.values()
    by_input = [event for event in events if any(name == "input" for _, name in event.targets)]
    writers = Counter(output._id for event in by_input for output in event.outputs)
    assert len(writers) > 10 and set(writers.values()) == {1}
