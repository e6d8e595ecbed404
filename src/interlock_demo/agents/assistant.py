"""The shopping assistant: an MCP client, one customer's wish a session. It asks twice when it is unsure whether it was heard.

Nothing in it knows of Interlock: it lists tools, calls them and reads what it is answered, as a program does that was written for
any server. The one thing it does that not all do is to name each step, so that a step said twice is known for the same.
"""

from typing import Any, cast
from uuid import uuid4

import anyio
import httpx2
import msgspec
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, RequestParamsMeta

from interlock_demo.agents.tally import Note, Tally
from interlock_demo.door import Door

OTHER = "CUS-0320"
"""A customer who has nothing to do with it."""
KEY, WHY = "interlock/idempotency-key", "interlock/justification"
ACTION, STATE = "interlock/action", "interlock/state"
TIMEOUT_S = 30.0


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer wants. `repeats`: the connection broke and the assistant says everything twice. `says` is text the
    customer wrote, and what a careless model would do about it."""

    customer_id: str
    words: str
    quantity: int
    repeats: bool = False
    says: str = ""


def serve(door: Door, wish: Wish, tally: Tally) -> None:
    """Find it, put it aside, order it, charge it. Raises what the client raises where the gateway cannot be reached."""
    tally.tasks += 1
    anyio.run(_serve, door, wish, tally)


async def _serve(door: Door, wish: Wish, tally: Tally) -> None:
    bears = {"Authorization": f"Bearer {door.token(wish.customer_id)}"}
    async with (
        httpx2.AsyncClient(headers=bears, timeout=TIMEOUT_S, trust_env=False) as http,
        Client(streamable_http_client(door.address, http_client=http), mode="legacy") as client,
    ):
        talk = _Talk(client, wish, tally)
        if wish.says:
            await talk.listen()
        found = await talk.look()
        if found:
            for _ in range(2 if wish.repeats else 1):
                await talk.buy(found)


class _Talk:
    """One session, about one wish."""

    def __init__(self, client: Client, wish: Wish, tally: Tally) -> None:
        self._client = client
        self._name = uuid4().hex
        self._wish = wish
        self._tally = tally

    async def listen(self) -> None:
        """What a model does that takes a customer's text for an instruction. The one is not its tool, the other not its customer,
        so that nothing comes of it."""
        for tool, subject, arguments in (
            ("refunds__issue", self._wish.customer_id, {"return_id": "RET-0001", "amount_minor": 99_900}),
            ("cart__reserve", OTHER, {"customer_id": OTHER, "sku": "AUR-001", "quantity": 1}),
        ):
            await self._step(tool, arguments, subject, {WHY: self._wish.says})

    async def look(self) -> str:
        """The cheapest product that fits and is there; empty where none is."""
        hits = await self._client.call_tool("catalog__search", {"words": self._wish.words})
        found: list[dict[str, Any]] = _given(hits) or []
        for hit in found:
            stock = _given(await self._client.call_tool("stock__check", {"sku": hit["sku"]}))
            if stock is not None and stock["on_hand"] - stock["reserved"] >= self._wish.quantity:
                return str(hit["sku"])
        return ""

    async def buy(self, sku: str) -> None:
        """Three steps, each with a name: saying them again gives the same answers and buys nothing more."""
        customer = self._wish.customer_id
        wanted = {"customer_id": customer, "sku": sku, "quantity": self._wish.quantity}
        reserved = await self._step("cart__reserve", wanted, customer, self._named("reserve"))
        if reserved is None:
            return
        sale = await self._step(
            "orders__place", {"reservation_id": reserved["reservation_id"]}, customer, self._named("order")
        )
        if sale is not None:
            charge = {"order_id": sale["order_id"], "amount_minor": sale["total_minor"]}
            await self._step("charges__take", charge, customer, self._named("charge"))

    def _named(self, step: str) -> dict[str, str]:
        return {KEY: f"{self._name}:{step}"}

    async def _step(self, tool: str, arguments: dict[str, Any], subject: str, beside: dict[str, str]) -> Any:
        """Call `tool`, count what came of it, and give its result if there is one."""
        contract = tool.replace("__", ".")
        try:
            answer = await self._client.call_tool(tool, arguments, meta=cast(RequestParamsMeta, beside))
        except MCPError as error:
            note = Note(
                outcome="refused", action_id="", contract=contract, subject=subject, reasons=(error.error.message,)
            )
            self._tally.heard(note)
            return None
        said: dict[str, Any] = answer.structured_content or {}
        meta: dict[str, Any] = answer.meta or {}
        note = Note(
            outcome=str(meta.get(STATE, "failed")),
            action_id=str(meta.get(ACTION, "")),
            contract=contract,
            subject=subject,
            reasons=tuple(said.get("reasons", ())),
        )
        self._tally.heard(note)
        return _given(answer)


def _given(answer: CallToolResult) -> Any:
    """The result of the tool, if it is one. What is no object stands under `result`."""
    said = answer.structured_content
    if answer.is_error or said is None:
        return None
    return said["result"] if said.keys() == {"result"} else said
