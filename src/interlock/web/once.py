"""Answers of the API: each with its entity tag, and under a key of the client's only once."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final, TypeAlias

import anyio
import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from interlock.domain.actor import Actor
from interlock.domain.errand import asking, named
from interlock.domain.errors import Conflict, DoneBefore, KeyReused
from interlock.domain.ids import Digest
from interlock.domain.refusals import BadRequest
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked

KEPT: Final = 10_000
"""So many answers to requests that named a key are remembered, those of the last `KEPT_S` seconds."""
KEPT_S: Final = 24 * 3600
LARGEST_KEPT: Final = 64 * 1024
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of all answers together."""
LONGEST_KEY: Final = 200


def kept(request: Asked, value: Any) -> Response[Any]:
    """An answer with its entity tag, which follows from it. Nothing but that where the client has it."""
    body = msgspec.json.encode(value)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.method == "GET" and tag in tags(request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, headers=headers, media_type="application/json")
    return Response(body, headers=headers, media_type="application/json")


def tags(text: str) -> list[str]:
    """The entity tags in a header, without their weakness."""
    return [each.strip().removeprefix("W/") for each in text.split(",")]


class _Told(msgspec.Struct):
    """What was asked under a key, and what was answered."""

    asked: Digest
    at: float
    answer: Response[Any] | None = None


class Once:
    """Answers under `Idempotency-Key`: the same request again gets the first one's answer, another one is refused.

    Answers are kept by the process, and bounded. That a request was carried out is kept by the store, in the commit that carried
    it out (`services.errands`): after a crash, and in another process, it is not carried out again, and how things stand is told.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[Digest, _Told] = OrderedDict()
        self.size = 0
        """Of the answers that are kept, in bytes."""

    async def do(
        self,
        request: Asked,
        actor: Actor,
        body: msgspec.Struct | None,
        work: Callable[[], Awaitable[Any]],
        again: Callable[[], Awaitable[Any]] | None = None,
    ) -> Response[Any]:
        """Do `work`, or give what was answered; where that is not kept any more, what `again` says of how things stand. Raises
        KeyReused, Conflict while the first is still being done, and DoneBefore where nothing says how things stand.
        """
        key = request.headers.get("idempotency-key", "")
        if not key:
            return kept(request, await work())
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise BadRequest(f"an idempotency key is at most {LONGEST_KEY} characters that can be printed")
        plane: ControlPlane = request.app.state.plane
        name, now = named(actor.person, key), anyio.current_time()
        asked = asking(name, request.method.encode(), request.url.path.encode(), msgspec.json.encode(body))
        told = self._told.get(name)
        if told is not None and now - told.at < KEPT_S:
            _must_be_same(told.asked, asked, key)
            if told.answer is None:
                raise Conflict("the first request with this key is still being done", kind="request", key=key)
            return told.answer
        if told is not None:
            self._forget(name, told)
        mine = self._told[name] = _Told(asked, now)
        self._make_room()
        try:
            before = await plane.carrying.find(name)
            if before is not None:
                _must_be_same(before.asked, asked, key)
                if again is None:
                    raise DoneBefore("this request was carried out already, and what it was answered is not kept")
                answer = kept(request, await again())
            else:
                with plane.carrying.out(name, asked):
                    answer = kept(request, await work())
        except BaseException:
            # Nothing is known of it: the next one asks the store.
            self._forget(name, mine)
            raise
        if len(answer.content) > LARGEST_KEPT:
            self._forget(name, mine)
        elif self._told.get(name) is mine:
            mine.answer = answer
            self.size += len(answer.content)
            self._make_room()
        return answer

    def _forget(self, name: Digest, mine: _Told) -> None:
        """Where many came meanwhile it is gone already, and another may stand there."""
        if self._told.get(name) is mine:
            del self._told[name]
            self.size -= 0 if mine.answer is None else len(mine.answer.content)

    def _make_room(self) -> None:
        while len(self._told) > KEPT or self.size > MOST_BYTES:
            self._forget(*next(iter(self._told.items())))


def _must_be_same(before: Digest, asked: Digest, key: str) -> None:
    if before != asked:
        raise KeyReused(f"`{key}` was the key of another request of yours")


Answered: TypeAlias = NamedDependency[SkipValidation[Once]]
"""The parameter `once`."""


async def once_of(request: Asked) -> Once:
    """What was answered here under keys."""
    once: Once = request.app.state.once
    return once
