"""The public keys that identity providers and trust domains publish: a JWKS (RFC 7517) at an address, or in a file.

Fetched within bounds: seconds, bytes, number of keys, no redirects. They are kept for minutes; a key that is not among them
is looked for again at once, but not more often than every so many seconds, so that nobody who makes tokens up can have us
ask without end. Where they cannot be fetched, those that are at most an hour old go on counting.
"""

from pathlib import Path
from typing import Final, Literal, NamedTuple

import anyio
import httpx
import msgspec

from interlock.adapters.exchange import BROKEN, exchanged
from interlock.domain.duration import HOUR, MINUTE, SECOND
from interlock.domain.errors import EffectorError

TIMEOUT_S: Final = 5.0
"""For all of it, however slowly it comes."""
MAX_BYTES: Final = 256 * 1024
MOST_KEYS: Final = 100
KEPT_MS: Final = 5 * MINUTE
OLDEST_MS: Final = HOUR
AGAIN_MS: Final = 10 * SECOND

Purpose = Literal["sig", "jwt-svid"]


class PublishedKey(msgspec.Struct, frozen=True):
    """One key, of its public members alone. What else stands there is not looked at."""

    kty: str
    kid: str = ""
    use: str = ""
    alg: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[PublishedKey, ...]


class _Fetched(NamedTuple):
    keys: tuple[PublishedKey, ...]
    at: int


_HEADERS: Final = {"accept": "application/json"}
_keys: Final = msgspec.json.Decoder(_Keys)


class Published:
    """Keys by the place where they are published. A place is an address, or a file below `folder`."""

    def __init__(
        self, folder: Path, transport: httpx.AsyncBaseTransport | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._folder = folder
        self._transport = transport
        self._timeout_s = timeout_s
        self._known: dict[str, _Fetched] = {}
        self._asked: dict[str, int] = {}

    async def key(self, place: str, kid: str, purpose: Purpose, now: int) -> PublishedKey | None:
        """The key that `kid` names, of those for `purpose`; of one alone also where nothing is named. None: there is none.

        Raises EffectorError where the keys cannot be had.
        """
        known = self._known.get(place)
        if known is None or not 0 <= now - known.at < KEPT_MS:
            known = await self._fetched(place, now)
        found = _named(known.keys, kid, purpose)
        if found is None and not 0 <= now - self._asked.get(place, 0) < AGAIN_MS:
            found = _named((await self._fetched(place, now)).keys, kid, purpose)
        return found

    async def _fetched(self, place: str, now: int) -> _Fetched:
        known = self._known.get(place)
        if known is not None and 0 <= now - self._asked.get(place, 0) < AGAIN_MS and now - known.at < OLDEST_MS:
            return known
        self._asked[place] = now
        try:
            with anyio.fail_after(self._timeout_s):
                data = await self._read(place)
            keys = _keys.decode(data).keys
            if len(keys) > MOST_KEYS:
                raise ValueError(f"more than {MOST_KEYS} keys")
        except BROKEN as error:
            if known is not None and 0 <= now - known.at < OLDEST_MS:
                return known
            raise EffectorError(
                f"the keys published at `{place}` cannot be had: {type(error).__name__}",
                next_step="see that the address in interlock.yaml answers with a JWKS",
            ) from None
        self._known[place] = _Fetched(keys, now)
        return self._known[place]

    async def _read(self, place: str) -> bytes:
        if not place.startswith(("https://", "http://")):
            with (self._folder / place).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise ValueError(f"longer than {MAX_BYTES} bytes")
            return data
        return await fetched(place, self._timeout_s, self._transport)


async def fetched(
    address: str, timeout_s: float = TIMEOUT_S, transport: httpx.AsyncBaseTransport | None = None
) -> bytes:
    """What stands at an address: no redirects, and no more than may be. Raises httpx.HTTPError and ValueError."""
    status, body = await exchanged(
        "GET", address, _HEADERS, most_bytes=MAX_BYTES, timeout_s=timeout_s, transport=transport
    )
    if status != 200:
        raise ValueError(f"answered {status}")
    return body


def _named(keys: tuple[PublishedKey, ...], kid: str, purpose: Purpose) -> PublishedKey | None:
    """One key, never a guess among several."""
    fit = [each for each in keys if each.use == purpose or (purpose == "sig" and not each.use)]
    if not kid:
        return fit[0] if len(fit) == 1 and purpose == "sig" else None
    named = [each for each in fit if each.kid == kid]
    return named[0] if len(named) == 1 else None
