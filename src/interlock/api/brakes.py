"""`/v1/brakes` and `/v1/drills`: what is stopped, stopping it, and how long that takes."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from interlock.api.parts import OPERATE, SEE, STOP, Note
from interlock.domain.brakes import Brake, HeldBack
from interlock.domain.control import StopMode, StopScope
from interlock.domain.drill import Drill
from interlock.web.once import Answered, kept
from interlock.web.parts import Asked, Plane, Who


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a brake is pulled on."""

    scope: StopScope
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """Nothing for `all`."""


class Stopping(Named, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A brake that is pulled."""

    mode: StopMode = "stop"
    why: Note = ""


@get("/v1/brakes", opt=SEE)
async def brakes(request: Asked, plane: Plane) -> Response[list[Brake]]:
    """The brakes that hold."""
    return kept(request, await plane.braking.brakes())


@post("/v1/brakes", opt=STOP, status_code=200)
async def stop(
    request: Asked, plane: Plane, actor: Who, once: Answered, data: JSONBody[Stopping]
) -> Response[list[Brake]]:
    """Pull one: from when this is answered nothing it covers is dispatched. Gives all that hold."""

    async def work() -> list[Brake]:
        await plane.braking.stop(data.scope, data.name, by=actor.person, why=data.why, mode=data.mode)
        return await plane.braking.brakes()

    return await once.do(request, actor, data, work, plane.braking.brakes)


@post("/v1/brakes/resume", opt=OPERATE, status_code=200)
async def resume(
    request: Asked, plane: Plane, actor: Who, once: Answered, data: JSONBody[Named]
) -> Response[list[Brake]]:
    """Take one off. Gives those that hold still."""

    async def work() -> list[Brake]:
        await plane.braking.resume(data.scope, data.name, by=actor.person)
        return await plane.braking.brakes()

    return await once.do(request, actor, data, work, plane.braking.brakes)


@post("/v1/brakes/dry", opt=SEE, status_code=200)
async def dry(request: Asked, plane: Plane, data: JSONBody[Named]) -> Response[HeldBack]:
    """What a brake would hold back, without pulling it."""
    return kept(request, await plane.drills.dry(data.scope, data.name))


@get("/v1/drills", opt=SEE)
async def drills(request: Asked, plane: Plane) -> Response[list[Drill]]:
    """The drills there were, newest first."""
    return kept(request, await plane.drills.past())


@post("/v1/drills", opt=OPERATE, status_code=200)
async def drill(request: Asked, plane: Plane, actor: Who, once: Answered, data: JSONBody[Named]) -> Response[Drill]:
    """Pull a brake, see how long it takes until nothing moves, and take it off again."""

    async def work() -> Drill:
        return await plane.drills.run(data.scope, data.name, by=actor.person)

    return await once.do(request, actor, data, work)


ROUTES: list[HTTPRouteHandler] = [brakes, stop, resume, dry, drills, drill]
