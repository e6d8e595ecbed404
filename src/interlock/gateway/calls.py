"""`tools/list` and `tools/call`: what is offered, and a call from the client to the gate and back.

A call goes on in a task of its own. A client that goes away, cancels or breaks its connection takes nothing back that the gate
has let through: what was begun is carried out and recorded, and whoever comes back with the ticket or the key hears of it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeAlias, TypeVar, cast

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import InterlockError, NotFound
from interlock.domain.ids import ContractName
from interlock.domain.patience import Patience
from interlock.domain.tool_name import TICKET
from interlock.gateway.answers import answered, refused, waiting
from interlock.gateway.listing import page
from interlock.gateway.news import News
from interlock.gateway.offers import Offers
from interlock.gateway.work import Work
from interlock.sdk.outcomes import Held, Outcome, Pending, Refused, Unknown

T = TypeVar("T")
Context: TypeAlias = ServerRequestContext[Any, Any]

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

    def __init__(self, offers: Offers, patience: Patience, news: News) -> None:
        self._offers = offers
        self._news = news
        self._patience = patience
        self._under_way: set[asyncio.Task[Any]] = set()
        self._busy: dict[int, int] = {}

    async def list(
        self, work: Work, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """A page of what the caller may use now. Raises MCPError for a cursor that is none."""
        offered = await self._offers.of((await work.task()).task)
        self._news.listed(work, ctx.session, offered)
        return page(offered, params.cursor if params is not None else None)

    async def call(self, work: Work, ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """One call. What the gate says no to is a result that says so; an MCPError is what is no call at all."""
        with _Place(self._busy, id(work)):
            try:
                if params.name == TICKET:
                    return await self._ticket(work, ctx, params.arguments or {})
                return await self._proposed(work, ctx, params)
            except InterlockError as error:
                return refused(error)

    async def finish(self, grace_s: float) -> None:
        """Wait for what is under way, for a while."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=grace_s)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _proposed(self, work: Work, ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        name = await self._offers.contract_of(params.name)
        if name is None:
            raise _no_tool(params.name)
        task = await work.task()
        meta = cast("dict[str, Any]", ctx.meta or {})
        outcome = await self._kept(
            task.propose(
                name,
                cast("dict[str, object]", params.arguments or {}),
                idempotency_key=_key(meta),
                justification=_words(meta.get(WHY)),
            )
        )
        if isinstance(outcome, Refused) and outcome.rule == "interlock.capability":
            # Recorded, and told in the words of what is not there: what an agent may not use does not exist for it.
            raise _no_tool(params.name)
        patience = self._patience.asked(meta.get(HOLD), meta.get(WAIT))
        if isinstance(outcome, Held | Pending) and patience.hold == "wait":
            outcome = await self._until(ctx, outcome, patience.wait_ms)
        return answered(outcome, await self._contract(name))

    async def _ticket(self, work: Work, ctx: Context, arguments: dict[str, Any]) -> types.CallToolResult:
        name, wait = arguments.get("ticket"), arguments.get("wait_ms", 0)
        if not isinstance(name, str):
            raise NotFound("there is no ticket without a name", next_step='give it: `{"ticket": "..."}`')
        patience = self._patience.asked("wait", wait)
        action, outcome = await self._kept(work.ticket(name, 0))
        if isinstance(outcome, Held | Pending) and patience.wait_ms:
            outcome = await self._until(ctx, outcome, patience.wait_ms)
        if isinstance(outcome, Held | Pending | Unknown):
            return waiting(outcome)
        return answered(outcome, await self._contract(action.contract))

    async def _contract(self, name: ContractName) -> Contract | None:
        return (await self._offers.now()).contracts.get(name)

    async def _until(self, ctx: Context, outcome: Held | Pending, wait_ms: int) -> Outcome:
        """The outcome once it is settled, or as it stands after `wait_ms`. Whoever wants progress is told that it waits."""
        waited = self._begun(outcome.ticket.wait_async(timeout_ms=wait_ms))
        told = 0
        while True:
            done, _ = await asyncio.wait({waited}, timeout=_TOLD_EVERY_S)
            if done:
                return waited.result()
            told += 1
            await ctx.session.report_progress(
                told * _TOLD_EVERY_S, None, f"{outcome.detail}; ticket {outcome.action_id}"
            )

    async def _kept(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work`, which goes on to its end whatever becomes of who waits for it."""
        return await asyncio.shield(self._begun(work))

    def _begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it had it; of one that nobody waits for any more the log says what came


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


def _words(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
