"""Errors whose message is for a person, in whatever language that person reads."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from copy import copy

from cnn_models.messages import MESSAGES


class TranslatableError(ValueError):
    """A code of MESSAGES with its values, each a string or another such error; `str` is the English message.

    Raises KeyError for an unknown code or a missing value.
    """

    def __init__(self, code: str, **values: object):
        self.code = code
        self.values = {  # a copy of an error keeps no frames alive
            name: copy(value) if isinstance(value, TranslatableError) else str(value) for name, value in values.items()
        }
        super().__init__(MESSAGES[code].format(**self.values))

    def __copy__(self) -> TranslatableError:
        """The same error without its traceback; subclasses need not take a code."""
        twin = type(self).__new__(type(self))
        twin.args, twin.code, twin.values = self.args, self.code, self.values
        return twin


class ImageError(TranslatableError):
    """An image that cannot be used."""


class Refused(TranslatableError):
    """A value from outside that cannot be used. The message quotes its beginning, as it may be of any length."""


class UnknownName(Refused, KeyError):
    """A name that is none of the known ones."""

    __str__ = ValueError.__str__  # that of KeyError quotes

    def __init__(self, name: object, known: Iterable[str]):
        super().__init__("value.name", name=reprlib.repr(name), known=", ".join(known))
