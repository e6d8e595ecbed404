"""What puts a credential on each request to a server, below everything that could show it, and takes it out of what comes back.

On 401 the token is renewed once and the request sent once more: the server refused it, so nothing was done. A server that
writes the credential into an answer is answered for: whoever asked reads a mask.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Final, Protocol, cast

import httpx2

from interlock.domain.errors import EffectorError

MASK: Final = b"[masked: credential]"


class TokenSource(Protocol):
    """Gives tokens."""

    async def token(self, *, instead_of: str = "") -> str:
        """One that counts; another than `instead_of`. Raises EffectorError."""
        ...


class Authorised(httpx2.AsyncBaseTransport):
    """Sends requests with a token, where there is a source of them. `secrets` are masked in answers besides."""

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, tokens: TokenSource | None, secrets: Iterable[str] = ()
    ) -> None:
        self._inner = inner
        self._tokens = tokens
        self._secrets = list(secrets)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request. Raises ConnectError, with nothing sent, where no token can be had."""
        if self._tokens is None:
            response = await self._inner.handle_async_request(request)
            return _masked(response, self._secrets) if self._secrets else response
        try:
            token = await self._tokens.token()
        except EffectorError as error:
            raise httpx2.ConnectError(error.detail, request=request) from None
        await request.aread()  # so that it can be sent again
        request.headers["authorization"] = f"Bearer {token}"
        response = await self._inner.handle_async_request(request)
        used = [*self._secrets, token]
        if response.status_code == 401:
            try:
                token = await self._tokens.token(instead_of=token)
            except EffectorError:
                return _masked(response, used)
            await response.aclose()
            used.append(token)
            request.headers["authorization"] = f"Bearer {token}"
            response = await self._inner.handle_async_request(request)
        return _masked(response, used)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _masked(response: httpx2.Response, secrets: list[str]) -> httpx2.Response:
    stream = cast(httpx2.AsyncByteStream, response.stream)
    response.stream = Masked(stream, [each.encode() for each in secrets])
    for name, value in list(response.headers.items()):
        if any(each in value for each in secrets):
            del response.headers[name]
    response.headers.pop("content-length", None)  # a mask is longer or shorter than what it stands for
    return response


class Masked(httpx2.AsyncByteStream):
    """A body in which each of some secrets is replaced by a mask, wherever it is cut into pieces; nothing else is held back."""

    def __init__(self, inner: httpx2.AsyncByteStream, secrets: Iterable[bytes]) -> None:
        self._inner = inner
        # As JSON may write it, too.
        self._secrets = sorted({each for one in secrets for each in (one, one.replace(b"/", b"\\/"))}, key=len)[::-1]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        kept = b""
        async for chunk in self._inner:
            kept += chunk
            for each in self._secrets:
                kept = kept.replace(each, MASK)
            back = max(_begun(kept, each) for each in self._secrets)
            ready, kept = (kept[:-back], kept[-back:]) if back else (kept, b"")
            if ready:
                yield ready
        if kept:
            yield kept

    async def aclose(self) -> None:
        """Read no further."""
        await self._inner.aclose()


def _begun(text: bytes, secret: bytes) -> int:
    """How many bytes at the end of `text` may be the beginning of `secret`."""
    tail = text[-(len(secret) - 1) :] if len(secret) > 1 else b""
    at = tail.find(secret[:1])
    while at >= 0 and not secret.startswith(tail[at:]):
        at = tail.find(secret[:1], at + 1)
    return len(tail) - at if at >= 0 else 0
