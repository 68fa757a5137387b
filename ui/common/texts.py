"""The texts of the page, in English and Chinese.

`ui/locales/zh.json` has all texts in Chinese. In English, `ui/locales/en.json` has those of the page,
`cnn_models.messages` those of errors, and each architecture its summary.

`say` returns a text in the language of a request. `mark` and `attribute` put a text into HTML in English, which
`language.js` translates in the browser. (`gr.I18n` only translates the labels of gradio's components, and offers no
switch on the page.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from cnn_models.architectures import ARCHITECTURES
from cnn_models.errors import TranslatableError
from cnn_models.messages import MESSAGES

LANGUAGES = {"en": "English", "zh": "简体中文"}


def _locale(language: str) -> dict[str, str]:
    return json.loads((Path(__file__).parents[1] / "locales" / f"{language}.json").read_text(encoding="utf-8"))


SUMMARIES = {f"summary.{name}": spec.summary for name, spec in ARCHITECTURES.items()}
TEXTS = {"en": _locale("en") | MESSAGES | SUMMARIES, "zh": _locale("zh")}
"""Language to key to text."""


@dataclass(frozen=True)
class Text:
    """A text as a value in another text."""

    key: str


def say(language: str, key: str, **values: object) -> str:
    """The text of a key with its `{names}` filled in; errors and texts among the values are translated.

    Raises KeyError for an unknown key or language.
    """
    if language not in TEXTS:
        raise KeyError(f"no texts in {language!r:.20}; known are {', '.join(TEXTS)}")
    text = TEXTS[language][key]
    filled = {
        name: translate(language, value)
        if isinstance(value, TranslatableError)
        else say(language, value.key)
        if isinstance(value, Text)
        else value
        for name, value in values.items()
    }
    return text.format(**filled) if values else text


def mark(key: str, tag: str = "span", **values: object) -> Markup:
    """An HTML element with a text in the visitor's language; `tag` may have attributes."""
    return Markup(f"<{tag} {_data('text', key, values)}>{note_html(say('en', key, **values))}</{tag.split()[0]}>")


def attribute(name: str, key: str, **values: object) -> Markup:
    """An HTML attribute (`title`, `aria-label`, `alt` or `placeholder`) with a text in the visitor's language."""
    return Markup(f'{name}="{escape(say("en", key, **values))}" {_data(f"text-{name}", key, values)}')


def translate(language: str, error: Exception) -> str:
    """The message of an error in a language; of any but a TranslatableError, its own."""
    return say(language, error.code, **error.values) if isinstance(error, TranslatableError) else str(error)


def mark_error(error: Exception) -> Markup:
    """`translate` as an HTML element in the visitor's language."""
    return mark(error.code, "span", **error.values) if isinstance(error, TranslatableError) else note_html(str(error))


def note_html(note: str) -> Markup:
    """A sentence as HTML; `commands` in it are code, which may break after dots and underscores."""
    parts = str(escape(note)).split("`")
    for odd in range(1, len(parts), 2):
        parts[odd] = f"<code>{parts[odd].replace('.', '.<wbr>').replace('_', '_<wbr>')}</code>"
    return Markup("".join(parts))


def language_of(headers: Mapping[str, str]) -> str:
    """The language of a browser by the headers of its request."""
    return "zh" if headers.get("accept-language", "").lower().startswith("zh") else "en"


def _data(name: str, key: str, values: dict[str, object]) -> str:
    written = json.dumps(values, ensure_ascii=False, default=_nested)
    filled = f' data-values="{escape(written)}"' if values else ""
    return f'data-{name}="{key}"{filled}'


def _nested(value: object) -> object:
    """A text or an error among the values, in the form that `texts.js` reads; other values as strings."""
    if isinstance(value, Text):
        return {"key": value.key}
    if isinstance(value, TranslatableError):
        return {"key": value.code, "values": value.values}
    return str(value)
