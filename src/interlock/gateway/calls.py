"""`tools/list` and `tools/call`: what is offered, and a call from the client to the gate and back.

A call goes on in a task of its own. A client that goes away, cancels or breaks its connection takes nothing back that the gate
has let through: what was begun is carried out and recorded, and whoever comes back with the ticket or the key hears of it.
"""

import asyncio
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, cast

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
from interlock.gateway.answers import refused
from interlock.gateway.asking import NAME, chosen
from interlock.gateway.bridge import BRIDGE, Bridge
from interlock.gateway.context import Context
from interlock.gateway.ears import ears_of
from interlock.gateway.hearing import answering_of
from interlock.gateway.listing import page
from interlock.gateway.news import News
from interlock.gateway.offers import Offers
from interlock.gateway.pending import UnderWay
from interlock.gateway.places import MOST_WAITS, WAITS_OF_ONE, Places
from interlock.gateway.waiting import Answer, Waiting, meta_of
from interlock.gateway.work import Work
from interlock.sdk.outcomes import Outcome, Refused

KEY: Final = "interlock/idempotency-key"
"""In `_meta` of a call: the same key gives the same action, and the same answer."""
WHY: Final = "interlock/justification"
LONGEST_KEY: Final = 200


class Calls:
    """The tools of one gateway, for any number of callers."""

    def __init__(
        self, offers: Offers, patience: Patience, news: News, under_way: UnderWay, public_url: str = ""
    ) -> None:
        self._offers = offers
        self._patience = patience
        self._news = news
        self._under_way = under_way
        waits = Places(WAITS_OF_ONE, MOST_WAITS)
        self._waiting = Waiting(offers, patience, under_way, waits, public_url)

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
        with self.place(work):
            try:
                if params.name == TICKET:
                    return await self._ticket(work, ctx, params.arguments or {})
                if params.name == ANSWER:
                    return await self._waiting.answer(work, ctx, params.arguments or {})
                name = await self._offers.contract_of(params.name)
                if name is None:
                    raise _no_tool(params.name)
                if params.request_state is not None:
                    return await self._went_on(work, ctx, params, name)
                return await self._proposed(work, ctx, params, name)
            except InterlockError as error:
                return refused(error)

    def place(self, work: Work) -> AbstractContextManager[None]:
        """A place of a caller's among all that is under way. Raises MCPError where there is none left."""
        return self._under_way.place(work.caller.whose)

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
        task, contract, meta = await work.task(), (await self._offers.now()).contracts.get(name), meta_of(ctx)
        mcp = contract is not None and isinstance(contract.target, McpTarget)
        key = _key(meta) or again or None
        # A server says how far it is with an action, and asks within one: by this key it is known which call that is.
        named = key or (work.new() if mcp else None)
        proposing = self._under_way.begun(
            task.propose(name, _bound(contract, params), idempotency_key=named, justification=_words(meta.get(WHY)))
        )
        bridge = Bridge(ctx, named or work.new(), name, proposing)
        if mcp:
            ears_of(work).bridges[bridge.key] = bridge
        with self._taken_back(work, ctx, None if key is not None else proposing):
            return await self._through(work, ctx, bridge, params.name, name)

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
            return await self._waiting.followed(work, ctx, found, name)
        finally:
            if isinstance(found, types.InputRequiredResult):
                # Whoever does not come back with an answer leaves it behind no longer than its tool takes.
                bridge.proposing.add_done_callback(lambda _: _left(work, bridge))
            else:
                _left(work, bridge)

    async def _went_on(
        self, work: Work, ctx: Context, params: types.CallToolRequestParams, name: ContractName
    ) -> Answer:
        """The same call once more, with what the client was asked for. What its state says is no secret, and counts only where it
        is of the caller's own."""
        state, keyed = str(params.request_state), _key(meta_of(ctx)) is not None
        if state.startswith(BRIDGE):
            bridge = ears_of(work).bridges.get(state.removeprefix(BRIDGE))
            if bridge is None:
                # Over meanwhile, or begun by another process: under its key it is found.
                return await self._proposed(work, ctx, params, name, _again(state))
            _must_be(bridge.name, name)
            bridge.went_on(ctx, params.input_responses)
            with self._taken_back(work, ctx, None if keyed else bridge.proposing):
                return await self._through(work, ctx, bridge, params.name, name)
        action, outcome = await self._under_way.kept(work.ticket(state, 0))
        _must_be(action.contract, name)
        proposed = asyncio.get_running_loop().create_future()
        proposed.set_result(outcome)
        with self._taken_back(work, ctx, None if keyed else proposed):
            choice = chosen((params.input_responses or {}).get(NAME))
            return await self._waiting.chosen(work, ctx, outcome, name, choice)

    async def _ticket(self, work: Work, ctx: Context, arguments: dict[str, Any]) -> types.CallToolResult:
        name, wait = arguments.get("ticket"), arguments.get("wait_ms", 0)
        if not isinstance(name, str):
            raise NotFound("there is no ticket without a name", next_step='give it: `{"ticket": "..."}`')
        patience = self._patience.asked("wait", wait)
        action, outcome = await self._under_way.kept(work.ticket(name, 0))
        return await self._waiting.settled(work, ctx, outcome, action.contract, patience.wait_ms)

    @contextmanager
    def _taken_back(self, work: Work, ctx: Context, proposing: asyncio.Future[Outcome] | None) -> Generator[None]:
        """Within, the client may take the call back. None of one under a key: it is asked for again, and must be there then."""
        if proposing is None:
            yield
            return
        wanted = self._under_way.open(proposing, work, None if _by_leaving(ctx) else ctx.request_id)
        broken = True
        try:
            yield
            broken = False
        except (InterlockError, MCPError):
            broken = False
            raise
        finally:
            self._under_way.over(wanted, broken=broken)
            if broken and _has_left(ctx):
                self._under_way.unwanted(wanted)


def _left(work: Work, bridge: Bridge) -> None:
    """Nobody is at that end of it any more. Under one key there may be another by now."""
    if ears_of(work).bridges.get(bridge.key) is bridge:
        del ears_of(work).bridges[bridge.key]


def _must_be(asked: ContractName, name: ContractName) -> None:
    """Raises NotFound where a client goes on with a call of one tool under the name of another."""
    if asked != name:
        raise NotFound("that is the answer to another call", next_step="answer what was asked of this one")


def _by_leaving(ctx: Context) -> bool:
    """Whether a client that goes away takes its call back by that: over HTTP in the newest version there is no other way."""
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and ctx.request is not None


def _has_left(ctx: Context) -> bool:
    """Whether it is the client that took a broken call back so: not where we ended the answer."""
    answering = answering_of(ctx)
    return _by_leaving(ctx) and answering is not None and answering.ended is None


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
