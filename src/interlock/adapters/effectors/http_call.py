"""Sending one HTTP request, and what its answer means.

What decides between *nothing* and *unsure* is whether the request began to be sent: no connection, no effect. After that
only the target's own word counts: 2xx it happened, 4xx it refused (409 and 412 because the precondition no longer holds),
anything else (408, 425, 429, 5xx, a redirect, silence, a broken answer) leaves it open. Redirects are not followed,
neither cookies nor connections are kept from one call to the next, and of an answer at most 1 MiB is read.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, cast

import anyio
import httpx

from interlock.adapters.effectors.answers import acts, not_called, one_line, words_of
from interlock.adapters.effectors.http_request import Request, UnfitError, checked_url, contract_headers, request_for
from interlock.adapters.exchange import Sending
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import MAX_INTEGER, CanonicalError, JsonValue, encode
from interlock.domain.contract import Contract, HttpTarget
from interlock.domain.errors import EffectorError
from interlock.ports.effector import Role

MAX_ANSWER_BYTES: Final = 1024 * 1024
MAX_REFUSAL_BYTES: Final = 4096
QUOTED: Final = 200
"""How many characters of a refusal are repeated."""

_HEADERS: Final = {
    # Every call has a connection of its own. On a used one, what a server sent beyond the end of its last answer is read
    # as the next one, and an answer would be taken for another action's; and a server that closes it just then makes
    # unsure what would have been nothing.
    "Connection": "close",
}
_TRY_LATER: Final = frozenset({408, 425, 429})
_NOT_SO: Final = frozenset({404, 409, 412})


class HttpEffectors:
    """One client for all targets, on the loop that uses it."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def missing(self, target: HttpTarget) -> str:
        """What this process lacks to send to it: a URL, or the environment variables its headers need. Empty: nothing."""
        try:
            checked_url(target.url)
            contract_headers(target, self._environ)
        except EffectorError as error:
            return error.detail
        return ""

    async def invoke(
        self, contract: Contract, target: HttpTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Send one request and say what is known afterwards. Raises EffectorError for a target that cannot be asked."""
        try:
            request = request_for(target, role, arguments, call, self._environ)
        except UnfitError as error:
            return not_called(role, str(error))
        sending = Sending()
        with anyio.move_on_after(contract.timeout_ms / 1000):
            try:
                return await self._answer(request, role, sending)
            except httpx.InvalidURL as error:
                raise EffectorError(f"`{target.url}` cannot be asked: {error}") from None
            except (httpx.HTTPError, httpx.StreamError, anyio.BrokenResourceError, OSError) as error:
                return _failed(sending, role, words_of(error))
        return _failed(sending, role, f"no answer within {contract.timeout_ms} ms")

    async def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _answer(self, request: Request, role: Role, sending: Sending) -> Answer:
        client = self._connected()
        message = client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            extensions={"trace": sending.trace},
        )
        response = await client.send(message, stream=True)
        try:
            return await _meaning(response, role)
        finally:
            await response.aclose()

    def _connected(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            # Connections belong to the loop that opened them; one that is over takes its own with it.
            self._loop = loop
            self._client = httpx.AsyncClient(
                timeout=None,  # noqa: S113  the whole call has one limit, above
                follow_redirects=False,
                headers=_HEADERS,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
        return self._client


def _failed(sending: Sending, role: Role, why: str) -> Answer:
    """What a failure means at this point."""
    return Unsure(one_line(why)) if sending.begun else not_called(role, f"nothing was sent: {why}")


async def _meaning(response: httpx.Response, role: Role) -> Answer:
    status = response.status_code
    if role == "postcondition":
        if response.is_success or status in _NOT_SO:
            return Landed(response.is_success)
        return Unsure(await _refusal(response))
    if response.is_success:
        body = await _read(response, MAX_ANSWER_BYTES)
        if body is None:
            return Unsure(f"its answer {status} is longer than {MAX_ANSWER_BYTES} bytes, or compressed unasked")
        return Landed(_value(body, response.headers.get("content-type", "")))
    why = await _refusal(response)
    refused = status == 404 if role == "lookup" else acts(role) and response.is_client_error
    return Nothing(why) if refused and status not in _TRY_LATER else Unsure(why)


async def _read(response: httpx.Response, limit: int) -> bytes | None:
    """The body as it was sent, or None where it is too long or was compressed although that was not asked for."""
    declared = response.headers.get("content-length", "")
    if response.headers.get("content-encoding", "identity") != "identity":
        return None
    if declared.isdecimal() and int(declared) > limit:
        return None
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


async def _refusal(response: httpx.Response) -> str:
    """The status and the beginning of what the target says, as far as it can be read."""
    said = bytearray()
    try:
        async for chunk in response.aiter_raw():
            said += chunk
            if len(said) >= MAX_REFUSAL_BYTES:
                break
    except (httpx.HTTPError, anyio.BrokenResourceError, OSError):
        # The status is known, and that decides.
        pass
    text = one_line(bytes(said[:MAX_REFUSAL_BYTES]).decode(errors="replace"))[:QUOTED]
    return f"{response.status_code} {response.reason_phrase}: {text}".removesuffix(": ")


def _value(body: bytes, content_type: str) -> JsonValue:
    """A body as a result: exact JSON where it is that, else its text. Nothing at all is null.

    Numbers that JSON programs read differently (fractions, integers beyond 2^53 - 1) become text, as evidence has no
    floats: `12.50` stays `"12.50"`.
    """
    text = body.decode(errors="replace")
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return None
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return text
    try:
        value = cast(
            JsonValue,
            json.loads(body, parse_float=str, parse_int=_integer, parse_constant=_no_number, object_pairs_hook=_once),
        )
        encode(value)
    except (ValueError, RecursionError):
        return text
    return value


def _integer(digits: str) -> int | str:
    return digits if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER else int(digits)


def _no_number(word: str) -> JsonValue:
    raise CanonicalError("", f"`{word}` is no JSON")


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise CanonicalError("", "a key is given twice")
    return fields
