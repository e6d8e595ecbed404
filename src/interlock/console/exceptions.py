"""Exceptions: what agents could not settle by themselves, each with a form to answer it, and the kinds that nobody declared."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.console.given import address, choices, lead_to, names_in_force, said
from interlock.console.history import history_of
from interlock.console.render import page
from interlock.console.sent import note_of, sent_by, view_of
from interlock.domain.action import MEANING, Action
from interlock.domain.errors import ContractError, IllegalMove, InterlockError, NotAllowed, StaleView
from interlock.domain.exception_case import KINDS, kind_words
from interlock.domain.ids import ActionId, Person
from interlock.services.exceptions import Sifted
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane, Who, actor_of

SEE: Final = {"needs": "see"}
DECIDE: Final = {"needs": "decide"}
ROWS: Final = 50
FILTERS: Final = ("which", "kind", "agent", "role")
OWN: Final = "own"
"""What the form says instead of an option where the answer is in somebody's own words."""
CLOSED: Final = "close"
_Which = Literal["waiting", "all"]
_Say = Callable[[ActionId, Mapping[str, str]], Awaitable[Action]]


@get("/exceptions", opt=SEE, include_in_schema=False)
async def exceptions(request: Asked, plane: Plane) -> Response[str]:
    """Those that wait, the most urgent first; or all there were."""
    given = {name: said(request, name) for name in (*FILTERS, "cursor")}
    which: _Which = "all" if given["which"] == "all" else "waiting"
    ask = plane.exceptions.all if which == "all" else plane.exceptions.waiting
    sifted = Sifted(kind=given["kind"], agent=given["agent"], role=given["role"])
    found = await ask(sifted=sifted, cursor=given["cursor"], limit=ROWS)
    about = said(request, "about")
    spoken = await plane.means.store.get(Action, about) if about else None
    control = (await plane.orders.current()).control
    return page(
        request,
        "exceptions.html",
        found=found,
        which=which,
        given=given,
        filtered=any(given[name] for name in ("kind", "agent", "role")),
        first=not given["cursor"],
        more=address("/exceptions", {**given, "cursor": found.next}) if found.next else "",
        kinds=[*([kind, kind_words(kind)] for kind in KINDS), ["other", "not declared"]],
        agents=choices((await names_in_force(plane))["agent"], given["agent"]),
        roles=sorted({role for held in control.people.values() for role in held} | {given["role"]} - {""}),
        spoken=None if spoken is None else (spoken, MEANING[spoken.state]),
    )


@get("/exceptions/kinds", opt=SEE, include_in_schema=False)
async def kinds(request: Asked, plane: Plane) -> Response[str]:
    """How often each kind was raised, and which of them nobody declared."""
    return page(request, "exception_kinds.html", found=await plane.exceptions.kinds(), means=KINDS)


@get("/exceptions/{action_id:str}", opt=SEE, include_in_schema=False)
async def one(request: Asked, plane: Plane, action_id: FromPath[str]) -> Response[str]:
    """One of them."""
    return await _shown(request, plane, ActionId(action_id))


@post("/exceptions/{action_id:str}/answer", opt=DECIDE, include_in_schema=False, status_code=303)
async def answer(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """An answer to exactly what was shown."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        return await plane.exceptions.answer(
            name, actor.person, _answer(sent), note=note_of(sent), view=view_of(sent), session=actor.session
        )

    return await _word(request, plane, action_id, say)


@post("/exceptions/{action_id:str}/reject", opt=DECIDE, include_in_schema=False, status_code=303)
async def reject(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """It should not have been raised, and why."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        await plane.exceptions.one(name)
        return await plane.approvals.reject(
            name, actor.person, note=note_of(sent), view=view_of(sent), session=actor.session
        )

    return await _word(request, plane, action_id, say)


@post("/exceptions/{action_id:str}/hand-on", opt=DECIDE, include_in_schema=False, status_code=303)
async def hand_on(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """Hand it to a colleague."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        await plane.exceptions.one(name)
        return await plane.inquiring.delegate(name, actor.person, Person(sent.get("to", "")), note=note_of(sent))

    return await _word(request, plane, action_id, say, stay=True)


@post("/exceptions/{action_id:str}/ask", opt=DECIDE, include_in_schema=False, status_code=303)
async def ask(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """A question to the agent."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        await plane.exceptions.one(name)
        return await plane.inquiring.ask(name, actor.person, note_of(sent))

    return await _word(request, plane, action_id, say, stay=True)


async def _word(request: Asked, plane: ControlPlane, action_id: str, say: _Say, *, stay: bool = False) -> Response[Any]:
    """Say it, and go on; or show the exception as it is now, with what is wrong and what was typed."""
    name, sent = ActionId(action_id), await sent_by(request)
    try:
        await say(name, sent)
    except (StaleView, IllegalMove, NotAllowed, ContractError) as error:
        return await _shown(request, plane, name, sent=sent, problem=error)
    place = f"/exceptions/{quote(name, safe='')}" if stay else f"/exceptions?about={quote(name, safe='')}"
    return lead_to(place)


async def _shown(
    request: Asked,
    plane: ControlPlane,
    name: ActionId,
    *,
    sent: Mapping[str, str] | None = None,
    problem: InterlockError | None = None,
) -> Response[str]:
    actor, sent = await actor_of(request), sent or {}
    raised = await plane.exceptions.one(name)
    dossier = await plane.dossiers.shown(name, actor)
    return page(
        request,
        "exception.html",
        wrong=problem,
        e=raised,
        d=dossier,
        means=KINDS.get(raised.kind, ""),
        history=history_of(dossier, plane.means.clock.now()),
        colleagues=dossier.colleagues(actor.person),
        problem=problem,
        chosen=sent.get("choice", ""),
        own=sent.get("own", ""),
        note=sent.get("note", ""),
    )


def _answer(sent: Mapping[str, str]) -> str:
    """What the form says: an option, words of one's own, or nothing, which closes it. Raises ContractError where
    nothing was chosen: silence is no answer."""
    choice, own = sent.get("choice", ""), sent.get("own", "").strip()
    if choice == CLOSED:
        return ""
    if choice and choice != OWN:
        return choice.removeprefix("option:")
    if not own:
        raise ContractError(
            "nothing was answered", path="/own", next_step="choose an option, or say what is to be done"
        )
    return own


ROUTES: list[HTTPRouteHandler] = [exceptions, kinds, one, answer, reject, hand_on, ask]
