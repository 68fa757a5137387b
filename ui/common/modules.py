"""The page's JavaScript: the ES modules beside the Python of each tab, and how gradio's components call them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parents[1]
MODULES = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in sorted(FOLDER.rglob("*.js"))}
"""Name, such as `compare/tab.js`, to content."""
# Part of every address, so that browsers keep modules for good, and a page never mixes those of two releases.
VERSION = sha256(repr(MODULES).encode()).hexdigest()[:16]
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FIRST = ("common/", "compare/")  # what the first tab imports, directly or not


def on_load(name: str) -> str:
    """The `js_on_load` of a `gr.HTML` whose module exports `mount`."""
    return f"{_import(name)}.then(({{ mount }}) => mount({{ element, props, server, trigger, upload, watch }}));"


def event_js(name: str, function: str, *values: object) -> str:
    """The `js` of an event: what the module's function makes of the list of inputs and of further values."""
    further = "".join(f", {json.dumps(value)}" for value in values)
    return f"async (...inputs) => (await {_import(name)}).{function}(inputs{further})"


def first() -> list[str]:
    """The addresses of the first tab's modules, which the page's head begins to load."""
    return [_address(name) for name in MODULES if name.startswith(FIRST)]


async def serve(request: Request) -> Response:
    """A module of this version; 404 for any other name."""
    content = MODULES.get(request.path_params["name"]) if request.path_params["version"] == VERSION else None
    if content is None:
        return Response(status_code=404)
    return Response(content, media_type="text/javascript", headers=FOREVER)


def _import(name: str) -> str:
    # Code that is made from a string, as gradio does, has no address of its own that all browsers agree on.
    return f"import(new URL({json.dumps(_address(name))}, document.baseURI))"


def _address(name: str) -> str:
    """Relative to the page, which a proxy may show below any path. Raises KeyError for a module that is not there."""
    MODULES[name]
    return f"modules/{VERSION}/{name}"
