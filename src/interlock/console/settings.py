"""Settings: how this installation stands, who there is, who is on call, what is told outside; and the doctor, who looks at all of
it."""

from importlib.metadata import version
from typing import Final

import anyio
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from interlock.console.given import lead_to
from interlock.console.render import page
from interlock.console.sent import sent_by
from interlock.domain.access import ROLES
from interlock.domain.checkup import Checked, Checkup, good, wrong
from interlock.domain.notification import SAID
from interlock.services.doctor import Doctor, Examine
from interlock.services.examining import live_probes
from interlock.services.plane import ControlPlane
from interlock.services.rotas import duties
from interlock.web.live import Hub, log_size
from interlock.web.parts import Asked, Plane

PATIENCE_S: Final = 2.0
"""Within this the hub of open pages has heard of what was recorded."""


@get("/settings", opt={"needs": "see"}, include_in_schema=False)
async def settings(request: Asked, plane: Plane) -> Response[str]:
    """What is in force that is no policy, no contract and no agent."""
    control = (await plane.orders.refresh()).control
    return page(
        request,
        "settings.html",
        control=control,
        hosting=request.app.state.hosting,
        version=version("interlock"),
        tenant=plane.means.tenant,
        worker=plane.means.worker,
        channels=await plane.notifying.states(),
        on_call=await duties(plane.orders, plane.means.clock.now()),
        provider=plane.means.provider.called if plane.means.provider is not None else "",
        retention=plane.means.retention,
        roles=ROLES,
    )


@get("/settings/notifications", opt={"needs": "see"}, include_in_schema=False)
async def notifications(request: Asked, plane: Plane) -> Response[str]:
    """What each channel to people outside delivered, has still to tell, and gave up."""
    return page(
        request,
        "notifications.html",
        channels=await plane.notifying.states(),
        meanings=SAID,
        public_url=request.app.state.hosting.public_url,
    )


@post(
    "/settings/notifications/{channel:str}/resend",
    opt={"needs": "administer"},
    include_in_schema=False,
    status_code=303,
)
async def resend(request: Asked, plane: Plane, channel: FromPath[str]) -> Response[bytes]:
    """Put what a channel gave up on its way again: one message, or all of them. Raises NotFound."""
    message = (await sent_by(request)).get("message", "")
    await plane.notifying.resend(channel, (message,) if message else ())
    return lead_to("/settings/notifications")


@get("/settings/on-call", opt={"needs": "see"}, include_in_schema=False)
async def on_call(request: Asked, plane: Plane) -> Response[str]:
    """Who is on call now, and who is next."""
    rotas = (await plane.orders.current()).control.routing.on_call
    found = await duties(plane.orders, plane.means.clock.now())
    return page(request, "on_call.html", found=found, rotas=rotas)


@get("/settings/doctor", opt={"needs": "operate"}, include_in_schema=False)
async def doctor(request: Asked, plane: Plane) -> Response[str]:
    """Everything looked at, each thing that is wrong with the command that mends it."""
    return page(request, "doctor.html", checkup=await _examined(request, plane))


async def _examined(request: Asked, plane: ControlPlane) -> Checkup:
    examine: Examine | None = request.app.state.examine
    if examine is None:
        # Whoever serves did not say from where: then only what the control plane can be asked.
        examine = Doctor(live_probes(plane), plane.means.clock).examine
    found = await examine()
    live = await _live(request.app.state.hub, plane)
    return Checkup(at=found.at, checks=(*found.checks, live))


async def _live(hub: Hub, plane: ControlPlane) -> Checked:
    """Whether open pages hear of what is recorded."""
    size = await log_size(plane.means.log)
    if hub.size < size:
        await anyio.sleep(PATIENCE_S)
    if hub.size >= size:
        return good("open pages", f"they hear of what is recorded; open now: {len(hub)}")
    said = f"what is recorded is not passed on to them: heard of {hub.size} of {size} entries"
    return wrong("open pages", said, "start the server again: `interlock serve`")


ROUTES: list[ControllerRouterHandler] = [settings, notifications, resend, on_call, doctor]
