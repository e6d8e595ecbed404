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

import logging
from collections.abc import Mapping
from typing import Final

import anyio
import anyio.lowlevel
import msgspec

from interlock.domain.bearer import Bearer
from interlock.domain.duration import SECOND
from interlock.domain.errors import KeyFileError, ModelNotAnswered, StoreError
from interlock.domain.model_request import PATHS, Kind, Request, bound
from interlock.domain.model_route import Leg, ModelRoute, Models
from interlock.domain.relayed import Relayed, Route
from interlock.domain.task import Task
from interlock.domain.use import Asked, Use
from interlock.ports.clock import Ids
from interlock.ports.model_provider import ModelProviders
from interlock.relay.account import Account
from interlock.relay.delivering import Delivery
from interlock.relay.hearing import Came, Hearing
from interlock.relay.meanwhile import unless
from interlock.relay.metering import Metering
from interlock.relay.standing import Standing

AROUND_MS: Final = 10 * SECOND
"""So much longer than its answer lasts a use: until it is settled."""
_UPSTREAM: Final[Mapping[Kind, str]] = {kind: path.removeprefix("/v1") for path, kind in PATHS.items()}

_log = logging.getLogger("interlock.relay")


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A question that may be asked: whose it is, in which task, and where its answer goes."""

    request: Request
    route: ModelRoute
    who: Bearer
    task: Task
    out: Delivery


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
                await out.whole(came.said.status, came.said.body, came.said.headers)
            await out.end()
            return

    async def _tried(self, turn: Turn, leg: Leg, way: Route) -> Came:
        """One way, as a use of its own, settled whatever comes of it."""
        request = turn.request
        bounded = bound(request, turn.route, leg)
        relayed = Relayed(route=way, question=request.question)
        lasts_ms = self._models.lasts_ms + AROUND_MS
        use = await self._metering.begin(
            turn.task, Asked(model=leg.name, tokens=bounded.most, lasts_ms=lasts_ms, relayed=relayed)
        )
        account = Account(request.kind, bounded.most)
        came = Came()

        async def asked() -> None:
            nonlocal came
            account.sent()
            with anyio.fail_after(self._models.lasts_ms / 1000):
                async with self._providers.ask(
                    self._models.providers[leg.provider],
                    _UPSTREAM[request.kind],
                    bounded.body,
                    whose=turn.who.same,
                    timeout_ms=turn.route.timeout_ms,
                ) as answer:
                    account.began(answer.status)
                    marks = {**answer.headers, "x-interlock-use": use.id, "x-interlock-task": use.task}
                    hearing = Hearing(request, answer, account, turn.out, marks, self._models.most_answer)
                    came = await hearing.heard()

        try:
            # Whoever left while it was begun asks no model any more.
            await anyio.lowlevel.checkpoint()
            stopped = await unless(lambda: self._standing.over(turn.who, use.id), asked)
            if stopped is not None:
                account.stopped(stopped)
                came = Came(failure=stopped)
        except TimeoutError:
            error = ModelNotAnswered(f"`{leg.provider}` did not come to an end in time", sent=True, slow=True)
            came = Came(failure=error, elsewhere=account.failed(error))
        except ModelNotAnswered as error:
            came = Came(failure=error, elsewhere=account.failed(error))
        except KeyFileError as error:
            account.counted, account.why = "nothing", "no_key"
            came = Came(failure=error)
        finally:
            await self._settled(use, account, turn.out)
        return came

    async def _settled(self, use: Use, account: Account, out: Delivery) -> None:
        used, reply = account.reply(out.digest, out.size)
        try:
            await self._metering.settle(use, used, reply)
        except StoreError:
            if not out.begun:
                raise
            # What was streamed cannot be taken back; a worker gives the use up, and all of it counts.
            _log.warning("what a model took could not be recorded, and counts as all that was reserved")
