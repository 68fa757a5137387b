"""Readers of untrusted values.

Each function of the page and of `/compare` first passes its arguments through these readers. A reader returns a value
of its type and within its bounds. For any other value it returns the `default`, if it is given, else it raises Refused.
The page itself sends only valid values.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection
from typing import TypeVar

from cnn_models.errors import Refused, UnknownName

MOST_VALUES = 1000  # of a list
MOST_CHARACTERS = 10_000  # of a text
T = TypeVar("T")


def known(value: object, names: Collection[str], *default: T) -> str | T:
    """One of the names. Raises UnknownName."""
    if isinstance(value, str) and value in names:
        return value
    if default:
        return default[0]
    raise UnknownName(value, names)


def all_known(values: object, names: Collection[str]) -> list[str]:
    """A list of the names, each once. Raises UnknownName."""
    return list(dict.fromkeys(known(value, names) for value in items(values)))


def those_known(values: object, names: Collection[str]) -> tuple[str, ...]:
    """The names in a list, each once, in its order; empty if the value is no list."""
    return tuple(dict.fromkeys(value for value in items(values, ()) if known(value, names, None) is not None))


def items(values: object, *default: T, most: int = MOST_VALUES) -> list | T:
    """A list of at most `most` values."""
    if isinstance(values, list) and len(values) <= most:
        return values
    if default:
        return default[0]
    raise Refused("value.list", value=reprlib.repr(values), most=f"{most:,}")


def fields(value: object, *default: T) -> dict | T:
    """A JSON object."""
    if isinstance(value, dict):
        return value
    if default:
        return default[0]
    raise Refused("value.fields", value=reprlib.repr(value))


def text(value: object, most: int = MOST_CHARACTERS) -> str:
    """A text of at most `most` characters."""
    if isinstance(value, str) and len(value) <= most:
        return value
    raise Refused("value.text", value=reprlib.repr(value), most=f"{most:,}")


def flag(value: object, *default: T) -> bool | T:
    """True or False."""
    if isinstance(value, bool):
        return value
    if default:
        return default[0]
    raise Refused("value.flag", value=reprlib.repr(value))


def number(value: object, low: float, high: float, *default: T) -> float | T:
    """A number from `low` to `high`; not NaN."""
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return value
    if default:
        return default[0]
    raise Refused("value.number", value=reprlib.repr(value), low=low, high=high)


def whole(value: object, low: int, high: int, *default: int) -> int:
    """A number from `low` to `high`, rounded."""
    return round(number(value, low, high, *default))
