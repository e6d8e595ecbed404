"""`/v1/approvals`: what waits for people, what each of them is shown, and their words on it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody

from interlock.api.actions import known
from interlock.api.parts import DECIDE, SEE, Limit, Note, listed
from interlock.domain.action import Action
from interlock.domain.actor import Actor
from interlock.domain.batch import MOST, Batch, BatchResult
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Risk
from interlock.domain.dossier import Dossier
from interlock.domain.errors import StaleView
from interlock.domain.filtering import published
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, Person
from interlock.domain.inbox import InboxPage
from interlock.services.approvals import Weighed
from interlock.services.plane import ControlPlane
from interlock.services.saving import beside_it
from interlock.web.once import Answered, kept
from interlock.web.parts import Asked, Plane, Who

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
View = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Word(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yes or a no."""

    view: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    """Of the dossier that you were shown: where that is no longer what would be done, nothing is done."""
    note: Note = ""
    target: Annotated[str, msgspec.Meta(max_length=4_000)] | None = None
    """Of critical risk, with a yes: the target, typed. See `Dossier.target`."""


class Change(Word, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yes to other arguments."""

    arguments: dict[str, JsonValue]
    """Those that are to be others; the rest stay."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to the agent."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)]


class Hand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom the question is handed."""

    to: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    note: Note = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other arguments, to be weighed."""

    arguments: dict[str, JsonValue]
    """Those that would be others; the rest stay."""


class Draw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Like actions to be decided in one go."""

    actions: Annotated[list[Name], msgspec.Meta(min_length=2, max_length=MOST)]


class Decide(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word on each of a batch."""

    verdict: Literal["approve", "reject"]
    views: Annotated[dict[Name, View], msgspec.Meta(max_length=MOST)]
    """Of each action the view as it was listed or shown."""
    note: Note = ""


@get("/v1/approvals", opt=SEE)
async def approvals(
    request: Asked,
    plane: Plane,
    actor: Who,
    mine: FromQuery[bool] = False,
    risk: FromQuery[Risk | None] = None,
    contract: FromQuery[str] = "",
    agent: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
    limit: Limit = 50,
) -> Response[InboxPage]:
    """What waits, the most urgent first. `mine`: only what you may decide on."""
    page = await plane.inbox.page(
        person=actor.person,
        mine=mine,
        risk=risk,
        contract=ContractName(contract) if contract else None,
        agent=AgentName(agent) if agent else None,
        cursor=cursor,
        limit=limit,
    )
    return listed(request, page, page.next)


@get("/v1/approvals/{action:str}", opt=SEE)
async def approval(request: Asked, plane: Plane, actor: Who, action: FromPath[str]) -> Response[Dossier]:
    """All that there is to see of one. Name its `view` with your word. Where you may decide on it, it is recorded that you were
    shown this."""
    return kept(request, await plane.dossiers.shown(ActionId(action), actor))


@post("/v1/approvals/{action:str}/approve", opt=DECIDE, status_code=200)
async def approve(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str], data: JSONBody[Word]
) -> Response[Action]:
    """Your yes to exactly what you were shown."""

    async def work() -> Action:
        return await plane.approvals.approve(
            ActionId(action),
            actor.person,
            note=data.note,
            view=Digest(data.view),
            target=data.target,
            session=actor.session,
        )

    return await once.do(request, actor, data, fresh(plane, action, actor, work), lambda: known(plane, action))


@post("/v1/approvals/{action:str}/reject", opt=DECIDE, status_code=200)
async def reject(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str], data: JSONBody[Word]
) -> Response[Action]:
    """Your no, with the reason that the agent is told."""

    async def work() -> Action:
        return await plane.approvals.reject(
            ActionId(action), actor.person, note=data.note, view=Digest(data.view), session=actor.session
        )

    return await once.do(request, actor, data, fresh(plane, action, actor, work), lambda: known(plane, action))


