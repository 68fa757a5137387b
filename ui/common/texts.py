"""Every string of the page, in English and in 简体中文.

`ui/locales/zh.json` holds all of them. In English, `ui/locales/en.json` holds those of the page, `cnn_models.messages`
those of errors, and each architecture its summary.

`say` returns a text in the language that a request names. Text that does not change is put into HTML with `mark`
or `attribute` instead: in English, until `language.js` puts it into the visitor's language in the browser.
`gr.I18n` reaches the labels of gradio's own components only, and has no switch on the page.
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
    """A text that is a value in another."""

    key: str


def say(language: str, key: str, **values: object) -> str:
    """The text of a key, its `{names}` filled in, errors in that language too.

    Raises KeyError for a key or a language that is not there.
    """
    if language not in TEXTS:
        raise KeyError(f"no texts in {language!r:.20}; there are {', '.join(TEXTS)}")
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
    """An HTML element that shows a text in the visitor's language; `tag` may carry attributes."""
    return Markup(f"<{tag} {_data('text', key, values)}>{note_html(say('en', key, **values))}</{tag.split()[0]}>")


def attribute(name: str, key: str, **values: object) -> Markup:
    """An HTML attribute (`title`, `aria-label`, `alt` or `placeholder`) in the visitor's language."""
    return Markup(f'{name}="{escape(say("en", key, **values))}" {_data(f"text-{name}", key, values)}')


def translate(language: str, error: Exception) -> str:
    """The message of an error; any but a TranslatableError stays as it is."""
    return say(language, error.code, **error.values) if isinstance(error, TranslatableError) else str(error)


def mark_error(error: Exception) -> Markup:
    """An HTML element with the message of an error in the visitor's language; see `translate`."""
    return mark(error.code, **error.values) if isinstance(error, TranslatableError) else note_html(str(error))


def note_html(note: str) -> Markup:
    """A sentence with the `commands` in it set as code that may break at dots and underscores."""
    parts = str(escape(note)).split("`")
    for odd in range(1, len(parts), 2):
        parts[odd] = f"<code>{parts[odd].replace('.', '.<wbr>').replace('_', '_<wbr>')}</code>"
    return Markup("".join(parts))


def language_of(headers: Mapping[str, str]) -> str:
    """The language of a browser, where a request names none itself."""
    return "zh" if headers.get("accept-language", "").lower().startswith("zh") else "en"


def _data(name: str, key: str, values: dict[str, object]) -> str:
    written = json.dumps(values, ensure_ascii=False, default=_nested)
    filled = f' data-values="{escape(written)}"' if values else ""
    return f'data-{name}="{key}"{filled}'


def _nested(value: object) -> object:
    """A text or an error among the values, as `texts.js` reads it; whatever else came as a value, as it reads."""
    if isinstance(value, Text):
        return {"key": value.key}
    if isinstance(value, TranslatableError):
        return {"key": value.code, "values": value.values}
    return str(value)
