"""The ES modules of the page, and the JavaScript with which gradio's components call them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parents[1]
MODULES = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in sorted(FOLDER.rglob("*.js"))}
"""Name, such as `compare/tab.js`, to content."""
# In every address: browsers cache modules without limit, and a page never mixes two releases.
VERSION = sha256(repr(MODULES).encode()).hexdigest()[:16]
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FIRST = ("common/", "compare/")  # imported by the first tab, directly or not


def on_load(name: str) -> str:
    """The `js_on_load` of a `gr.HTML` whose module exports `mount`."""
    return f"{_import(name)}.then(({{ mount }}) => mount({{ element, trigger, watch }}));"


def event_js(name: str, function: str, *values: object) -> str:
    """The `js` of an event: a call of the module's function with the list of inputs and further values."""
    further = "".join(f", {json.dumps(value)}" for value in values)
    return f"async (...inputs) => (await {_import(name)}).{function}(inputs{further})"


def first() -> list[str]:
    """The addresses of the first tab's modules, for preloading."""
    return [_address(name) for name in MODULES if name.startswith(FIRST)]


async def serve(request: Request) -> Response:
    """The response with a module of this version; 404 for any other."""
    content = MODULES.get(request.path_params["name"]) if request.path_params["version"] == VERSION else None
    if content is None:
        return Response(status_code=404)
    return Response(content, media_type="text/javascript", headers=FOREVER)


def _import(name: str) -> str:
    # Absolute, as gradio evaluates this from a string, whose base address differs between browsers.
    return f"import(new URL({json.dumps(_address(name))}, document.baseURI))"


def _address(name: str) -> str:
    """The address of a module relative to the page. Raises KeyError for an unknown one."""
    MODULES[name]
    return f"modules/{VERSION}/{name}"
