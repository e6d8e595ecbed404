"""A call under way, between its client and the server that does it: progress goes one way, what the server asks back the other.

A client of the older versions is asked on its connection while the call waits. One of the newest is answered that more is wanted,
and makes the call again with it, while the server's call goes on here.
"""

import asyncio
from typing import Any, Final

import mcp_types as types
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, ValidationError

from interlock.domain.errors import NotAllowed
from interlock.domain.ids import ContractName
from interlock.domain.upstream import Wire
from interlock.gateway.context import Context
from interlock.sdk.outcomes import Outcome

BRIDGE: Final = "call:"
"""How the state of such a round trip begins."""
_REQUESTS: Final[dict[str, tuple[type[BaseModel], type[BaseModel], type[BaseModel]]]] = {
    "sampling/createMessage": (
        types.CreateMessageRequest,
        types.CreateMessageRequestParams,
        types.CreateMessageResult,
    ),
    "elicitation/create": (types.ElicitRequest, types.ElicitRequestFormParams, types.ElicitResult),
    "roots/list": (types.ListRootsRequest, types.RequestParams, types.ListRootsResult),
}


class Bridge:
    """One call."""

    def __init__(self, ctx: Context, key: str, name: ContractName, proposing: asyncio.Task[Outcome]) -> None:
        self.ctx = ctx
        """The request by which the client last asked for it."""
        self.name = name
        self.key = key
        self.proposing = proposing
        self._asks: dict[str, tuple[Any, asyncio.Future[Any]]] = {}
        self._asked = asyncio.Event()
        self._next = 1

    async def until(self) -> Outcome | types.InputRequiredResult:
        """What the call came to; or what is asked of the client before that, where it is asked so."""
        asked = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({self.proposing, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        if self.proposing.done() or not self._asks:
            return await asyncio.shield(self.proposing)
        self._asked.clear()
        requests = {name: request for name, (request, _) in self._asks.items()}
        return types.InputRequiredResult(input_requests=requests, request_state=f"{BRIDGE}{self.key}")

    def went_on(self, ctx: Context, responses: types.InputResponses | None) -> None:
        """The client made the call again, with these answers."""
        self.ctx = ctx
        for name, (_, answer) in list(self._asks.items()):
            given = (responses or {}).get(name)
            if given is not None and not answer.done():
                answer.set_result(given)
                del self._asks[name]
        if self._asks:
            self._asked.set()

    async def ask(self, method: str, params: Wire) -> Wire:
        """Ask the client, and give what it answers. Raises NotAllowed where it offers none, or answers none."""
        request, kind = self._request(method, params)
        session = self.ctx.session
        try:
            if self.ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
                answer = await self._brought(request)
            else:
                related = ServerMessageMetadata(related_request_id=self.ctx.request_id)
                answer = await session.send_request(request, kind, metadata=related)
        except (MCPError, ValidationError):
            raise NotAllowed(f"the client did not answer `{method}`", next_step="nothing; it was asked") from None
        if not isinstance(answer, kind):
            raise NotAllowed(f"the client answered `{method}` with something else", next_step="nothing; it was asked")
        return answer.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def progressed(self, news: Wire) -> None:
        """How far it is, for whoever wanted to know."""
        done, total, message = news.get("progress"), news.get("total"), news.get("message")
        if isinstance(done, int | float):
            await self.ctx.session.report_progress(
                float(done),
                float(total) if isinstance(total, int | float) else None,
                message if isinstance(message, str) else None,
            )

    def _request(self, method: str, params: Wire) -> tuple[Any, type[BaseModel]]:
        if method not in _REQUESTS or not offers(self.ctx.session.client_capabilities, method, params):
            raise NotAllowed(f"the client offers nothing that answers `{method}`", next_step="nothing; it cannot")
        request, said, result = _REQUESTS[method]
        if method == "elicitation/create" and params.get("mode") == "url":
            said = types.ElicitRequestURLParams
            if self.ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS and "elicitationId" not in params:
                # Clients of the older versions want a name for it, which servers of the newest do not give.
                params = {**params, "elicitationId": f"{self.key}-{self._next}"}
                self._next += 1
        if method == "sampling/createMessage" and params.get("tools"):
            result = types.CreateMessageResultWithTools
        try:
            given = said.model_validate(params, by_name=False)
            return request(params=given), result
        except ValidationError:
            raise NotAllowed(f"what it asks by `{method}` is none", next_step="nothing; it is not asked") from None

    async def _brought(self, request: Any) -> Any:
        if self.proposing.done():
            # It waited for a person and goes on now: no request of the client's is open that could be answered so.
            raise NotAllowed("the client cannot be asked any more", next_step="nothing; it is refused")
        name, answer = f"ask-{self._next}", asyncio.get_running_loop().create_future()
        self._next += 1
        self._asks[name] = (request, answer)
        self._asked.set()
        try:
            return await answer
        finally:
            self._asks.pop(name, None)


def offers(offered: types.ClientCapabilities | None, method: str, params: Wire) -> bool:
    """Whether a client said that it answers such a question: tools in one, and addresses, are offered apart."""
    if offered is None:
        return False
    match method:
        case "sampling/createMessage":
            tools = "tools" in params or "toolChoice" in params
            return offered.sampling is not None and (not tools or offered.sampling.tools is not None)
        case "elicitation/create":
            elicits = offered.elicitation
            if elicits is None:
                return False
            return (
                elicits.url is not None if params.get("mode") == "url" else elicits.form is not None or not elicits.url
            )
        case _:
            return offered.roots is not None
