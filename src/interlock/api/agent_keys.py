"""`/v1/agent-keys`: secrets by which programs that can bear no more than a token are let in as an agent."""

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody

from interlock.api.parts import SEE, STOP, Note, Reason
from interlock.domain.agent_key import LASTS_MS, AgentKey, KeyToldOf, told_of
from interlock.domain.bearer import Bounds, Surface
from interlock.domain.errors import NotFound
from interlock.domain.fitting import Millis
from interlock.domain.ids import AgentName
from interlock.web.once import Answered, kept
from interlock.web.parts import Asked, Plane, Who


class Making(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that is to be made."""

    agent: str
    purpose: Reason
    on_behalf_of: Note = ""
    """Whom whoever bears it works for, `user:ana`; empty: the agent's own system."""
    surfaces: tuple[Surface, ...] = msgspec.field(name="for", default=("mcp",))
    lasts_ms: Millis = LASTS_MS
    bounds: Bounds = Bounds()


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A key, told once."""

    key: str
    """The secret itself. It is kept nowhere."""
    told: KeyToldOf


class Ending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a key is revoked."""

    why: Note = ""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What ended with a key."""

    key: KeyToldOf
    closed: int
    """How many tasks."""
    voided: int
    """How many actions that waited."""


@get("/v1/agent-keys", opt=SEE)
async def agent_keys(request: Asked, plane: Plane, agent: FromQuery[str] = "") -> Response[list[KeyToldOf]]:
    """The keys there are and were, the last made first."""
    now = plane.means.clock.now()
    return kept(request, [told_of(each, now) for each in await plane.agent_keys.all(agent)])


@post("/v1/agent-keys", opt={"needs": "see", "of_keys": "operate"}, status_code=201)
async def make(plane: Plane, actor: Who, data: JSONBody[Making]) -> Response[Made]:
    """Make one. Who answers for the decisions of the agent, or for its engineering, may. An answer that was lost is not told
    again: revoke that key, and make another."""
    text, made = await plane.agent_keys.make(
        AgentName(data.agent),
        by=actor.person,
        purpose=data.purpose,
        on_behalf_of=data.on_behalf_of,
        surfaces=data.surfaces,
        lasts_ms=data.lasts_ms,
        bounds=data.bounds,
    )
    told = Made(key=text, told=told_of(made, plane.means.clock.now()))
    return Response(told, status_code=201, headers={"Cache-Control": "no-store"})


@post("/v1/agent-keys/{key:str}/revoke", opt=STOP, status_code=200)
async def revoke(
    request: Asked, plane: Plane, actor: Who, once: Answered, key: FromPath[str], data: JSONBody[Ending]
) -> Response[Ended]:
    """End one, from the next request on, with every task that was opened through it."""

    async def work() -> Ended:
        taken = await plane.revoking.revoke("key", key, by=actor.person, why=data.why)
        return Ended(key=await _told(plane, key), closed=taken.closed, voided=taken.voided)

    async def again() -> Ended:
        return Ended(key=await _told(plane, key), closed=0, voided=0)

    return await once.do(request, actor, data, work, again)


async def _told(plane: Plane, name: str) -> KeyToldOf:
    found = await plane.means.store.get(AgentKey, name)
    if found is None:
        raise NotFound("there is no agent key of that id", next_step="list them: `/v1/agent-keys`")
    return told_of(found, plane.means.clock.now())


ROUTES: list[HTTPRouteHandler] = [agent_keys, make, revoke]
