"""Errors whose message can be translated."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from copy import copy
from itertools import islice

from cnn_models.messages import MESSAGES


class TranslatableError(ValueError):
    """A code of MESSAGES with its values, strings or other such errors; `str` is the English message.

    Raises KeyError for an unknown code or a missing value.
    """

    def __init__(self, code: str, **values: object):
        self.code = code
        self.values = {  # a copy has no traceback, which keeps frames alive
            name: copy(value) if isinstance(value, TranslatableError) else str(value) for name, value in values.items()
        }
        super().__init__(MESSAGES[code].format(**self.values))

    def __copy__(self) -> TranslatableError:
        """The same error without its traceback, for subclasses with any constructor."""
        twin = type(self).__new__(type(self))
        twin.args, twin.code, twin.values = self.args, self.code, self.values
        return twin


class ImageError(TranslatableError):
    """An image that cannot be used."""


class Refused(TranslatableError):
    """An untrusted value that cannot be used. The message quotes only its beginning."""


class _Beginning(reprlib.Repr):
    def repr_dict(self, x: dict, level: int) -> str:
        return super().repr_dict(dict(islice(x.items(), self.maxdict + 1)), level)  # it sorts all fields


quoted = _Beginning().repr
"""The beginning of the repr of a value of any size and depth."""


class UnknownName(Refused, KeyError):
    """A name that is not among the known ones."""

    __str__ = ValueError.__str__  # that of KeyError adds quotes

    def __init__(self, name: object, known: Iterable[str]):
        super().__init__("value.name", name=quoted(name), known=", ".join(known))
