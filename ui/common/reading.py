"""Readers of untrusted values.

Each function of the page and of `/compare` first passes its arguments through these readers. A reader gets the name of
an argument and returns its value, which is of its type and within its bounds. For None, a missing value, it returns the
`default`, if one is given. For any other value it raises Refused with a sentence that names the argument. The page
itself sends only valid values.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, islice
from typing import TypeVar

from cnn_models.errors import Refused, UnknownName, quoted

MOST_VALUES = 1000  # of a list
MOST_CHARACTERS = 10_000  # of a text
MOST_LEVELS = 8  # of lists and objects in each other
T = TypeVar("T")


def known(argument: str, value: object, names: Collection[str], *default: T) -> str | T:
    """One of the names; an empty text is a missing value, too."""
    if isinstance(value, str) and value in names:
        return value
    if default and (value is None or value == ""):
        return default[0]
    raise refused(argument, UnknownName(value, names))


def all_known(argument: str, values: object, names: Collection[str], *default: list[str]) -> list[str]:
    """A list of the names, each once."""
    return list(dict.fromkeys(known(argument, value, names) for value in items(argument, values, *default)))


def items(argument: str, values: object, *default: T, most: int = MOST_VALUES) -> list | T:
    """A list of at most `most` values."""
    if isinstance(values, list) and len(values) <= most:
        return values
    if values is None and default:
        return default[0]
    raise refused(argument, Refused("value.list", value=quoted(values), most=f"{most:,}"))


def fields(argument: str, value: object, *default: T) -> dict | T:
    """A JSON object."""
    if isinstance(value, dict):
        return value
    if value is None and default:
        return default[0]
    raise refused(argument, Refused("value.fields", value=quoted(value)))


def text(argument: str, value: object, most: int = MOST_CHARACTERS) -> str:
    """A text of at most `most` characters."""
    if isinstance(value, str) and len(value) <= most:
        return value
    raise refused(argument, Refused("value.text", value=quoted(value), most=f"{most:,}"))


def flag(argument: str, value: object, *default: T) -> bool | T:
    """True or False."""
    if isinstance(value, bool):
        return value
    if value is None and default:
        return default[0]
    raise refused(argument, Refused("value.flag", value=quoted(value)))


def number(argument: str, value: object, low: float, high: float, *default: T) -> float | T:
    """A number from `low` to `high`; not NaN."""
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return value
    if value is None and default:
        return default[0]
    raise refused(argument, Refused("value.number", value=quoted(value), low=low, high=high))


def whole(argument: str, value: object, low: int, high: int, *default: int) -> int:
    """A number from `low` to `high`, rounded."""
    return round(number(argument, value, low, high, *default))


def check_size(argument: str, value: object) -> None:
    """Raise Refused for a value of more than `MOST_VALUES` values on a level, or of more than `MOST_LEVELS` levels."""
    level = [value]
    for _ in range(MOST_LEVELS):
        nested = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = list(islice(chain.from_iterable(nested), MOST_VALUES + 1))
        if len(level) > MOST_VALUES:
            break
    if level:
        raise refused(argument, Refused("value.size", value=quoted(value), most=f"{MOST_VALUES:,}", levels=MOST_LEVELS))


def refused(argument: str, why: Refused) -> Refused:
    """The error that names the argument."""
    return Refused("value.argument", argument=argument, why=why)
