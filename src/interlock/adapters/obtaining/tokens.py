"""Access tokens of this installation's own, by the client credentials grant: asked for once, shared, renewed before they end.

Kept in memory alone. Whoever asks while one is being had waits for that one. The authorization server is asked within bounds:
seconds, bytes, no redirects, behind TLS or on this machine. No error repeats a secret, a token or what the server wrote.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus, urlencode

import anyio
import httpx
import msgspec

from interlock.adapters.exchange import BROKEN, exchanged
from interlock.adapters.obtaining.endpoint import Endpoint
from interlock.adapters.obtaining.signing_later import signed
from interlock.adapters.references import NoSecret, secret_at
from interlock.adapters.system import SystemClock
from interlock.domain.borne import is_token
from interlock.domain.duration import MINUTE, SECOND
from interlock.domain.errors import EffectorError
from interlock.domain.upstream_auth import ClientCredentials

TIMEOUT_S: Final = 10.0
MAX_BYTES: Final = 64 * 1024
LASTS_S: Final = 300
"""How long a token counts of which the server does not say it."""
EARLY_MS: Final = 30 * SECOND
"""So long before its end a token is not used any more; of a short one, a quarter of its time."""
AGAIN_MS: Final = 2 * SECOND
"""After a failure the server is not asked before that."""
_ERRORS: Final = frozenset(
    ("invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "invalid_target", "unauthorized_client")
)


class _Answer(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: int | None = None


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""


class _Held(msgspec.Struct, frozen=True):
    token: str
    until: int

    def __repr__(self) -> str:
        return f"_Held(until={self.until})"


_answers: Final = msgspec.json.Decoder(_Answer)
_refusals: Final = msgspec.json.Decoder(_Refusal)


class Tokens:
    """Those of one account, for one server at `address`."""

    def __init__(
        self,
        wanted: ClientCredentials,
        address: str,
        folder: Path,
        environ: Mapping[str, str] = os.environ,
        *,
        now: Callable[[], int] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._wanted = wanted
        self._resource = wanted.resource or address
        self._folder = folder
        self._environ = environ
        self._now = now or SystemClock().now
        self._transport = transport
        self._endpoint = Endpoint(wanted.issuer, transport)
        self._lock = anyio.Lock()
        self._held: _Held | None = None
        self._failed: tuple[int, EffectorError] | None = None

    async def token(self, *, instead_of: str = "") -> str:
        """One that counts; another than `instead_of`, which was refused. Raises EffectorError where none can be had."""
        async with self._lock:
            held, now = self._held, self._now()
            if held is not None and held.token != instead_of and now < held.until:
                return held.token
            if self._failed is not None and 0 <= now - self._failed[0] < AGAIN_MS:
                raise self._failed[1]
            try:
                self._held = await self._asked(now)
            except EffectorError as error:
                self._held, self._failed = None, (now, error)
                raise
            self._failed = None
            return self._held.token

    async def _asked(self, now: int) -> _Held:
        wanted = self._wanted
        where = wanted.token_url or await self._endpoint.address(now)
        form = {"grant_type": "client_credentials", "resource": self._resource}
        if wanted.scope:
            form["scope"] = wanted.scope
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if wanted.key:
            # For whom it is made an issuer's name says best: a token address could be another's.
            audience, key = wanted.issuer or where, self._secret(wanted.key)
            form |= signed(key, client=wanted.client, audience=audience, key_id=wanted.key_id, now=now)
        else:
            headers["authorization"] = basic(wanted.client, self._secret(wanted.secret))
        try:
            with anyio.fail_after(TIMEOUT_S):
                status, body = await self._sent(where, urlencode(form), headers)
            if status == 200:
                return _held(_answers.decode(body), now)
            said = _refused(body) if status in (400, 401) else ""
        except BROKEN as error:
            raise _not_had(where, type(error).__name__) from None
        raise _not_had(where, f"{status} {said}".strip())

    async def _sent(self, address: str, form: str, headers: dict[str, str]) -> tuple[int, bytes]:
        return await exchanged(
            "POST",
            address,
            headers,
            form,
            most_bytes=MAX_BYTES,
            timeout_s=TIMEOUT_S,
            transport=self._transport,
            proxied=False,
        )

    def _secret(self, place: str) -> str:
        """What is to be shown or signed with, read each time: it may have been replaced."""
        try:
            return secret_at(place, self._folder, self._environ)
        except NoSecret as error:
            raise EffectorError(f"the account at the authorization server cannot be used: {error}") from None


def basic(client: str, secret: str) -> str:
    """The `Authorization` of a client with a secret (RFC 6749 section 2.3.1: each encoded as forms are, first)."""
    said = f"{quote_plus(client)}:{quote_plus(secret)}"
    return f"Basic {b64encode(said.encode()).decode()}"


def _held(answer: _Answer, now: int) -> _Held:
    """Raises ValueError for what is no token that can be borne."""
    if answer.token_type.lower() != "bearer" or not is_token(answer.access_token):
        raise ValueError("no bearer token")
    lasts = (LASTS_S if answer.expires_in is None else max(answer.expires_in, 0)) * SECOND
    lasts = min(lasts, 24 * 60 * MINUTE)
    return _Held(answer.access_token, now + lasts - min(EARLY_MS, lasts // 4))


def _refused(body: bytes) -> str:
    """The code by which a server refuses, where it is one that there is: nothing else that it says is repeated."""
    try:
        said = _refusals.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return said if said in _ERRORS else ""


def _not_had(where: str, why: str) -> EffectorError:
    return EffectorError(
        f"`{where[:200]}` gives no token: {why}",
        next_step="see `auth:` in the server's file, and whether the authorization server knows this client",
    )
