"""One question of an agent, from its route to its answer.

1. For each way of the route in turn: what it takes at most is bounded, and reserved as a use of its own.
2. Its provider is asked. A failure that the route names leads to the next way, as long as nothing was given to the agent.
3. The answer goes back: whole once its use is settled, or as it comes, settled at its end.
4. Meanwhile it is looked whether whoever asked would be let in still, in a task that goes on, by an agent that nobody stopped and
   with a budget (`standing`). Where not, the provider is left, and the answer ends with an error that says why.
5. The use is settled by the provider's word, by nothing where the model was not asked or refused, and by all that was reserved in
   every other case: what broke off, fell silent or says nothing that can be believed may have been billed.

A crash between 1 and 5 leaves an open use, which a worker gives up when its time is over: then all of it counts.
"""

import contextlib
import logging
from collections.abc import Mapping
from typing import Final

import anyio
import anyio.lowlevel
import msgspec

from interlock.domain.bearer import Bearer
from interlock.domain.duration import SECOND
from interlock.domain.errors import InterlockError, KeyFileError, ModelNotAnswered, StoreError
from interlock.domain.model_answer import is_error
from interlock.domain.model_request import PATHS, Kind, Request, bound
from interlock.domain.model_route import Leg, ModelRoute, Models, Reason
from interlock.domain.relayed import Relayed, Route
from interlock.domain.server_events import Event, Events
from interlock.domain.task import Task
from interlock.domain.use import Asked, Use
from interlock.ports.clock import Ids
from interlock.ports.model_provider import Answer, ModelProviders
from interlock.relay.account import Account
from interlock.relay.delivering import EVENTS, JSON, Delivery
from interlock.relay.meanwhile import unless
from interlock.relay.metering import Metering
from interlock.relay.refusing import no_more, of_provider
from interlock.relay.standing import Standing

AROUND_MS: Final = 10 * SECOND
"""So much longer than its answer lasts a use: until it is settled."""
MOST_REFUSAL: Final = 64 * 1024
DRAIN_S: Final = 0.2
"""How long the end of a connection is waited for once the answer is over, so that it can be used again."""
_UPSTREAM: Final[Mapping[Kind, str]] = {kind: path.removeprefix("/v1") for path, kind in PATHS.items()}

_OF_OPERATORS: Final = (401, 402, 403, 407)
"""Who is refused by these is the workspace, not the agent."""

_log = logging.getLogger("interlock.relay")


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A question that may be asked: whose it is, in which task, and where its answer goes."""

    request: Request
    route: ModelRoute
    who: Bearer
    task: Task
    out: Delivery


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is given whole."""

    status: int
    kind: str
    body: bytes
    headers: dict[str, str]


