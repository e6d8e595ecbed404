"""`tools/list` and `tools/call`: what is offered, and a call from the client to the gate and back.

A call goes on in a task of its own. A client that goes away, cancels or breaks its connection takes nothing back that the gate
has let through: what was begun is carried out and recorded, and whoever comes back with the ticket or the key hears of it.
"""

import asyncio
from typing import Any, Final, TypeAlias, cast

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import InterlockError, NotFound
from interlock.domain.exact import InexactError, bound
from interlock.domain.ids import ContractName, is_id
from interlock.domain.patience import Patience
from interlock.domain.tool_name import ANSWER, TICKET
from interlock.gateway.answers import answered, refused
from interlock.gateway.asking import ELICIT, NAME, Choice, asked, chosen, question
from interlock.gateway.bridge import BRIDGE, Bridge
from interlock.gateway.context import Context
from interlock.gateway.ears import ears_of
from interlock.gateway.hearing import answering_of
from interlock.gateway.listing import page
from interlock.gateway.news import News
from interlock.gateway.offers import Offers
from interlock.gateway.pending import UnderWay
from interlock.gateway.questions import Questions
from interlock.gateway.upstream import came
from interlock.gateway.work import Work
from interlock.sdk.outcomes import Done, Held, Outcome, Pending, Refused

Answer: TypeAlias = types.CallToolResult | types.InputRequiredResult

KEY: Final = "interlock/idempotency-key"
"""In `_meta` of a call: the same key gives the same action, and the same answer."""
HOLD: Final = "interlock/hold"
WAIT: Final = "interlock/wait-ms"
WHY: Final = "interlock/justification"
MOST_AT_ONCE: Final = 64
"""Calls of one session that are under way at once."""
BUSY: Final = -32000
LONGEST_KEY: Final = 200
_TOLD_EVERY_S: Final = 5.0
"""How often whoever asked for progress hears that a call still waits."""


