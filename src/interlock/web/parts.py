"""What a handler of the API or of the console is given by its name: `plane`, `actor`, `hub`.

@get("/v1/agents", opt={"needs": "see"})
async def agents(plane: Plane, actor: Who) -> list[Card]: ...
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from interlock.domain.actor import Actor
from interlock.domain.errors import NotSignedIn
from interlock.ports.plane import Plane as ProgramsPlane
from interlock.services.plane import ControlPlane

CONSENT: Final = {"needs": "see", "of_keys": "write_policy"}
"""Whose agreement a publication takes, and who may refuse it, services decide of each: owners among them, whatever their role."""

Asked: TypeAlias = Request[Actor | None, Callable[[], Awaitable[Actor | None]], State]
"""A request; `request.user` is whoever sent it, or None, and `request.auth` looks that up again: for answers that go on."""

Plane: TypeAlias = NamedDependency[SkipValidation[ControlPlane]]
"""The parameter `plane`."""
Who: TypeAlias = NamedDependency[SkipValidation[Actor]]
"""The parameter `actor`: whoever asks. Of a handler that needs a permission; somebody anonymous does not get there."""


Agents: TypeAlias = NamedDependency[SkipValidation[ProgramsPlane]]
"""The parameter `agents`: the control plane as agents' programs see it, who prove with each call who they are."""


async def plane_of(request: Asked) -> ControlPlane:
    """The control plane behind this server."""
    plane: ControlPlane = request.app.state.plane
    return plane


async def agents_of(request: Asked) -> ProgramsPlane:
    """The control plane for agents' programs."""
    agents: ProgramsPlane = request.app.state.agents
    return agents


async def actor_of(request: Asked) -> Actor:
    """Whoever asks. Raises NotSignedIn."""
    if request.user is None:
        raise NotSignedIn
    return request.user
