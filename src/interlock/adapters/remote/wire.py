"""One POST to a control plane, and what its answer means. Nothing is followed, kept or believed that was not asked for.

What decides between *nothing was asked* and *nobody knows* is whether the request began to be sent. Connections are kept and used
again, for less time than the server keeps them; of an answer at most 16 MiB are read, as it was sent, within the call's time.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import anyio
import httpx
import msgspec

from interlock.adapters.exchange import Sending
from interlock.domain.errors import FileError, InterlockError, NotAllowed, NotUnderstood, Unanswered, Unreachable
from interlock.domain.problem import AFTER, error_of

LARGEST: Final = 16 * 1024 * 1024
"""Of an answer, in bytes."""
LARGEST_PROBLEM: Final = 256 * 1024
CONNECT_S: Final = 5.0
LASTS_S: Final = 60.0
"""How long one call may take, from its first byte to the answer's last: a tool may run within it."""
KEPT_S: Final = 4.0
"""How long an idle connection is kept: the server closes its own after 5 s, and a request on one just closed is answered by
nobody."""
MOST: Final = 64
"""Connections at a time."""
LONGEST_WAIT_S: Final = 60
"""However long a server asks to be left alone, after this it is asked again."""
FROM_ENVIRONMENT: Final = "environment"
"""As a proxy: whatever `HTTPS_PROXY` and its like name. Nothing is read of the environment otherwise."""
_PROBLEM: Final = "application/problem+json"
_JSON: Final = "application/json"
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})


