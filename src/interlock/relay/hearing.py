"""One answer of a provider, from its first byte to its end: passed on as it comes, or heard whole, or as a refusal.

Whatever it says, nothing of the secrets that were sent to it goes on, and no more than may be is read.
"""

import contextlib
from typing import Final

import anyio
import msgspec

from interlock.domain.errors import InterlockError, ModelNotAnswered
from interlock.domain.model_answer import is_error
from interlock.domain.model_request import Request
from interlock.domain.model_route import Reason
from interlock.domain.server_events import Event, Events
from interlock.ports.model_provider import Answer
from interlock.relay.account import Account
from interlock.relay.delivering import EVENTS, JSON, Delivery
from interlock.relay.refusing import no_more, of_provider

MOST_REFUSAL: Final = 64 * 1024
DRAIN_S: Final = 0.2
"""How long the end of a connection is waited for once the answer is over, so that it can be used again."""
_OF_OPERATORS: Final = (401, 402, 403, 407)
"""Who is refused by these is the workspace, not the agent."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is given whole."""

    status: int
    body: bytes
    headers: dict[str, str]


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking one provider."""

    said: Said | None = None
    """What is to be given; None: it was given as it came, or there is nothing."""
    failure: InterlockError | None = None
    elsewhere: Reason | None = None
    """Why somebody else may be asked instead."""


class Hearing:
    """Hears it. `marks` are the headers that go before it, `most` is how many bytes it may have."""

    def __init__(
        self, request: Request, answer: Answer, account: Account, out: Delivery, marks: dict[str, str], most: int
    ) -> None:
        self._request = request
        self._answer = answer
        self._account = account
        self._out = out
        self._marks = marks
        self._most = most

    async def heard(self) -> Came:
        """What came of it. Raises ModelNotAnswered."""
        answer, account = self._answer, self._account
        if not 200 <= answer.status < 300:
            reason = account.refused()
            return Came(said=await self._refusal(), elsewhere=reason)
        if self._request.stream and answer.kind == EVENTS:
            await self._passed()
            return Came()
        body = answer.clean(await self._whole())
        if answer.kind != JSON or not account.seen.whole(body):
            raise ModelNotAnswered(
                "the provider answered something else than a model's answer", sent=True, why="garbled"
            )
        account.over()
        self._out.tell(body)
        return Came(said=Said(status=answer.status, body=body, headers=self._marks))

    async def _passed(self) -> None:
        """Pass a stream of events on as it comes, without the one that only we asked for. Raises ModelNotAnswered where it breaks
        off."""
        events, seen, size = Events(self._most), self._account.seen, 0
        pieces = self._answer.pieces()
        async for piece in pieces:
            size += len(piece)
            if size > self._most:
                raise self._too_long()
            await self._give(events.feed(piece))
            if seen.over:
                break
            if self._account.exceeded:
                raise ModelNotAnswered("the provider writes more than it was asked for", sent=True, why="too_long")
        rest = events.rest()
        if rest is not None:
            await self._give([rest._replace(raw=rest.raw.rstrip(b"\r\n") + b"\n\n")])
        self._account.over()
        if not seen.ended:
            raise ModelNotAnswered("the answer broke off before its end", sent=True)
        with anyio.move_on_after(DRAIN_S):
            async for _ in pieces:
                pass

    async def _give(self, events: list[Event]) -> None:
        """The events of one piece, together."""
        clean, seen, counts = self._answer.clean, self._account.seen, self._request.counts
        kept = [event.raw for event in events if not seen.event(clean(event.data)) or counts]
        if kept:
            await self._out.pieces(clean(b"".join(kept)), self._marks)

    async def _whole(self) -> bytes:
        body = bytearray()
        async for piece in self._answer.pieces():
            body += piece
            if len(body) > self._most:
                raise self._too_long()
        return bytes(body)

    async def _refusal(self) -> Said:
        """What a provider that does not answer says, as the agent is told it."""
        answer, marks = self._answer, self._marks
        status, again = answer.status, self._account.counted == "nothing"
        body = bytearray()
        with contextlib.suppress(ModelNotAnswered):
            async for piece in answer.pieces():
                body += piece
                if len(body) > MOST_REFUSAL:
                    break
        plain = answer.clean(bytes(body))
        if status in _OF_OPERATORS or not 400 <= status < 600:
            refusal = of_provider(502, "the provider does not let this workspace in", again=again, headers=marks)
        elif len(body) <= MOST_REFUSAL and answer.kind == JSON and is_error(plain):
            return Said(status=status, body=plain, headers={**marks, **no_more(again=again)})
        else:
            refusal = of_provider(status, f"the provider answered {status}", again=again, headers=marks)
        return Said(status=refusal.status, body=msgspec.json.encode(refusal.body), headers=refusal.headers)

    def _too_long(self) -> ModelNotAnswered:
        return ModelNotAnswered(f"the answer has more than {self._most} bytes", sent=True, why="too_long")
