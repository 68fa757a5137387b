"""Readers return a value within its bounds, the default, or raise an error with a sentence."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_models import DATASETS
from cnn_models.errors import Refused, UnknownName
from tests.strategies import documents
from ui.common import reading

DEFAULT = object()


def are_known(found: list | tuple) -> bool:
    return len(set(found)) == len(found) and {*found} <= {*DATASETS}


# Each reader with a condition on its results.
READERS = {
    "known": (partial(reading.known, names=DATASETS), DATASETS.__contains__),
    "all_known": (partial(reading.all_known, names=DATASETS), are_known),
    "those_known": (partial(reading.those_known, names=DATASETS), are_known),
    "items": (partial(reading.items, most=2), lambda found: type(found) is list and len(found) <= 2),
    "fields": (reading.fields, lambda found: type(found) is dict),
    "text": (partial(reading.text, most=5), lambda found: type(found) is str and len(found) <= 5),
    "flag": (reading.flag, lambda found: type(found) is bool),
    "number": (partial(reading.number, low=-2, high=5), lambda found: -2 <= found <= 5),
    "whole": (partial(reading.whole, low=-2, high=5), lambda found: type(found) is int and -2 <= found <= 5),
}
WITH_DEFAULT = (reading.items, reading.fields, reading.flag)
names = st.sampled_from([*DATASETS, "cifar10"])


values = documents | names | st.lists(names | documents, max_size=4) | st.floats(-3, 6)


@pytest.mark.parametrize("reader", READERS)
@given(value=values)
def test_any_json_is_read_within_bounds_or_refused_in_a_sentence(reader, value):
    read, is_right = READERS[reader]
    try:
        assert is_right(read(value))
    except (Refused, UnknownName) as error:
        assert " " in str(error) and len(str(error)) < 1000  # noqa: PT017  it may be read or not
        str(error).encode()


@given(value=values)
def test_an_invalid_value_is_replaced_by_the_default(value):
    for read in (partial(reading.known, value, DATASETS), *(partial(each, value) for each in WITH_DEFAULT)):
        found = read(DEFAULT)
        if found is DEFAULT:
            with pytest.raises((Refused, UnknownName)):
                read()
        else:
            assert found is read()