class Calls:
    """The tools of one gateway, for any number of callers."""

    def __init__(
        self, offers: Offers, patience: Patience, news: News, under_way: UnderWay, public_url: str = ""
    ) -> None:
        self._offers = offers
        self._patience = patience
        self._news = news
        self._under_way = under_way
        self._public_url = public_url
        self._busy: dict[int, int] = {}
        self._questions = Questions()

    async def list(
        self, work: Work, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """A page of what the caller may use now. Raises MCPError for a cursor that is none."""
        offered = await self._offers.of((await work.task()).task)
        ears_of(work).session = ctx.session
        self._news.listed(work, ctx.session, offered)
        return page(offered, params.cursor if params is not None else None, self._offers.accepted)

    async def call(self, work: Work, ctx: Context, params: types.CallToolRequestParams) -> Answer:
        """One call. What the gate says no to is a result that says so; an MCPError is what is no call at all."""
        with _Place(self._busy, id(work)):
            try:
                if params.name == TICKET:
                    return await self._ticket(work, ctx, params.arguments or {})
                if params.name == ANSWER:
                    return await self._answered(work, ctx, params.arguments or {})
                name = await self._offers.contract_of(params.name)
                if name is None:
                    raise _no_tool(params.name)
                if params.request_state is not None:
                    return await self._went_on(work, ctx, params, name)
                return await self._proposed(work, ctx, params, name)
            except InterlockError as error:
                return refused(error)

    def cancelled(self, work: Work, request: types.RequestId) -> None:
        """The client wants the answer to `request` no more."""
        self._under_way.cancelled(work, request)

    def end(self) -> None:
        """The server is about to end: calls that break off now are not their clients' doing."""
        self._under_way.end()

    def schema_of(self, name: str) -> dict[str, Any] | None:
        """The schema of a tool's arguments, as it was last listed: what headers of a call are held against."""
        return self._offers.accepted.schemas.get(name)

    async def finish(self, grace_s: float) -> None:
        """Wait for what is under way, for a while."""
        await self._under_way.finish(grace_s)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _proposed(
        self, work: Work, ctx: Context, params: types.CallToolRequestParams, name: ContractName, again: str = ""
    ) -> Answer:
        """Propose the call; `again` is the key of one that was proposed before, and is to be found so."""
        task, contract, meta = await work.task(), await self._contract(name), _meta(ctx)
        mcp = contract is not None and isinstance(contract.target, McpTarget)
        key = _key(meta) or again or None
        # A server says how far it is with an action, and asks within one: by this key it is known which call that is.
        named = key or (work.new() if mcp else None)
        proposing = self._under_way.begun(
            task.propose(name, _bound(contract, params), idempotency_key=named, justification=_words(meta.get(WHY)))
        )
        bridge = Bridge(ctx, named or work.new(), proposing)
        if mcp:
            ears_of(work).bridges[bridge.key] = bridge
        # Under a key it is asked for again, and must be there then.
        named_by = None if _by_leaving(ctx) else ctx.request_id
        wanted = self._under_way.open(proposing, work, named_by) if key is None else None
        broken = True
        try:
            answer = await self._through(work, ctx, bridge, params.name, name)
            broken = False
        except (InterlockError, MCPError):
            broken = False
            raise
        finally:
            if wanted is not None:
                self._under_way.over(wanted, broken=broken)
                if broken and _has_left(ctx):
                    self._under_way.unwanted(wanted)
        return answer

    async def _through(self, work: Work, ctx: Context, bridge: Bridge, asked_for: str, name: ContractName) -> Answer:
        """The answer to a call that is on its way, or what its client is asked before that."""
        found: Outcome | types.InputRequiredResult | None = None
        try:
            found = await bridge.until()
            if isinstance(found, types.InputRequiredResult):
                return found
            if isinstance(found, Refused) and found.rule == "interlock.capability":
                # Recorded, and told in the words of what is not there: what an agent may not use does not exist for it.
                raise _no_tool(asked_for)
            return await self._followed(work, ctx, found, name)
        finally:
            if not isinstance(found, types.InputRequiredResult):
                ears_of(work).bridges.pop(bridge.key, None)

    async def _followed(self, work: Work, ctx: Context, outcome: Outcome, name: ContractName) -> Answer:
        """The answer to a call whose action is `outcome` so far."""
        patience = self._patience_of(ctx)
        if not isinstance(outcome, Held | Pending) or patience.hold == "ticket":
            return await self._told(work, ctx, outcome, name)
        question = await self._question(work, ctx, outcome)
        if question is None:
            return await self._told(work, ctx, await self._until(work, ctx, outcome, patience.wait_ms), name)
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return types.InputRequiredResult(input_requests={NAME: question}, request_state=outcome.action_id)
        asking = asyncio.create_task(asked(ctx.session, question, ctx.request_id))
        try:
            return await self._chosen(work, ctx, outcome, name, patience.wait_ms, asking)
        finally:
            asking.cancel()

    async def _went_on(
        self, work: Work, ctx: Context, params: types.CallToolRequestParams, name: ContractName
    ) -> Answer:
        """The same call once more, with what the client was asked for. What its state says is no secret, and counts only where it
        is of the caller's own."""
        state = str(params.request_state)
        if state.startswith(BRIDGE):
            bridge = ears_of(work).bridges.get(state.removeprefix(BRIDGE))
            if bridge is None:
                # Over meanwhile, or begun by another process: under its key it is found.
                return await self._proposed(work, ctx, params, name, _again(state))
            bridge.went_on(ctx, params.input_responses)
            return await self._through(work, ctx, bridge, params.name, name)
        action, outcome = await self._under_way.kept(work.ticket(state, 0))
        if action.contract != name:
            raise NotFound("that is the answer to another call", next_step="answer what was asked of this one")
        choice = chosen((params.input_responses or {}).get(NAME))
        return await self._done_with(work, ctx, outcome, name, choice, self._patience_of(ctx).wait_ms)

    async def _chosen(
        self,
        work: Work,
        ctx: Context,
        outcome: Held | Pending,
        name: ContractName,
        wait_ms: int,
        asking: asyncio.Task[Choice],
    ) -> Answer:
        """Wait for the outcome and for what the person at the client says, whichever comes first."""
        waiting = self._under_way.begun(self._until(work, ctx, outcome, wait_ms))
        await asyncio.wait({waiting, asking}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done() and asking.result() != "wait":
            return await self._done_with(work, ctx, outcome, name, asking.result(), 0)
        return await self._told(work, ctx, await asyncio.shield(waiting), name)

    async def _done_with(
        self, work: Work, ctx: Context, outcome: Outcome, name: ContractName, choice: Choice, wait_ms: int
    ) -> Answer:
        if isinstance(outcome, Held | Pending):
            if choice == "withdraw":
                await self._under_way.withdraw(outcome)
            outcome = await self._until(work, ctx, outcome, 0 if choice != "wait" else wait_ms)
        return await self._told(work, ctx, outcome, name)

    async def _question(self, work: Work, ctx: Context, outcome: Held | Pending) -> types.ElicitRequest | None:
        if not isinstance(outcome, Held) or _meta(ctx).get(ELICIT) is False:
            return None
        action = await work.action(outcome.action_id)
        return None if action is None else question(action, ctx.session.client_capabilities, self._public_url)

    async def _ticket(self, work: Work, ctx: Context, arguments: dict[str, Any]) -> types.CallToolResult:
        name, wait = arguments.get("ticket"), arguments.get("wait_ms", 0)
        if not isinstance(name, str):
            raise NotFound("there is no ticket without a name", next_step='give it: `{"ticket": "..."}`')
        patience = self._patience.asked("wait", wait)
        action, outcome = await self._under_way.kept(work.ticket(name, 0))
        if isinstance(outcome, Held | Pending) and patience.wait_ms:
            outcome = await self._until(work, ctx, outcome, patience.wait_ms)
        return await self._told(work, ctx, outcome, action.contract)

    async def _answered(self, work: Work, ctx: Context, arguments: dict[str, Any]) -> types.CallToolResult:
        action, outcome = await self._under_way.kept(self._questions.answer(work, arguments))
        return await self._told(work, ctx, outcome, action.contract)

    async def _told(self, work: Work, ctx: Context, outcome: Outcome, name: ContractName) -> types.CallToolResult:
        """What the client is told of an outcome."""
        self._questions.told(work, outcome)
        contract = await self._contract(name)
        if isinstance(outcome, Done) and not outcome.withheld and contract is not None:
            target = contract.target
            if isinstance(target, McpTarget):
                return came(outcome, contract, self._offers.accepted.definition(target), ctx.protocol_version)
        return answered(outcome, contract)

    async def _contract(self, name: ContractName) -> Contract | None:
        return (await self._offers.now()).contracts.get(name)

    async def _until(self, work: Work, ctx: Context, outcome: Held | Pending, wait_ms: int) -> Outcome:
        """The outcome once it is settled or a reviewer asks something, or as it stands after `wait_ms`. Whoever wants progress is
        told that it waits."""
        answering = answering_of(ctx)
        if answering is not None:
            answering.ticket = outcome.action_id
        if wait_ms and self._questions.new(work, outcome):
            return outcome
        waited = self._under_way.begun(outcome.ticket.wait_async(timeout_ms=wait_ms))
        words, told = f"{outcome.detail}; ticket {outcome.action_id}", 0
        while not waited.done():
            await ctx.session.report_progress(told * _TOLD_EVERY_S, None, words)
            told += 1
            await asyncio.wait({waited}, timeout=_TOLD_EVERY_S)
            if not waited.done() and self._questions.new(work, now := await outcome.ticket.wait_async(timeout_ms=0)):
                return now
        return waited.result()

    def _patience_of(self, ctx: Context) -> Patience:
        meta = _meta(ctx)
        return self._patience.asked(meta.get(HOLD), meta.get(WAIT))


def _meta(ctx: Context) -> dict[str, Any]:
    return cast("dict[str, Any]", ctx.meta or {})


def _by_leaving(ctx: Context) -> bool:
    """Whether a client that goes away takes its call back by that: over HTTP in the newest version there is no other way."""
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and ctx.request is not None


def _has_left(ctx: Context) -> bool:
    """Whether it is the client that took a broken call back so: not where we ended the answer."""
    answering = answering_of(ctx)
    return _by_leaving(ctx) and answering is not None and answering.ended is None


class _Place:
    """A place among the calls of one session that are under way."""

    def __init__(self, busy: dict[int, int], whose: int) -> None:
        self._busy, self._whose = busy, whose

    def __enter__(self) -> None:
        held = self._busy.get(self._whose, 0)
        if held >= MOST_AT_ONCE:
            raise MCPError(BUSY, f"{MOST_AT_ONCE} calls of this session are under way: wait for one of them")
        self._busy[self._whose] = held + 1

    def __exit__(self, *error: object) -> None:
        left = self._busy[self._whose] - 1
        if left:
            self._busy[self._whose] = left
        else:
            del self._busy[self._whose]


def _no_tool(name: str) -> MCPError:
    return MCPError(types.INVALID_PARAMS, f"Unknown tool: {name[:128]}")


def _key(meta: dict[str, Any]) -> str | None:
    key = meta.get(KEY)
    if key is None:
        return None
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        raise MCPError(types.INVALID_PARAMS, f"`{KEY}` is a text of 1 to {LONGEST_KEY} characters")
    return key


def _again(state: str) -> str:
    key = state.removeprefix(BRIDGE)
    if not is_id(key):
        raise NotFound("that is the answer to no call", next_step="make the call anew")
    return key


def _bound(contract: Contract | None, params: types.CallToolRequestParams) -> dict[str, object]:
    """The arguments as the contract takes them. What cannot be written so stays as it is: the gate refuses it, on record."""
    arguments = cast("dict[str, object]", params.arguments or {})
    if contract is None or not isinstance(contract.target, McpTarget):
        return arguments
    try:
        return dict(bound(arguments, contract.target.forms))
    except InexactError:
        return arguments


def _words(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
