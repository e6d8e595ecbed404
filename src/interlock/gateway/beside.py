"""Resources and prompts: what servers offer beside tools, read by actions of the agent's like anything else.

Listed is what a server's file lets pass and whose contract the task may use. A read is proposed, decided, filtered and recorded;
what comes back is the server's word, and says so.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar, cast

import mcp_types as types
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, ValidationError

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import InterlockError
from interlock.domain.label import Source
from interlock.domain.upstream import Server, Wire
from interlock.domain.upstream_reads import Beside, as_it_came, beside_name, passes, recorded
from interlock.gateway.answers import ACTION, SOURCE, TASK
from interlock.gateway.offers import Offers
from interlock.gateway.pending import UnderWay
from interlock.gateway.subscriptions import Subscriptions
from interlock.gateway.work import Work
from interlock.ports.upstream import Kind, Upstreams
from interlock.sdk.framework_call import FrameworkCall, Given
from interlock.sdk.lending import Own

M = TypeVar("M", bound=BaseModel)
_log = logging.getLogger("interlock.gateway")
PAGE: Final = 100
NOT_THERE: Final = -32002
"""The protocol's word for a resource that there is not."""
REFUSED: Final = -32003


class BesideTools:
    """The resources and prompts of all servers, for any number of callers."""

    def __init__(self, upstreams: Upstreams, offers: Offers, under_way: UnderWay, patience_ms: int) -> None:
        self._upstreams = upstreams
        self._offers = offers
        self._under_way = under_way
        self._patience_ms = patience_ms
        self.subscriptions = Subscriptions(upstreams, self.server_of)

    async def resources(self, work: Work, cursor: str | None) -> types.ListResourcesResult:
        """What may be read."""
        found = await self._listed(work, "resources", "read_resource")
        part, more = _page(found, cursor)
        return types.ListResourcesResult(resources=_valid(types.Resource, part), next_cursor=more)

    async def templates(self, work: Work, cursor: str | None) -> types.ListResourceTemplatesResult:
        """What may be read by filling in an address."""
        found = await self._listed(work, "templates", "read_resource")
        part, more = _page(found, cursor)
        return types.ListResourceTemplatesResult(
            resource_templates=_valid(types.ResourceTemplate, part), next_cursor=more
        )

    async def prompts(self, work: Work, cursor: str | None) -> types.ListPromptsResult:
        """What prompts may be had, under names of which each is one server's."""
        found = await self._listed(work, "prompts", "get_prompt")
        named = [(server, {**each, "name": prompt_name(server, str(each.get("name")))}) for server, each in found]
        part, more = _page(named, cursor)
        return types.ListPromptsResult(prompts=_valid(types.Prompt, part), next_cursor=more)

    async def read(self, work: Work, uri: str) -> types.ReadResourceResult:
        """A resource. Raises MCPError where none of what may be read has that address, and where it is refused."""
        task = await work.task()
        server = await self.server_of(work, uri)
        if server is None:
            raise MCPError(NOT_THERE, "Resource not found", {"uri": uri[:1024]})

        async def own(agreed: Mapping[str, JsonValue]) -> Wire:
            return await self._upstreams.read(server.name, str(agreed["uri"]), task=task.id)

        return _one(types.ReadResourceResult, await self._had(work, server, "read_resource", {"uri": uri}, own))

    async def prompt(self, work: Work, name: str, arguments: Mapping[str, str]) -> types.GetPromptResult:
        """A prompt. Raises MCPError as above."""
        task = await work.task()
        for server in await self._servers(work, "get_prompt"):
            named = name.removeprefix(f"{server.name}__")
            if named != name and passes(named, server.prompts):
                asked: dict[str, JsonValue] = {"name": named, "arguments": dict(arguments)}
                own = partial(self._prompted, server.name, task.id)
                return _one(types.GetPromptResult, await self._had(work, server, "get_prompt", asked, own))
        raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {name[:128]}")

    async def complete(self, work: Work, params: types.CompleteRequestParams) -> types.CompleteResult:
        """What may be written for an argument of a prompt or of an address: the server's own word."""
        said = params.model_dump(by_alias=True, mode="json", exclude_none=True)
        said.pop("_meta", None)
        ref, task = said["ref"], (await work.task()).id
        found: Server | None = None
        if ref.get("type") == "ref/prompt":
            for server in await self._servers(work, "get_prompt"):
                own = str(ref.get("name")).removeprefix(f"{server.name}__")
                if own != ref.get("name"):
                    found, ref["name"] = server, own
        else:
            found = await self.server_of(work, str(ref.get("uri")))
        if found is None:
            raise MCPError(types.INVALID_PARAMS, "nothing of that name may be had")
        return _one(types.CompleteResult, await self._upstreams.complete(found.name, said, task=task))

    async def server_of(self, work: Work, uri: str) -> Server | None:
        """The server whose file lets `uri` pass, the first by name, where the task may read of it."""
        for server in await self._servers(work, "read_resource"):
            if passes(uri, server.resources):
                return server
        return None

    # -- parts -------------------------------------------------------------------------------------------------

    async def _prompted(self, server: str, task: str, agreed: Mapping[str, JsonValue]) -> Wire:
        given = agreed.get("arguments")
        arguments = {name: str(value) for name, value in given.items()} if isinstance(given, dict) else {}
        return await self._upstreams.prompt(server, str(agreed["name"]), arguments, task=task)

    async def _had(self, work: Work, server: Server, what: Beside, arguments: dict[str, JsonValue], own: Own) -> Wire:
        """What `own` gives, had by an action, with what was agreed to. Raises MCPError with what the gate said no to."""
        call = FrameworkCall(
            tool=beside_name(server.name, what), arguments=arguments, call_id=work.new(), own=own, rendered=recorded
        )
        came = await self._under_way.kept(work.governor(await work.task(), self._patience_ms).acall(call))
        if not isinstance(came, Given):
            problem = came.outcome.problem() if isinstance(came.outcome, InterlockError) else {}
            raise MCPError(REFUSED, came.text, problem)
        label = Source(kind="mcp", name=server.name, trusted=server.trusted)
        found = as_it_came(came.value)
        meta = {
            ACTION: came.done.action_id,
            TASK: came.done.task,
            SOURCE: {"kind": label.kind, "name": label.name, "trusted": label.trusted},
        }
        return {**found, "_meta": {**cast("dict[str, Any]", found.get("_meta") or {}), **meta}}

    async def _servers(self, work: Work, what: Beside) -> list[Server]:
        """The servers of which the task may have that."""
        usable = {each.name for each in (await self._offers.usable((await work.task()).task)).values()}
        return [each for each in self._upstreams.servers() if beside_name(each.name, what) in usable]

    async def _listed(self, work: Work, kind: Kind, what: Beside) -> list[tuple[str, Wire]]:
        """What all of them list, those at once that answer: one that does not keeps nobody from the others."""
        task = (await work.task()).id
        servers = await self._servers(work, what)
        lists = await asyncio.gather(
            *(self._upstreams.offered(each.name, kind, task=task) for each in servers), return_exceptions=True
        )
        found: list[tuple[str, Wire]] = []
        for server, listed in zip(servers, lists, strict=True):
            if isinstance(listed, InterlockError):
                _log.warning("what `%s` offers cannot be listed: %s", server.name, listed.detail)
            elif isinstance(listed, Exception):
                _log.error("what `%s` offers cannot be listed, by a defect of Interlock", server.name, exc_info=listed)
            elif isinstance(listed, BaseException):
                raise listed
            else:
                label = {"kind": "mcp", "name": server.name, "trusted": server.trusted}
                for each in listed:
                    said = each.get("_meta")
                    meta = cast(Wire, said) if isinstance(said, dict) else {}
                    found.append((server.name, {**each, "_meta": {**meta, SOURCE: label}}))
        return found


def prompt_name(server: str, prompt: str) -> str:
    """The name under which a prompt of a server is offered."""
    return f"{server}__{prompt}"


def _page(found: Sequence[tuple[str, Wire]], cursor: str | None) -> tuple[list[Wire], str | None]:
    begin = 0
    if cursor is not None:
        if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
            raise MCPError(types.INVALID_PARAMS, "that is no cursor of this list")
        begin = int(cursor)
    part = [each for _, each in found[begin : begin + PAGE]]
    return part, str(begin + PAGE) if begin + PAGE < len(found) else None


def _valid(model: type[M], listed: Sequence[Wire]) -> list[M]:
    """Those that are what the protocol calls so; what a server lists beside is left out."""
    found: list[M] = []
    for each in listed:
        try:
            found.append(model.model_validate(each, by_name=False))
        except ValidationError:
            _log.warning("something that a server lists is none: it is left out")
    return found


def _one(model: type[M], wire: Wire) -> M:
    try:
        return model.model_validate(wire, by_name=False)
    except ValidationError:
        raise MCPError(types.INTERNAL_ERROR, "the server answered with what the protocol does not know") from None