class _Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one way."""

    said: _Said | None = None
    """What is to be given; None: it was given as it came, or there is nothing."""
    failure: InterlockError | None = None
    elsewhere: Reason | None = None
    """Why somebody else may be asked instead."""


class Answering:
    """Answers questions by the routes of a workspace."""

    def __init__(
        self, models: Models, providers: ModelProviders, metering: Metering, standing: Standing, ids: Ids
    ) -> None:
        self._models = models
        self._providers = providers
        self._metering = metering
        self._standing = standing
        self._ids = ids

    async def answer(self, turn: Turn) -> None:
        """Ask, and give what is answered. Raises InterlockError where nobody answers; nothing was given then, or a part of a
        stream."""
        name, route, out = self._ids.new(), turn.route, turn.out
        for number, leg in enumerate(route.legs, 1):
            way = Route(asked=turn.request.model, provider=leg.provider, sent=leg.model, attempt=number, request=name)
            came = await self._tried(turn, leg, way)
            if came.elsewhere in route.when and not out.begun and number < len(route.legs):
                _log.info("`%s` did not answer: `%s` is asked instead", leg.provider, route.legs[number].provider)
                continue
            if came.failure is not None:
                raise came.failure
            if came.said is not None:
                await out.whole(came.said.status, came.said.kind, came.said.body, came.said.headers)
            await out.end()
            return

    async def _tried(self, turn: Turn, leg: Leg, way: Route) -> _Came:
        """One way, as a use of its own, settled whatever comes of it."""
        request = turn.request
        bounded = bound(request, turn.route, leg)
        relayed = Relayed(route=way, question=request.question)
        lasts_ms = self._models.lasts_ms + AROUND_MS
        use = await self._metering.begin(
            turn.task, Asked(model=leg.name, tokens=bounded.most, lasts_ms=lasts_ms, relayed=relayed)
        )
        account = Account(request.kind, bounded.most)
        came = _Came()

        async def asked() -> None:
            nonlocal came
            account.sent()
            with anyio.fail_after(self._models.lasts_ms / 1000):
                async with self._providers.ask(
                    self._models.providers[leg.provider],
                    _UPSTREAM[request.kind],
                    bounded.body,
                    timeout_ms=turn.route.timeout_ms,
                ) as answer:
                    account.began(answer.status)
                    came = await self._heard(request, answer, account, _marks(use, answer), turn.out)

        try:
            # Whoever left while it was begun asks no model any more.
            await anyio.lowlevel.checkpoint()
            stopped = await unless(lambda: self._standing.over(turn.who, use.id), asked)
            if stopped is not None:
                account.stopped(stopped)
                came = _Came(failure=stopped)
        except TimeoutError:
            error = ModelNotAnswered(f"`{leg.provider}` did not come to an end in time", sent=True, slow=True)
            came = _Came(failure=error, elsewhere=account.failed(error))
        except ModelNotAnswered as error:
            came = _Came(failure=error, elsewhere=account.failed(error))
        except KeyFileError as error:
            account.counted, account.why = "nothing", "no_key"
            came = _Came(failure=error)
        finally:
            await self._settled(use, account, turn.out)
        return came

    async def _heard(
        self, request: Request, answer: Answer, account: Account, marks: dict[str, str], out: Delivery
    ) -> _Came:
        """What came of an answer that has begun. Raises ModelNotAnswered."""
        if not 200 <= answer.status < 300:
            reason = account.refused()
            return _Came(said=await _refusal(answer, account, marks), elsewhere=reason)
        if request.stream and answer.kind == EVENTS:
            await _passed(request, answer, account, marks, out, self._models.most_answer)
            return _Came()
        body = await _whole(answer, self._models.most_answer)
        if answer.kind != JSON or not account.seen.whole(body):
            raise ModelNotAnswered(
                "the provider answered something else than a model's answer", sent=True, why="garbled"
            )
        account.over()
        out.tell(body)
        return _Came(said=_Said(status=answer.status, kind=JSON, body=body, headers=marks))

    async def _settled(self, use: Use, account: Account, out: Delivery) -> None:
        used, reply = account.reply(out.digest, out.size)
        try:
            await self._metering.settle(use, used, reply)
        except StoreError:
            if not out.begun:
                raise
            # What was streamed cannot be taken back; a worker gives the use up, and all of it counts.
            _log.warning("what a model took could not be recorded, and counts as all that was reserved")


async def _passed(
    request: Request, answer: Answer, account: Account, marks: dict[str, str], out: Delivery, most: int
) -> None:
    """Pass a stream of events on as it comes, without the one that only we asked for. Raises ModelNotAnswered where it breaks
    off."""
    events, seen, size = Events(most), account.seen, 0
    pieces = answer.pieces()
    async for piece in pieces:
        size += len(piece)
        if size > most:
            raise ModelNotAnswered(f"the answer has more than {most} bytes", sent=True, why="too_long")
        await _give(events.feed(piece), request, account, marks, out)
        if seen.over:
            break
        if account.exceeded:
            raise ModelNotAnswered("the provider writes more than it was asked for", sent=True, why="too_long")
    rest = events.rest()
    if rest is not None:
        await _give([rest._replace(raw=rest.raw.rstrip(b"\r\n") + b"\n\n")], request, account, marks, out)
    account.over()
    if not seen.ended:
        raise ModelNotAnswered("the answer broke off before its end", sent=True)
    with anyio.move_on_after(DRAIN_S):
        async for _ in pieces:
            pass


async def _give(events: list[Event], request: Request, account: Account, marks: dict[str, str], out: Delivery) -> None:
    """The events of one piece, together."""
    kept = [event.raw for event in events if not account.seen.event(event.data) or request.counts]
    if kept:
        await out.pieces(b"".join(kept), marks)


async def _whole(answer: Answer, most: int) -> bytes:
    body = bytearray()
    async for piece in answer.pieces():
        body += piece
        if len(body) > most:
            raise ModelNotAnswered(f"the answer has more than {most} bytes", sent=True, why="too_long")
    return bytes(body)


async def _refusal(answer: Answer, account: Account, marks: dict[str, str]) -> _Said:
    """What a provider that does not answer says, as the agent is told it."""
    status, again = answer.status, account.counted == "nothing"
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
        return _Said(status=status, kind=JSON, body=plain, headers={**marks, **no_more(again=again)})
    else:
        refusal = of_provider(status, f"the provider answered {status}", again=again, headers=marks)
    return _Said(status=refusal.status, kind=JSON, body=msgspec.json.encode(refusal.body), headers=refusal.headers)


def _marks(use: Use, answer: Answer) -> dict[str, str]:
    """Headers of ours and, as far as they pass, of the provider."""
    return {**answer.headers, "x-interlock-use": use.id, "x-interlock-task": use.task}
