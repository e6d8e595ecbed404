"""What a client is told of a call whose action is there: at once, or once it is settled, or as its person at the client chose.

A wait is looked after in short turns: of one whose client is gone no more is left than the turn it was in. What a turn takes up,
since somebody agreed meanwhile, goes on to its end.
"""

import asyncio
from typing import Any, Final, TypeAlias, cast

import mcp_types as types
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import StoreError
from interlock.domain.ids import ContractName
from interlock.domain.patience import Patience
from interlock.gateway.answers import TASK, answered
from interlock.gateway.asking import ELICIT, NAME, Choice, asked, question
from interlock.gateway.context import Context
from interlock.gateway.hearing import answering_of
from interlock.gateway.offers import Offers
from interlock.gateway.pending import UnderWay
from interlock.gateway.places import Places
from interlock.gateway.questions import Questions
from interlock.gateway.upstream import came
from interlock.gateway.work import Work
from interlock.sdk.outcomes import Done, Held, Outcome, Pending, Unknown

Answer: TypeAlias = types.CallToolResult | types.InputRequiredResult

HOLD: Final = "interlock/hold"
WAIT: Final = "interlock/wait-ms"
_TURN_S: Final = 5.0
"""How often whoever asked for progress hears that a call still waits."""


class Waiting:
    """Answers calls, for any number of callers."""

    def __init__(
        self, offers: Offers, patience: Patience, under_way: UnderWay, places: Places, public_url: str = ""
    ) -> None:
        self._offers = offers
        self._patience = patience
        self._under_way = under_way
        self._places = places
        self._public_url = public_url
        self._questions = Questions()

    async def followed(self, work: Work, ctx: Context, outcome: Outcome, name: ContractName) -> Answer:
        """The answer to a call of `name` whose action is `outcome` so far; or what the person at the client is asked before."""
        patience = self._patience_of(ctx)
        if not isinstance(outcome, Held | Pending) or patience.hold == "ticket":
            return await self._told(work, ctx, outcome, name)
        question = await self._question(work, ctx, outcome)
        if question is None:
            return await self.settled(work, ctx, outcome, name, patience.wait_ms)
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return types.InputRequiredResult(input_requests={NAME: question}, request_state=outcome.action_id)
        asking = asyncio.create_task(asked(ctx.session, question, ctx.request_id))
        waiting = asyncio.create_task(self.settled(work, ctx, outcome, name, patience.wait_ms))
        try:
            await asyncio.wait({waiting, asking}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and asking.result() != "wait":
                return await self.chosen(work, ctx, outcome, name, asking.result())
            return await waiting
        finally:
            asking.cancel()
            waiting.cancel()

    async def chosen(
        self, work: Work, ctx: Context, outcome: Outcome, name: ContractName, choice: Choice
    ) -> types.CallToolResult:
        """The answer to a call, as the person at the client chose."""
        if choice == "wait":
            return await self.settled(work, ctx, outcome, name, self._patience_of(ctx).wait_ms)
        if choice == "withdraw":
            await self._under_way.withdraw(outcome)
        return await self._told(work, ctx, await self._turn(outcome, 0), name)

    async def settled(
        self, work: Work, ctx: Context, outcome: Outcome, name: ContractName, wait_ms: int
    ) -> types.CallToolResult:
        """The answer once `outcome` is settled, or as it stands after `wait_ms`; at once where too many are waited for."""
        if not isinstance(outcome, Held | Pending | Unknown) or not wait_ms:
            return await self._told(work, ctx, outcome, name)
        place = self._places.taken(work.caller.whose)
        if place is None:
            found = await self._told(work, ctx, outcome, name)
            found.content.append(types.TextContent(text=self._too_many))
            return found
        with self._under_way.within(place):
            return await self._told(work, ctx, await self._until(work, ctx, outcome, wait_ms), name)

    async def answer(self, work: Work, ctx: Context, arguments: dict[str, Any]) -> types.CallToolResult:
        """The answer to a call that answers a reviewer's question. Raises what answering one raises."""
        action, outcome = await self._under_way.kept(self._questions.answer(work, arguments))
        return await self._told(work, ctx, outcome, action.contract)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _until(self, work: Work, ctx: Context, outcome: Held | Pending | Unknown, wait_ms: int) -> Outcome:
        """The outcome once it is settled or a reviewer asks something, or as it stands after `wait_ms`. Whoever wants progress is
        told that it waits."""
        answering, loop = answering_of(ctx), asyncio.get_running_loop()
        if answering is not None:
            answering.ticket = outcome.action_id
        words, told, until = f"{outcome.detail}; ticket {outcome.action_id}", 0, loop.time() + wait_ms / 1000
        found: Outcome = outcome
        while isinstance(found, Held | Pending | Unknown) and (left := until - loop.time()) > 0:
            if self._questions.new(work, found):
                return found
            await ctx.session.report_progress(told * _TURN_S, None, words)
            told += 1
            try:
                found = await self._turn(found, int(min(left, _TURN_S) * 1000) + 1)
            except StoreError:
                # It is not known how it stands now; what was known is still true of what was, and its ticket is asked for.
                return found
        return found

    async def _turn(self, outcome: Outcome, wait_ms: int) -> Outcome:
        if not isinstance(outcome, Held | Pending | Unknown):
            return outcome
        return await self._under_way.kept(outcome.ticket.wait_async(timeout_ms=wait_ms))

    async def _question(self, work: Work, ctx: Context, outcome: Held | Pending) -> types.ElicitRequest | None:
        if not isinstance(outcome, Held) or meta_of(ctx).get(ELICIT) is False:
            return None
        action = await work.action(outcome.action_id)
        return None if action is None else question(action, ctx.session.client_capabilities, self._public_url)

    async def _told(self, work: Work, ctx: Context, outcome: Outcome, name: ContractName) -> types.CallToolResult:
        self._questions.told(work, outcome)
        contract: Contract | None = (await self._offers.now()).contracts.get(name)
        found = _in_words(outcome, contract, self._offers, ctx.protocol_version)
        found.meta = {**(found.meta or {}), TASK: outcome.task}
        return found

    def _patience_of(self, ctx: Context) -> Patience:
        meta = meta_of(ctx)
        return self._patience.asked(meta.get(HOLD), meta.get(WAIT))

    @property
    def _too_many(self) -> str:
        most = f"{self._places.of_one} calls of yours, or too many of everybody's, are waited for already"
        return f"note: {most}: this one is not waited for; ask for its ticket later."


def _in_words(outcome: Outcome, contract: Contract | None, offers: Offers, version: str) -> types.CallToolResult:
    if isinstance(outcome, Done) and not outcome.withheld and contract is not None:
        target = contract.target
        if isinstance(target, McpTarget):
            return came(outcome, contract, offers.accepted.definition(target), version)
    return answered(outcome, contract)


def meta_of(ctx: Context) -> dict[str, Any]:
    """What a request says of itself."""
    return cast("dict[str, Any]", ctx.meta or {})
