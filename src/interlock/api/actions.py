"""`/v1/actions` and `/v1/undos`: what agents did, all of it, and what people do about it."""

from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody

from interlock.api.parts import OPERATE, SEE, Limit, Note, Reason, listed
from interlock.domain.action import Action, State
from interlock.domain.canonical import JsonValue
from interlock.domain.dossier import Dossier
from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import NotFound
from interlock.domain.evidence import Packet
from interlock.domain.explanation import Explanation
from interlock.domain.filtering import published
from interlock.domain.ids import ActionId, UnwindId
from interlock.domain.unwind import Unwind, UnwindScope
from interlock.services.action_list import Sought, actions_of
from interlock.services.known_actions import stored_action
from interlock.services.plane import ControlPlane
from interlock.web.once import Answered, kept
from interlock.web.parts import Asked, Plane, Who


class Actions(msgspec.Struct, frozen=True, kw_only=True):
    """Some actions, newest first."""

    actions: tuple[Action, ...]
    next: str = ""
    """The cursor of the next page, or nothing where this is the last."""


class Settlement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What you found out about an unknown action."""

    happened: Literal["done", "failed"]
    note: Reason
    """How you know. It is kept sealed."""
    result: JsonValue = None


class Undo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be undone, and why."""

    scope: UnwindScope
    target: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    why: Note = ""


async def known(plane: ControlPlane, action: str) -> Action:
    """The action of that id. Raises NotFound."""
    found = await stored_action(plane.means.store, action)
    return published(found)


@get("/v1/actions", opt=SEE)
async def actions(
    request: Asked,
    plane: Plane,
    task: FromQuery[str] = "",
    agent: FromQuery[str] = "",
    contract: FromQuery[str] = "",
    release: FromQuery[str] = "",
    states: FromQuery[list[State] | None] = None,
    cursor: FromQuery[str] = "",
    limit: Limit = 50,
) -> Response[Actions]:
    """Actions, newest first; every filter narrows. What the log says of them is found by `/v1/audit`."""
    sought = Sought(task=task, agent=agent, contract=contract, release=release, states=tuple(states or ()))
    found = await actions_of(plane, sought, before=cursor, limit=limit)
    shown = tuple(published(each) for each in found.actions)
    page = Actions(actions=shown, next=shown[-1].id if found.more and shown else "")
    return listed(request, page, page.next)


@get("/v1/actions/{action:str}", opt=SEE)
async def action_of(request: Asked, plane: Plane, action: FromPath[str]) -> Response[Action]:
    """One action as it stands."""
    return kept(request, await known(plane, action))


@get("/v1/actions/{action:str}/story", opt=SEE)
async def story(request: Asked, plane: Plane, actor: Who, action: FromPath[str]) -> Response[Dossier]:
    """One action as people read it, with its timeline."""
    return kept(request, await plane.dossiers.of(ActionId(action), actor.person, session=actor.session))


@get("/v1/actions/{action:str}/explanation", opt=SEE)
async def explanation(request: Asked, plane: Plane, action: FromPath[str]) -> Response[Explanation]:
    """Why it was decided as it was, policy by policy."""
    if plane.explaining is None:
        raise NotFound("nothing here can account for decisions in words", next_step="ask the command line")
    return kept(request, await plane.explaining.recorded(await known(plane, action)))


@get("/v1/actions/{action:str}/packet", opt=SEE)
async def packet(request: Asked, plane: Plane, action: FromPath[str]) -> Response[Packet]:
    """Every entry of it with what proves them against the log's head: the proof-of-action."""
    return kept(request, await plane.audit.packet((await known(plane, action)).id))


@get("/v1/actions/{action:str}/proof", opt=SEE)
async def proof(request: Asked, plane: Plane, action: FromPath[str]) -> Response[EntryProof]:
    """What proves, without anybody, that the last thing recorded of it stands in the log."""
    return kept(request, await plane.audit.proof((await known(plane, action)).id))


@post("/v1/actions/{action:str}/settle", opt=OPERATE, status_code=200)
async def settle(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str], data: JSONBody[Settlement]
) -> Response[Action]:
    """Say what became of an unknown action, after you looked."""

    async def work() -> Action:
        after = await plane.settling.settle(
            ActionId(action), actor.person, data.happened, result=data.result, note=data.note
        )
        return published(after)

    return await once.do(request, actor, data, work, lambda: known(plane, action))


@get("/v1/undos", opt=SEE)
async def undos(request: Asked, plane: Plane) -> Response[list[Unwind]]:
    """What was asked to be undone, and how far that is."""
    return kept(request, await plane.compensation.requests())


@post("/v1/undos", opt=OPERATE, status_code=202)
async def undo(request: Asked, plane: Plane, actor: Who, once: Answered, data: JSONBody[Undo]) -> Response[Unwind]:
    """Undo an action, a task, or everything a release did, in reverse order. Workers go on with it."""

    async def work() -> Unwind:
        return await plane.compensation.undo(data.scope, data.target, by=actor.person, why=data.why)

    return await once.do(request, actor, data, work)


@post("/v1/undos/{undo_id:str}/retry", opt=OPERATE, status_code=202)
async def retry(request: Asked, plane: Plane, actor: Who, once: Answered, undo_id: FromPath[str]) -> Response[Unwind]:
    """Go on with an undo that was blocked."""

    async def work() -> Unwind:
        return await plane.compensation.retry(UnwindId(undo_id), by=actor.person)

    return await once.do(request, actor, None, work)


ROUTES: list[HTTPRouteHandler] = [actions, action_of, story, explanation, packet, proof, settle, undos, undo, retry]
