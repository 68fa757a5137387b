"""Errors whose message is for a person, in whatever language that person reads."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from copy import copy

UNKNOWN = "unknown name {name}; known are {known}"


class TranslatableError(ValueError):
    """The message is a sentence: what is wrong and what to do.

    Its parts are kept, so that it can be said in another language: the `sentence` with `{names}`, and their `values`,
    each a string or another such error (a copy, which keeps no frames alive).
    """

    def __init__(self, sentence: str, **values: object):
        self.sentence = sentence
        self.values = {
            name: copy(value) if isinstance(value, TranslatableError) else str(value) for name, value in values.items()
        }
        super().__init__(sentence.format(**self.values) if values else sentence)


class PictureError(TranslatableError):
    """A picture that cannot be used."""


class Refused(TranslatableError):
    """A value from outside that cannot be used. The message quotes its beginning, as it may be of any length."""


class UnknownName(Refused, KeyError):
    """A name that is none of the known ones."""

    __str__ = ValueError.__str__  # that of KeyError quotes

    def __init__(self, name: object, known: Iterable[str]):
        super().__init__(UNKNOWN, name=reprlib.repr(name), known=", ".join(known))
