"""Providers of models over HTTP, by httpx: connections are kept and used again, redirects are not followed, nothing is retried.

Whether anything left this machine is told by the client's own trace, so that what was never asked costs nobody anything. Of the
answer's headers a few names pass; the key passes in one direction only.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import anyio
import httpx

from interlock.adapters.exchange import Sending
from interlock.adapters.references import NoSecret, is_reference, secret_at
from interlock.domain.errors import KeyFileError, ModelNotAnswered
from interlock.domain.model_route import Provider

_PASSED: Final = ("x-request-id", "retry-after", "openai-processing-ms", "openai-version")
_LONGEST: Final = 200
_CONNECT_S: Final = 10.0
_KEPT_S: Final = 30.0
_MASK: Final = b"[masked: key]"


class HttpProviders:
    """`ports.model_provider.ModelProviders`. Paths of keys are below `folder`."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._folder = folder
        self._environ = environ
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def ask(self, provider: Provider, path: str, body: bytes, *, timeout_ms: int) -> AsyncGenerator["_Begun"]:
        """See `ModelProviders`."""
        key = self._secret(provider, provider.key) if provider.key else ""
        headers = {
            name: self._secret(provider, value) if is_reference(value) else value
            for name, value in provider.headers.items()
        }
        if key:
            headers["authorization"] = f"Bearer {key}"
        sending, within = Sending(), timeout_ms / 1000
        message = self._connected().build_request(
            "POST",
            f"{provider.url}{path}",
            content=body,
            headers={**headers, "content-type": "application/json"},
            timeout=httpx.Timeout(within, connect=min(within, _CONNECT_S), pool=within),
            extensions={"trace": sending.trace},
        )
        try:
            with anyio.fail_after(within):
                response = await self._connected().send(message, stream=True)
        except TimeoutError:
            raise ModelNotAnswered(f"`{provider.name}` did not answer in time", sent=sending.begun, slow=True) from None
        except httpx.TimeoutException:
            raise ModelNotAnswered(f"`{provider.name}` did not answer in time", sent=sending.begun, slow=True) from None
        except (httpx.HTTPError, httpx.InvalidURL, anyio.BrokenResourceError, OSError) as error:
            raise ModelNotAnswered(f"`{provider.name}` {_failed(error)}", sent=sending.begun) from None
        try:
            yield _Begun(response, provider.name, key)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def close(self) -> None:
        """Let go of the connections. A later question opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    def _secret(self, provider: Provider, reference: str) -> str:
        try:
            found = secret_at(reference, self._folder, self._environ)
        except NoSecret as error:
            raise KeyFileError(
                f"the key of `{provider.name}` cannot be read: {error}",
                next_step=f"`models: providers: {provider.name}` in interlock.yaml says where it is",
            ) from None
        if not (found.isascii() and found.isprintable()):
            raise KeyFileError(f"the key of `{provider.name}` is no word that can be sent in a header")
        return found

    def _connected(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            self._client = httpx.AsyncClient(
                follow_redirects=False,
                headers={"accept-encoding": "identity", "user-agent": "interlock"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=_KEPT_S),
            )
        return self._client


class _Begun:
    """`ports.model_provider.Answer`."""

    def __init__(self, response: httpx.Response, who: str, key: str) -> None:
        self._response = response
        self._who = who
        self._key = key.encode()
        self.status = response.status_code
        self.kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.headers = {name: said[:_LONGEST] for name in _PASSED if (said := response.headers.get(name, ""))}

    async def pieces(self) -> AsyncIterator[bytes]:
        """See `Answer`."""
        if self._response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            raise ModelNotAnswered(f"`{self._who}` packed its answer, which nobody asked for", sent=True)
        try:
            async for piece in self._response.aiter_raw():
                yield piece
        except httpx.TimeoutException:
            raise ModelNotAnswered(f"`{self._who}` fell silent in its answer", sent=True, slow=True) from None
        except (httpx.HTTPError, httpx.StreamError, anyio.BrokenResourceError, OSError) as error:
            raise ModelNotAnswered(f"`{self._who}` broke off its answer: {_failed(error)}", sent=True) from None

    def clean(self, body: bytes) -> bytes:
        """See `Answer`."""
        return body.replace(self._key, _MASK) if self._key else body


def _failed(error: Exception) -> str:
    """What became of it, without the words of the other side."""
    match error:
        case httpx.ConnectError():
            return "cannot be reached"
        case httpx.RemoteProtocolError():
            return "answered nothing that is HTTP"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return "has no address that can be asked"
        case _:
            return "let go of the connection"
