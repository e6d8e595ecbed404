"""Policies: what is in force, rule by rule, and what waits to replace it."""

from typing import Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from interlock.console.render import page
from interlock.domain.bundle import Bundle
from interlock.domain.errors import NotFound
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane

SHOWN: Final = 30
"""So many publications that ended are listed."""


@get("/policies", opt={"needs": "see"}, include_in_schema=False)
async def policies(request: Asked, plane: Plane) -> Response[str]:
    """The bundle in force, rule by rule, and what was proposed to replace it."""
    control = (await plane.orders.current()).control
    bundle = await bundle_in_force(plane)
    all_of_them = await plane.consenting.publications()
    ended = [each for each in all_of_them if each.state != "open"][:SHOWN]
    return page(
        request,
        "policies.html",
        bundle=bundle,
        control=control,
        rules=[] if bundle is None else sorted(plane.means.policies.worded(bundle).items()),
        waiting=[
            (each, (await plane.consenting.waits_for(each)).words) for each in all_of_them if each.state == "open"
        ],
        ended=ended,
    )


async def bundle_in_force(plane: ControlPlane) -> Bundle | None:
    """The bundle, or None where no policies are in force."""
    try:
        return await plane.orders.bundle()
    except NotFound:
        return None


ROUTES: list[HTTPRouteHandler] = [policies]
