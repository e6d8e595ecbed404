"""Questions that come back under their `Idempotency-Key`: the first one's answer is given again, and no model is asked.

Answers are kept by this process alone, in memory, bounded, and not for long. After a restart, or where nothing whole was
answered, the question is asked again, as a use of its own: it changes nothing in the world, and what it takes is on record.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

import anyio
import msgspec

from interlock.domain.bearer import Bearer
from interlock.domain.errors import Conflict, KeyReused
from interlock.domain.refusals import BadRequest
from interlock.relay.delivering import Delivery, Given

KEPT: Final = 1_000
KEPT_S: Final = 600.0
LARGEST: Final = 1024 * 1024
MOST_BYTES: Final = 32 * 1024 * 1024
"""Of all answers together."""
LONGEST_KEY: Final = 200


class _Told(msgspec.Struct):
    """What was asked under a key, and what was given; None while it is still being answered."""

    asked: bytes
    at: float
    given: Given | None = None


class Again:
    """The answers that are kept."""

    def __init__(self) -> None:
        self._told: OrderedDict[bytes, _Told] = OrderedDict()
        self._size = 0

    async def do(self, who: Bearer, key: str, asked: bytes, out: Delivery, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, which answers through `out` what `asked` says whole; or give what was answered to the same before.

        Raises KeyReused for another question under that key, Conflict while the first is being answered."""
        if not key:
            await work()
            return
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise BadRequest(f"an idempotency key is at most {LONGEST_KEY} characters that can be printed")
        name, what = sha256(f"{who.same}\0{key}".encode()).digest(), sha256(asked).digest()
        told = self._told.get(name)
        if told is not None and anyio.current_time() - told.at < KEPT_S:
            if told.asked != what:
                raise KeyReused("that idempotency key was the key of another question of yours")
            if told.given is None:
                raise Conflict("the first question with this key is still being answered", kind="request", key=key)
            await out.replay(told.given)
            return
        self._forget(name)
        mine = self._told[name] = _Told(what, anyio.current_time())
        out.keep(LARGEST)
        try:
            await work()
        finally:
            given = out.given
            if self._told.get(name) is mine:
                if given is None:
                    self._forget(name)
                else:
                    mine.given = given
                    self._size += len(given.body)
            while len(self._told) > KEPT or self._size > MOST_BYTES:
                self._forget(next(iter(self._told)))

    def _forget(self, name: bytes) -> None:
        told = self._told.pop(name, None)
        if told is not None and told.given is not None:
            self._size -= len(told.given.body)
