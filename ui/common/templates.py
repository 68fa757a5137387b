"""HTML from the Jinja2 templates beside the Python modules; every value but Markup is escaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ui.common.names import class_mark
from ui.common.numbers import FAINT, percent
from ui.common.texts import TEXTS, attribute, mark, mark_error, note_html, say

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
ENVIRONMENT.globals |= {
    each.__name__: each for each in (attribute, class_mark, mark, mark_error, note_html, say)
}  # fmt: skip
ENVIRONMENT.filters["percent"] = percent
ENVIRONMENT.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
ENVIRONMENT.tests["faint"] = FAINT.__gt__
ENVIRONMENT.tests["key"] = TEXTS["en"].__contains__


def render(template: str, **values: object) -> Markup:
    """The HTML of a template, a path in `ui/`. Raises UndefinedError for a value that is missing."""
    return Markup(ENVIRONMENT.get_template(template).render(**values))
