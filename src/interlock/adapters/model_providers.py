"""Providers of models over HTTP, by httpx: redirects are not followed, nothing is retried.

Whether anything left this machine is told by the client's own trace, so that what was never asked costs nobody anything. Of the
answer's headers a few names pass; the key passes in one direction only.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import httpx

from interlock.adapters.exchange import Sending
from interlock.adapters.model_connections import ModelConnections
from interlock.adapters.references import NoSecret, is_reference, secret_at
from interlock.domain.errors import KeyFileError, ModelNotAnswered
from interlock.domain.model_route import Provider

_PASSED: Final = ("x-request-id", "retry-after", "openai-processing-ms", "openai-version")
_LONGEST: Final = 200
_SHORTEST: Final = 8
"""Characters of a secret: a shorter one stands in what is no secret, too."""
_CONNECT_S: Final = 10.0
_MASK: Final = b"[masked: key]"


class HttpProviders:
    """`ports.model_provider.ModelProviders`. Paths of keys are below `folder`."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._folder = folder
        self._environ = environ
        self._connections = ModelConnections()

    @asynccontextmanager
    async def ask(
        self, provider: Provider, path: str, body: bytes, *, whose: str, timeout_ms: int
    ) -> AsyncGenerator["_Begun"]:
        """See `ModelProviders`."""
        said = {name: value for name, value in provider.headers.items() if not is_reference(value)}
        secrets = {
            name: self._secret(provider, value) for name, value in provider.headers.items() if is_reference(value)
        }
        headers = {**said, **secrets}
        if provider.key:
            secrets["authorization"] = self._secret(provider, provider.key)
            headers["authorization"] = f"Bearer {secrets['authorization']}"
        async with self._connections.of(whose) as client:
            response = await _answered(client, provider, path, body, headers, timeout_ms / 1000)
            try:
                yield _Begun(response, provider.name, secrets.values())
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()

    async def close(self) -> None:
        """Let go of the connections. A later question opens new ones."""
        await self._connections.close()

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


async def _answered(
    client: httpx.AsyncClient, provider: Provider, path: str, body: bytes, headers: Mapping[str, str], within: float
) -> httpx.Response:
    """What begins to come, `within` so many seconds. Raises ModelNotAnswered."""
    sending = Sending()
    try:
        message = client.build_request(
            "POST",
            f"{provider.url}{path}",
            content=body,
            headers={**headers, "content-type": "application/json"},
            timeout=httpx.Timeout(within, connect=min(within, _CONNECT_S), pool=within),
            extensions={"trace": sending.trace},
        )
        with anyio.fail_after(within):
            return await client.send(message, stream=True)
    except (TimeoutError, httpx.TimeoutException):
        raise ModelNotAnswered(f"`{provider.name}` did not answer in time", sent=sending.begun, slow=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, anyio.BrokenResourceError, OSError) as error:
        raise ModelNotAnswered(f"`{provider.name}` {_failed(error)}", sent=sending.begun) from None


class _Begun:
    """`ports.model_provider.Answer`."""

    def __init__(self, response: httpx.Response, who: str, secrets: Collection[str]) -> None:
        self._response = response
        self._who = who
        self._secrets = [each.encode() for each in secrets if len(each) >= _SHORTEST]
        self.status = response.status_code
        self.kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        told = ((name, response.headers.get(name, "").encode("latin-1", "replace")) for name in _PASSED)
        self.headers = {name: self.clean(said).decode("latin-1")[:_LONGEST] for name, said in told if said}

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
        for each in self._secrets:
            body = body.replace(each, _MASK)
        return body


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