@post("/v1/approvals/{action:str}/modify", opt=DECIDE, status_code=200)
async def modify(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str], data: JSONBody[Change]
) -> Response[Action]:
    """Your yes to other arguments, which are validated and decided again."""

    async def work() -> Action:
        return await plane.approvals.modify(
            ActionId(action),
            actor.person,
            data.arguments,
            note=data.note,
            view=Digest(data.view),
            target=data.target,
            session=actor.session,
        )

    return await once.do(request, actor, data, fresh(plane, action, actor, work), lambda: known(plane, action))


@post("/v1/approvals/{action:str}/ask", opt=DECIDE, status_code=200)
async def ask(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str], data: JSONBody[Ask]
) -> Response[Action]:
    """A question to the agent. The action goes on waiting."""

    async def work() -> Action:
        return await plane.inquiring.ask(ActionId(action), actor.person, data.text)

    return await once.do(request, actor, data, fresh(plane, action, actor, work), lambda: known(plane, action))


@post("/v1/approvals/{action:str}/delegate", opt=DECIDE, status_code=200)
async def delegate(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str], data: JSONBody[Hand]
) -> Response[Action]:
    """Hand the question to somebody else who was asked."""

    async def work() -> Action:
        return await plane.inquiring.delegate(ActionId(action), actor.person, Person(data.to), note=data.note)

    return await once.do(request, actor, data, fresh(plane, action, actor, work), lambda: known(plane, action))


@post("/v1/approvals/{action:str}/take-back", opt=DECIDE, status_code=200)
async def take_back(
    request: Asked, plane: Plane, actor: Who, once: Answered, action: FromPath[str]
) -> Response[Action]:
    """Decide yourself after all."""

    async def work() -> Action:
        return await plane.inquiring.take_back(ActionId(action), actor.person)

    return await once.do(request, actor, None, fresh(plane, action, actor, work), lambda: known(plane, action))


@post("/v1/approvals/{action:str}/weigh", opt=DECIDE, status_code=200)
async def weigh(plane: Plane, actor: Who, action: FromPath[str], data: JSONBody[Wanted]) -> Weighed:
    """What a yes to other arguments would come to. Nothing is changed."""
    return await plane.approvals.weigh(ActionId(action), actor.person, data.arguments, session=actor.session)


@post("/v1/batches", opt=DECIDE, status_code=200)
async def draw(plane: Plane, actor: Who, data: JSONBody[Draw]) -> Batch:
    """Decide on 2 to 20 like actions in one go: which of them you have to open first. The same set gives the same answer."""
    return await plane.batches.draw(actor.person, tuple(map(ActionId, data.actions)))


@post("/v1/batches/{batch:str}/decide", opt=DECIDE, status_code=200)
async def decide(
    request: Asked, plane: Plane, actor: Who, once: Answered, batch: FromPath[str], data: JSONBody[Decide]
) -> Response[BatchResult]:
    """Your word on each of a batch, once you opened the one that was drawn. What changed meanwhile is left, and said."""
    views = {ActionId(name): Digest(view) for name, view in data.views.items()}

    async def work() -> BatchResult:
        return await plane.batches.decide(
            batch, actor.person, data.verdict, note=data.note, views=views, session=actor.session
        )

    return await once.do(request, actor, data, work)


def fresh(
    plane: ControlPlane, action: str, actor: Actor, work: Callable[[], Awaitable[Action]]
) -> Callable[[], Awaitable[Action]]:
    """`work`, whose refusal of a view that is no longer true brings the one that is."""

    async def tried() -> Action:
        try:
            return published(await work())
        except StaleView as error:
            with beside_it():
                now = await plane.dossiers.shown(ActionId(action), actor)
            raise StaleView(error.detail, next_step=error.next_step, fresh=now) from None

    return tried


ROUTES: list[HTTPRouteHandler] = [
    approvals,
    approval,
    approve,
    reject,
    modify,
    weigh,
    ask,
    delegate,
    take_back,
    draw,
    decide,
]
