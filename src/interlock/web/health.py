"""`/livez` and `/readyz`: whether this process lives, and whether the gate and the console would answer, each with reasons.

Anybody may ask, so reasons are codes of errors and plain words, never what a person or an agent wrote.
"""

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from interlock.domain.errors import InterlockError
from interlock.services.plane import ControlPlane
from interlock.web.parts import Plane

ANYBODY = {"needs": "nobody", "unlimited": True}


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is not ready."""

    code: str
    words: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one part would answer."""

    ready: bool
    reasons: tuple[Reason, ...] = ()


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Both."""

    gate: Part
    console: Part


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """It lives."""

    alive: bool = True


@get("/livez", opt=ANYBODY, include_in_schema=False)
async def livez() -> Alive:
    """Whether this process answers at all. It asks nothing of the store: a full disk is no reason to be started again."""
    return Alive()


@get("/readyz", opt=ANYBODY, include_in_schema=False)
async def readyz(plane: Plane) -> Response[Ready]:
    """200 where agents and people are both answered; else 503, with which of them are not, and why."""
    found = await readiness(plane)
    return Response(found, status_code=200 if found.gate.ready and found.console.ready else 503)


@get("/readyz/gate", opt=ANYBODY, include_in_schema=False)
async def readyz_gate(plane: Plane) -> Response[Part]:
    """The same of the gate alone: for whoever sends agents here."""
    found = (await readiness(plane)).gate
    return Response(found, status_code=200 if found.ready else 503)


async def readiness(plane: ControlPlane) -> Ready:
    """Whether the gate and the console would answer now."""
    try:
        # In this order: without a store nothing else can be said.
        orders = await plane.orders.refresh()
        await plane.means.log.head()
    except InterlockError as error:
        closed = Part(ready=False, reasons=(Reason(code=error.code, words="the store does not answer"),))
        return Ready(gate=closed, console=closed)
    gate = list[Reason]()
    if not orders.control.agents:
        gate.append(Reason(code="nothing_in_force", words="no agent is in force: `interlock apply`"))
    if orders.judge is None:
        gate.append(
            Reason(code="no_policies", words="no policies are in force, or they cannot be loaded: all is denied")
        )
    console = list[Reason]()
    if not orders.control.people:
        console.append(Reason(code="nobody", words="nobody is in people.yaml, so nobody can sign in"))
    return Ready(
        gate=Part(ready=not gate, reasons=tuple(gate)), console=Part(ready=not console, reasons=tuple(console))
    )


ROUTES: list[HTTPRouteHandler] = [livez, readyz, readyz_gate]
