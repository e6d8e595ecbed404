"""One address for everything that is spoken to with tokens: which path is whose. Plain ASGI; what is nobody's is not there."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

_NOWHERE: Final = json.dumps(
    {"title": "not_found", "status": 404, "code": "not_found", "fault": "yours", "detail": "there is nothing here"}
).encode()


class House:
    """An ASGI application of several, each at its own paths: `/mcp` is that path alone, `/v1/*` is whatever is below."""

    def __init__(
        self, rooms: Mapping[str, App], *, end: Callable[[], None], finish: Callable[[], Awaitable[None]]
    ) -> None:
        self._exact = {path: app for path, app in rooms.items() if not path.endswith("/*")}
        self._below = {path[:-1]: app for path, app in rooms.items() if path.endswith("/*")}
        self.end = end
        """To be called when the server is about to end, so that what would never end by itself does."""
        self.finish = finish
        """Waits until what was begun beside the answers is over."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request to whose path it is."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        app = self._exact.get(path) or next((app for begin, app in self._below.items() if path.startswith(begin)), None)
        if app is None:
            headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(_NOWHERE))]
            await send({"type": "http.response.start", "status": 404, "headers": headers})
            await send({"type": "http.response.body", "body": _NOWHERE})
            return
        await app(scope, receive, send)
