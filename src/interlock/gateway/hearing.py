"""Whoever is being answered over HTTP: for as long as they would be let in, and no longer.

It is we who end it then, not they: a client that is told to hear no more took nothing back by that. What of its call waits is
for others to say.
"""

from collections.abc import Awaitable, Callable, Generator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

import anyio

from interlock.domain.bearer import Bearer
from interlock.domain.errors import InterlockError, StoreBusy, StoreError
from interlock.gateway.context import Context
from interlock.gateway.work import Work
from interlock.services.bearing import BLIND_S, LOOK_S

T = TypeVar("T")
Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_ANSWERING: Final = "interlock.answering"


class Unheard(InterlockError):
    """An answer that is broken off, since whoever asked would not be let in any more, or nobody can say."""

    code = "unheard"
    fault = "yours"

    def __init__(self, why: InterlockError, ticket: str) -> None:
        waits = f"; the call waits on without you, its ticket is `{ticket}`" if ticket else ""
        members: dict[str, object] = {"because": why.code, **({"ticket": ticket} if ticket else {})}
        super().__init__(f"the answer ends here: {why.detail}{waits}", next_step=why.next_step, **members)
        self.why = why


class Answering:
    """One request that is being answered."""

    def __init__(
        self, bearer: Bearer, work: Work, send: Send, refuse: Callable[[Unheard, Send], Awaitable[None]]
    ) -> None:
        self.bearer = bearer
        self.work = work
        self.ticket = ""
        """Of the action whose outcome it waits for."""
        self.ended: InterlockError | None = None
        """Why we ended it; None where nobody did, or its client."""
        self._send = send
        self._refuse = refuse
        self._scope = anyio.CancelScope()
        self._handlers: set[anyio.CancelScope] = set()
        self._begun = False
        self._whole = False

    @contextmanager
    def lasting(self) -> Generator[None]:
        """What is done within is ended with it."""
        with self._scope:
            yield

    async def handled(self, handler: Callable[[], Awaitable[T]]) -> T:
        """What `handler` gives. Raises Unheard where it was ended meanwhile."""
        with anyio.CancelScope() as scope:
            self._handlers.add(scope)
            try:
                if self.ended is None:
                    return await handler()
            finally:
                self._handlers.discard(scope)
        raise self._unheard()

    def end(self, why: InterlockError) -> None:
        """It goes on no more. Whoever answers says so, as long as there is somebody who does; the next time it just ends."""
        again, self.ended = self.ended is not None, why
        for each in self._handlers:
            each.cancel()
        if again or not self._handlers:
            self._scope.cancel()

    async def say(self, message: Message) -> None:
        """Send a part of the answer. In place of one that was not begun before it was ended goes why."""
        if self.ended is not None and not self._begun:
            await self._in_place()
        elif not self._whole:
            self._begun = True
            self._whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            await self._send(message)

    async def finish(self) -> None:
        """Whatever was ended has an end."""
        if self.ended is None or self._whole:
            return
        if not self._begun:
            await self._in_place()
        else:
            self._whole = True
            await self._send({"type": "http.response.body", "body": b""})

    def _unheard(self) -> Unheard:
        return Unheard(self.ended or InterlockError("nobody ended this"), self.ticket)

    async def _in_place(self) -> None:
        self._begun = self._whole = True
        await self._refuse(self._unheard(), self._send)


class Watch:
    """All that are being answered."""

    def __init__(
        self, must_stand: Callable[[Bearer], Awaitable[None]], every_s: float = LOOK_S, blind_s: float = BLIND_S
    ) -> None:
        self._must_stand = must_stand
        self._every_s = every_s
        self._blind_s = blind_s
        self._open: set[Answering] = set()
        self._blind_since: float | None = None

    @contextmanager
    def over(self, answering: Answering) -> Generator[None]:
        """It is looked after within."""
        self._open.add(answering)
        try:
            yield
        finally:
            self._open.discard(answering)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await anyio.sleep(self._every_s)
            await self.look()

    async def look(self) -> None:
        """End what goes on no more. While the store does not say, nobody is told that they are out, and nobody hears for ever."""
        open_ = [(each, _token(each.bearer)) for each in self._open]
        found: dict[object, InterlockError | None] = {}
        try:
            with anyio.fail_after(self._blind_s):
                for each, token in open_:
                    if token not in found:
                        found[token] = await self._wrong(each.bearer)
            self._blind_since = None
        except (StoreError, TimeoutError) as error:
            now = anyio.current_time()
            self._blind_since = self._blind_since or now
            if isinstance(error, TimeoutError) or now - self._blind_since >= self._blind_s:
                why = error if isinstance(error, StoreError) else StoreBusy("the store does not answer")
                found = dict.fromkeys((token for _, token in open_), why)
        for each, token in open_:
            why_not = found.get(token)
            if why_not is not None:
                each.end(why_not)

    async def _wrong(self, bearer: Bearer) -> InterlockError | None:
        try:
            await self._must_stand(bearer)
        except StoreError:
            raise
        except InterlockError as error:
            return error
        return None


def within(scope: MutableMapping[str, Any], answering: Answering) -> dict[str, Any]:
    """The scope of a request, as it is handed on while `answering` it."""
    return {**scope, _ANSWERING: answering}


def answering_of(ctx: Context) -> Answering | None:
    """The answer that a request is given; None of one that did not come over HTTP."""
    found = None if ctx.request is None else ctx.request.scope.get(_ANSWERING)
    return found if isinstance(found, Answering) else None


def _token(bearer: Bearer) -> object:
    """Alike for requests that count for as long as each other."""
    return (bearer.same, bearer.expires_at, bearer.epoch)