class Wire:
    """Sends to one address, on the loop that uses it."""

    def __init__(self, address: str, *, ca: str = "", proxy: str = "") -> None:
        """Raises FileError where `ca`, a file of certificates that are trusted instead of this machine's, cannot be read."""
        self.address = address
        self._trusted = _trusted(ca) if address.startswith("https:") else None
        self._proxy = proxy
        if proxy and proxy != FROM_ENVIRONMENT:
            _must_be_proxy(proxy)
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._until_over: AsyncGenerator[None] | None = None
        self._closed = False

    async def post(self, path: str, body: bytes, *, lasts_s: float = LASTS_S) -> bytes:
        """The answer's JSON; empty where it has none. Raises what the control plane refused it with, Unreachable where
        nothing was asked of it, Unanswered where it was and nobody knows, NotUnderstood where what answers is no control
        plane."""
        if self._closed:
            raise NotAllowed("this client is closed", next_step="open another client: `interlock.open(...)`")
        sending = Sending()
        try:
            with anyio.fail_after(lasts_s):
                return await self._answered(path, body, sending)
        except TimeoutError:
            raise _failed(sending, self.address, f"no answer within {lasts_s:.0f} s") from None
        except (
            httpx.HTTPError,
            httpx.StreamError,
            anyio.BrokenResourceError,
            anyio.ClosedResourceError,
            OSError,
        ) as error:
            raise _failed(sending, self.address, _words(error), certificate=_is_of_certificate(error)) from None

    async def close(self) -> None:
        """Let go of the connections, on the loop that they live on. From any loop; idempotent."""
        self._closed = True
        client, loop, self._client = self._client, self._loop, None
        if client is None or loop is None or loop.is_closed():
            return
        if loop is asyncio.get_running_loop():
            await client.aclose()
            return
        if not loop.is_running():
            return
        closing = asyncio.run_coroutine_threadsafe(client.aclose(), loop)
        # The loop may be waiting for us: then it closes them once we are gone.
        await asyncio.wait({asyncio.wrap_future(closing)}, timeout=0.5)

    async def _answered(self, path: str, body: bytes, sending: Sending) -> bytes:
        client = await self._connected()
        request = client.build_request("POST", path, content=body, extensions={"trace": sending.trace})
        response = await client.send(request, stream=True)
        try:
            return await self._meaning(response)
        finally:
            await response.aclose()

    async def _meaning(self, response: httpx.Response) -> bytes:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status_code == 204:
            return b""
        if response.status_code == 200:
            if kind != _JSON:
                raise NotUnderstood(f"what answers at `{self.address}` is no control plane: it gives no JSON")
            return await self._read(response, LARGEST)
        if response.is_redirect:
            raise NotUnderstood(
                f"what answers at `{self.address}` sends elsewhere, and nobody goes there",
                next_step="open the address at which the control plane itself answers",
            )
        if kind != _PROBLEM:
            if response.status_code in _AGAIN:
                # A proxy's word, or that of a server without room: whether we passed it nobody knows.
                raise Unanswered(f"`{self.address}` answers {response.status_code}", **_after(response))
            raise NotUnderstood(f"`{self.address}` answers {response.status_code}, and not as a control plane does")
        raise self._refused(await self._read(response, LARGEST_PROBLEM), response)

    def _refused(self, body: bytes, response: httpx.Response) -> InterlockError:
        try:
            said = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            said = None
        error = error_of(said)
        error.members.update(_after(response))
        return error

    async def _read(self, response: httpx.Response, limit: int) -> bytes:
        """The body as it was sent."""
        declared = response.headers.get("content-length", "")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NotUnderstood("an answer came compressed, which nobody asked for")
        body = bytearray()
        if not declared.isdecimal() or int(declared) <= limit:
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > limit:
                    break
            else:
                return bytes(body)
        raise NotUnderstood(f"an answer is longer than {limit} bytes")

    async def _connected(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            # Connections belong to the loop that opened them; one that is over takes its own with it.
            self._loop = loop
            self._client = client = httpx.AsyncClient(
                base_url=self.address,
                verify=True if self._trusted is None else self._trusted,
                trust_env=self._proxy == FROM_ENVIRONMENT,
                proxy=self._proxy if self._proxy not in ("", FROM_ENVIRONMENT) else None,
                # The whole call has one limit; how long it takes to be connected is apart, so that the next address is tried.
                timeout=httpx.Timeout(None, connect=CONNECT_S),
                limits=httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST, keepalive_expiry=KEPT_S),
                follow_redirects=False,
                headers=_HEADERS,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
            self._until_over = _until_over(client)
            await anext(self._until_over)
        return self._client


async def _until_over(client: httpx.AsyncClient) -> AsyncGenerator[None]:
    """Waits for the end of its loop, which ends what is being generated there before it closes, and lets go of connections."""
    try:
        yield
    finally:
        await client.aclose()


_HEADERS: Final = {"content-type": _JSON, "accept": f"{_JSON}, {_PROBLEM}", "accept-encoding": "identity"}


def _failed(sending: Sending, address: str, why: str, *, certificate: bool = False) -> Unreachable:
    """What a failure means at this point."""
    if sending.begun:
        return Unanswered(f"`{address}` did not answer: {why}")
    if certificate:
        return Unreachable(
            f"`{address}` does not show a certificate that is trusted here: {why}",
            passing=False,
            next_step="give the file of the authority that signed it: `interlock.open(..., ca='ca.pem')`",
        )
    return Unreachable(f"`{address}` cannot be reached: {why}")


def _after(response: httpx.Response) -> dict[str, Any]:
    """What the answer says of when to ask again, in seconds; a date is no answer of ours."""
    said = response.headers.get("retry-after", "")
    return {AFTER: min(int(said), LONGEST_WAIT_S)} if said.isdecimal() and len(said) < 10 else {}


def _words(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:200]


def _is_of_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _trusted(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise FileError(f"`{ca}` is no file of certificates: {_words(error)}", next_step="name a file in PEM") from None


def _must_be_proxy(proxy: str) -> None:
    try:
        good = httpx.URL(proxy).scheme in ("http", "https") and bool(httpx.URL(proxy).host)
    except httpx.InvalidURL:
        good = False
    if not good:
        raise NotAllowed(
            "`proxy` is the address of a proxy, or `environment`", next_step="`proxy='http://proxy.example:3128'`"
        )
