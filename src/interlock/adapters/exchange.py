"""One question over HTTP and its whole answer, within bounds: no redirect is followed, nothing is unpacked, and no more is read
than may be. And whether a request left this machine at all.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx

BROKEN: Final = (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError)
"""All that may come of a question and of reading its answer."""


async def exchanged(
    method: str,
    address: str,
    headers: Mapping[str, str],
    content: bytes | str | None = None,
    *,
    auth: httpx.BasicAuth | None = None,
    most_bytes: int,
    timeout_s: float,
    transport: httpx.AsyncBaseTransport | None = None,
    proxied: bool = True,
) -> tuple[int, bytes]:
    """Status and body. `timeout_s` is for each step; whoever must have it all in time bounds the whole.

    `proxied` false: a proxy that the environment names is not used. Raises httpx.HTTPError, httpx.InvalidURL, and ValueError for
    an answer that is too long.
    """
    asked = {"accept-encoding": "identity", **headers}
    async with (
        httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, transport=transport, trust_env=proxied) as client,
        client.stream(method, address, content=content, headers=asked, auth=auth) as answer,
    ):
        body = bytearray()
        async for part in answer.aiter_raw():
            body += part
            if len(body) > most_bytes:
                raise ValueError(f"longer than {most_bytes} bytes")
        return answer.status_code, bytes(body)


class Sending:
    """Watches whether a request left this machine, by the events of https://www.encode.io/httpcore/extensions/#trace."""

    def __init__(self) -> None:
        self.begun = False

    async def trace(self, event: str, _details: Mapping[str, Any]) -> None:
        """Called by the client at every step. A tunnel through a proxy counts as begun: better unsure than wrong."""
        if event.endswith("send_request_headers.started"):
            self.begun = True
