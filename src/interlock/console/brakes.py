"""The kill switch, in the header of every page: what is stopped, stopping more, and letting it go again.

Stopping is two plain steps, because it is pulled in a hurry: what, then what it would hold back with the button that stops.
"""

from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from interlock.console.given import lead_to
from interlock.console.render import page
from interlock.console.sent import bounded, sent_by
from interlock.domain.agent import Agent
from interlock.domain.brakes import Brake, HeldBack
from interlock.domain.control import Stop, StopMode, StopScope
from interlock.domain.errors import ContractError, InterlockError, NotAllowed, NotFound
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane, Who

MODES: Final[tuple[tuple[StopMode, str], ...]] = (
    ("stop", "nothing is decided and nothing begun"),
    ("pause", "nothing is begun; what is asked for waits"),
    ("drain", "nothing new is taken; what was accepted finishes"),
)
SCOPES: Final[tuple[StopScope, ...]] = (
    "all",
    "agent",
    "contract",
    "tag",
    "task",
    "user",
    "instance",
    "release",
    "target",
)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A brake, what it holds back, and the words that lift it."""

    brake: Brake
    back: HeldBack
    what: str


@get("/brakes", opt={"needs": "see"}, include_in_schema=False)
async def brakes(request: Asked, plane: Plane) -> Response[str]:
    """What is stopped; with `what` in the address what that would hold back."""
    what = request.query_params.get("what", "")[:300]
    try:
        supposed = await plane.drills.dry(*scope_of(what)) if what else None
    except (NotFound, ContractError) as error:
        return await _page(request, plane, what=what, problem=error)
    return await _page(request, plane, what=what, supposed=supposed)


@post("/brakes/stop", opt={"needs": "stop"}, include_in_schema=False, status_code=303)
async def stop(request: Asked, plane: Plane, actor: Who) -> Response[Any]:
    """Pull a brake."""
    sent = await sent_by(request)
    what, why = sent.get("what", "")[:300], sent.get("why", "").strip()
    modes: list[StopMode] = [mode for mode, _ in MODES if mode == sent.get("mode", "stop")]
    try:
        scope, name = scope_of(what)
        if not modes:
            raise ContractError("there is no such mode", path="/mode", next_step="stop, pause or drain")
        await plane.braking.stop(scope, name, by=actor.person, why=bounded(why, "why"), mode=modes[0])
    except (NotFound, NotAllowed, ContractError) as error:
        return await _page(request, plane, what=what, why=why, problem=error)
    return _back()


@post("/brakes/resume", opt={"needs": "operate"}, include_in_schema=False, status_code=303)
async def resume(request: Asked, plane: Plane, actor: Who) -> Response[Any]:
    """Lift a brake."""
    sent = await sent_by(request)
    try:
        scope, name = scope_of(sent.get("what", "")[:300])
        await plane.braking.resume(scope, name, by=actor.person)
    except (NotFound, NotAllowed, ContractError) as error:
        return await _page(request, plane, problem=error)
    return _back()


def scope_of(words: str) -> tuple[StopScope, str]:
    """`all`, or `agent:NAME` and the like. Raises ContractError."""
    scope, colon, name = words.partition(":")
    if scope not in SCOPES or bool(colon) == (scope == "all") or (colon and not name.strip()):
        raise ContractError(
            "that is nothing one can stop", path="/what", next_step="`all`, `agent:NAME`, `contract:NAME` or `tag:WORD`"
        )
    return scope, name.strip()


def words_of(brake: Brake) -> str:
    """What `scope_of` reads as the scope of `brake`. A user has no name in the brake itself, and nobody's in it once erased."""
    stop: Stop = brake.stop
    if stop.scope == "user":
        return brake.words
    return f"{stop.scope}:{stop.name}" if stop.name else stop.scope


async def _page(
    request: Asked,
    plane: ControlPlane,
    *,
    what: str = "",
    why: str = "",
    supposed: HeldBack | None = None,
    problem: InterlockError | None = None,
) -> Response[str]:
    found = await plane.braking.brakes()
    agents = await plane.means.store.all(Agent, limit=1_000)
    drills = await plane.drills.past()
    orders = await plane.orders.current()
    return page(
        request,
        "brakes.html",
        wrong=problem,
        held=[Held(brake=each, back=await plane.braking.held_back(each.stop), what=words_of(each)) for each in found],
        agents=sorted(each.name for each in agents),
        tags=sorted({tag for each in agents for tag in each.tags}),
        contracts=sorted(orders.contracts),
        modes=MODES,
        drill=drills[0] if drills else None,
        what=what,
        why=why,
        supposed=supposed,
        problem=problem,
    )


def _back() -> Response[bytes]:
    return lead_to("/brakes")


ROUTES: list[HTTPRouteHandler] = [brakes, stop, resume]
