"""Every string of the page, in English and in 简体中文.

Python says a text with `say`, in the language that a request names. Text that stands still is put into HTML with `mark`
or `attribute` instead: it is English until `language.js` says it in the visitor's language, there and then.
`gr.I18n` reaches the labels of gradio's own components only, and has no switch on the page.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

LANGUAGES = {"en": "English", "zh": "简体中文"}

TEXTS: dict[str, tuple[str, str]] = {
    # The page.
    "page.motto": ("Draw once, and every classic CNN answers side by side.", "画一笔，经典卷积网络并排作答。"),
    "page.language": ("Language", "语言"),
    "tab.compare": ("Compare", "对比"),
    "tab.layers": ("Layers", "逐层"),
    "tab.training": ("Training", "训练"),
    "dataset.digits": ("Digits", "数字"),
    "dataset.clothing": ("Clothing", "服饰"),
    "dataset.choose": ("Data set", "数据集"),
}


def say(language: str, key: str, **values: object) -> str:
    """The text of a key, its `{names}` filled in. Raises KeyError for a key or a language that is not there."""
    text = TEXTS[key][list(LANGUAGES).index(language) if language in LANGUAGES else _unknown(language)]
    return text.format(**values) if values else text


def mark(key: str, tag: str = "span", **values: object) -> str:
    """An HTML element that shows a text in the visitor's language."""
    return f"<{tag} {_data('text', key, values)}>{escape(say('en', key, **values))}</{tag}>"


def attribute(name: str, key: str, **values: object) -> str:
    """An HTML attribute (`title`, `aria-label`, `alt` or `placeholder`) in the visitor's language."""
    return f'{name}="{escape(say("en", key, **values), quote=True)}" {_data(f"text-{name}", key, values)}'


def script() -> str:
    """The `<script>` for the head of the page: all texts, and what says them."""
    table = json.dumps(TEXTS, ensure_ascii=False).replace("<", "\\u003c")
    code = (Path(__file__).parent / "language.js").read_text(encoding="utf-8")
    constants = f"const TEXTS = {table}; const LANGUAGES = {json.dumps(list(LANGUAGES))};"
    return f"<script>(() => {{ {constants}\n{code}}})();</script>"


def switch() -> str:
    """The choice of the language, as radio buttons."""
    choices = "".join(
        f'<label lang="{code}"><input type="radio" name="language" value="{code}"><span>{name}</span></label>'
        for code, name in LANGUAGES.items()
    )
    return f'<div class="language" role="radiogroup" {attribute("aria-label", "page.language")}>{choices}</div>'


def _data(name: str, key: str, values: dict[str, object]) -> str:
    filled = f' data-values="{escape(json.dumps(values, ensure_ascii=False), quote=True)}"' if values else ""
    return f'data-{name}="{key}"{filled}'


def _unknown(language: str) -> int:
    raise KeyError(f"no texts in {language!r:.20}; there are {', '.join(LANGUAGES)}")
