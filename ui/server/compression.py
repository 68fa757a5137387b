"""Compression of the page and of the results of server functions."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send


class Compression(GZipMiddleware):
    """Gzip for responses under paths without an extension; gradio compresses those with one, such as .js."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "." in scope.get("path", "").rpartition("/")[2]:
            return await self.app(scope, receive, send)
        return await super().__call__(scope, receive, send)
