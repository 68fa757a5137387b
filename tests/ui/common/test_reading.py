"""Readers return a value within its bounds, the default if it is missing, or raise an error that names the argument."""

from __future__ import annotations

import math
import time
from functools import partial, reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_models import DATASETS
from cnn_models.errors import Refused
from tests.strategies import documents
from ui.common import reading

DEFAULT = object()


def are_known(found: list | tuple) -> bool:
    return len(set(found)) == len(found) and {*found} <= {*DATASETS}


# Each reader of an argument with a condition on its results.
READERS = {
    "known": (partial(reading.known, "x", names=DATASETS), DATASETS.__contains__),
    "all_known": (partial(reading.all_known, "x", names=DATASETS), are_known),
    "items": (partial(reading.items, "x", most=2), lambda found: type(found) is list and len(found) <= 2),
    "fields": (partial(reading.fields, "x"), lambda found: type(found) is dict),
    "text": (partial(reading.text, "x", most=5), lambda found: type(found) is str and len(found) <= 5),
    "flag": (partial(reading.flag, "x"), lambda found: type(found) is bool),
    "number": (partial(reading.number, "x", low=-2, high=5), lambda found: -2 <= found <= 5),
    "whole": (partial(reading.whole, "x", low=-2, high=5), lambda found: type(found) is int and -2 <= found <= 5),
}
WITH_DEFAULT = {
    "known": lambda value, *default: reading.known("x", value, DATASETS, *default),
    "items": partial(reading.items, "x"),
    "fields": partial(reading.fields, "x"),
    "flag": partial(reading.flag, "x"),
    "number": lambda value, *default: reading.number("x", value, -2, 5, *default),
}
names = st.sampled_from([*DATASETS, "cifar10"])


values = documents | names | st.lists(names | documents, max_size=4) | st.floats(-3, 6)
HUGE = {
    "nan": math.nan, "infinity": math.inf, "-infinity": -math.inf, "huge": 10**30, "negative": -(10**30),
    "deep": reduce(lambda inner, _: [inner], range(10_000), []), "long": [1] * 10**6,
    "long names": ["mnist"] * 10**6, "object": dict.fromkeys(map(str, range(10**6))), "text": "x" * 10**6,
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@given(value=values)
def test_any_json_is_read_within_bounds_or_refused_in_a_sentence_that_names_the_argument(reader, value):
    read, is_right = READERS[reader]
    try:
        assert is_right(read(value))
    except Refused as error:
        assert str(error).startswith("x: ") and len(str(error)) < 1000  # noqa: PT017  it may be read or not
        str(error).encode()


@pytest.mark.parametrize("name", HUGE)
def test_a_value_of_any_size_is_refused_at_once(name):
    value = HUGE[name]
    for reader, (read, _) in READERS.items():
        if (reader, name) not in (("fields", "object"), ("items", "deep")):  # which these read
            start = time.perf_counter()
            with pytest.raises(Refused, match=r"^x: "):
                read(value)
            assert time.perf_counter() - start < 0.02, reader


@pytest.mark.parametrize("name", HUGE)
def test_the_size_of_a_value_is_checked_at_once(name):
    start = time.perf_counter()
    if name in ("deep", "long", "long names", "object"):
        for value in (HUGE[name], {"a": [HUGE[name]]}):
            with pytest.raises(Refused, match=r"^x: .* has more than 1,000 values or 8 levels"):
                reading.check_size("x", value)
    else:
        reading.check_size("x", HUGE[name])
    assert time.perf_counter() - start < 0.02


@given(value=values)
def test_only_a_missing_value_is_replaced_by_the_default(value):
    for name, read in WITH_DEFAULT.items():
        is_missing = value is None or (name == "known" and value == "")
        assert (read(None, DEFAULT) is DEFAULT) and (not is_missing or read(value, DEFAULT) is DEFAULT)
        if not is_missing:
            try:
                found = read(value)
            except Refused:
                with pytest.raises(Refused):
                    read(value, DEFAULT)
            else:
                assert found is read(value, DEFAULT)
