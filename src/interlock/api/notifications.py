"""`/v1/notifications` and `/v1/on-call`: what people outside are told, what could not be delivered, and who is on call."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from interlock.api.parts import ADMINISTER, SEE
from interlock.services.notifying import ChannelState
from interlock.services.rotas import Duties, duties
from interlock.web.once import Answered, kept
from interlock.web.parts import Asked, Plane, Who

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Resend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters."""

    messages: Annotated[list[Name], msgspec.Meta(max_length=200)] = []
    """Their ids; none: all of the channel."""


class Resent(msgspec.Struct, frozen=True, kw_only=True):
    """What is on its way again."""

    channel: str
    resent: int


@get("/v1/notifications", opt=SEE)
async def notifications(request: Asked, plane: Plane) -> Response[list[ChannelState]]:
    """Every channel: what waits in it, what it delivered, and what it gave up."""
    return kept(request, await plane.notifying.states())


@post("/v1/notifications/{channel:str}/resend", opt=ADMINISTER, status_code=200)
async def resend(
    request: Asked, plane: Plane, actor: Who, once: Answered, channel: FromPath[str], data: JSONBody[Resend]
) -> Response[Resent]:
    """Put what a channel gave up on its way again, under the ids it had."""

    async def work() -> Resent:
        return Resent(channel=channel, resent=await plane.notifying.resend(channel, data.messages))

    return await once.do(request, actor, data, work)


@get("/v1/on-call", opt=SEE)
async def on_call(request: Asked, plane: Plane) -> Response[Duties]:
    """Who is on call now and next, by role, and of whom policies count hours that nobody wrote down."""
    return kept(request, await duties(plane.orders, plane.means.clock.now()))


ROUTES: list[HTTPRouteHandler] = [notifications, resend, on_call]
