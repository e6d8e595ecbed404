"""`/v1/exceptions`: what agents put before people, people's answers, and the kinds that nobody declared.

An exception is an action: all there is to see of one, handing it on and asking the agent is under `/v1/approvals`.
"""

from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody

from interlock.api.actions import known
from interlock.api.approvals import fresh
from interlock.api.parts import DECIDE, SEE, Limit, Note, listed
from interlock.domain.action import Action
from interlock.domain.ids import ActionId, Digest
from interlock.services.exceptions import Kinds, Raised, RaisedPage, Sifted
from interlock.web.once import Answered, kept
from interlock.web.parts import Asked, Plane, Who


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said to one."""

    view: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    """Of the dossier that you were shown: where that is no longer what was asked, nothing is said."""
    answer: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    """One of its options, or another instruction; nothing closes it without one."""
    note: Note = ""


@get("/v1/exceptions", opt=SEE)
async def exceptions(
    request: Asked,
    plane: Plane,
    which: FromQuery[Literal["waiting", "all"]] = "waiting",
    kind: FromQuery[str] = "",
    agent: FromQuery[str] = "",
    role: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
    limit: Limit = 50,
) -> Response[RaisedPage]:
    """Those that wait, the most urgent first; or all there were, newest first. `kind`: a declared one, or `other`."""
    sifted = Sifted(kind=kind, agent=agent, role=role)
    ask = plane.exceptions.waiting if which == "waiting" else plane.exceptions.all
    page = await ask(sifted=sifted, cursor=cursor, limit=limit)
    return listed(request, page, page.next)


@get("/v1/exceptions/kinds", opt=SEE)
async def kinds(request: Asked, plane: Plane) -> Response[Kinds]:
    """How often each kind was raised, and which nobody declared."""
    return kept(request, await plane.exceptions.kinds())


@get("/v1/exceptions/{action:str}", opt=SEE)
async def exception(request: Asked, plane: Plane, action: FromPath[str]) -> Response[Raised]:
    """One of them."""
    return kept(request, await plane.exceptions.one(ActionId(action)))


@post("/v1/exceptions/{action:str}/answer", opt=DECIDE, status_code=200)
async def answer(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str], data: JSONBody[Answer]
) -> Response[Action]:
    """Your answer, which the agent goes on with."""

    async def work() -> Action:
        return await plane.exceptions.answer(
            ActionId(action),
            actor.person,
            data.answer,
            note=data.note,
            view=Digest(data.view),
            session=actor.session,
        )

    return await once.do(request, actor, data, fresh(plane, action, actor, work), lambda: known(plane, action))


ROUTES: list[HTTPRouteHandler] = [exceptions, kinds, exception, answer]
