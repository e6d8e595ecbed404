"""What waits for people, one of it in full, and their words on it.

A word names the digest of what was shown. Where that is no longer what would be done the answer is 409: the action as it is
now, what became different, and what was typed, kept.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.console.frame import frame_of
from interlock.console.given import address, lead_to
from interlock.console.history import history_of
from interlock.console.render import page
from interlock.console.sent import note_of, sent_by, view_of
from interlock.console.telling import after_word
from interlock.domain.action import Action
from interlock.domain.actor import Actor
from interlock.domain.contract import RISKS, Risk
from interlock.domain.dossier import Dossier
from interlock.domain.errors import ContractError, IllegalMove, InterlockError, NotAllowed, StaleView
from interlock.domain.exception_case import RAISE
from interlock.domain.ids import ActionId, AgentName, ContractName, Person
from interlock.domain.inbox import InboxPage
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane, Who, actor_of

SEE: Final = {"needs": "see"}
DECIDE: Final = {"needs": "decide"}
ROWS: Final = 50
LARGEST_SEEN: Final = 60_000


@get("/waiting", opt=SEE, include_in_schema=False)
async def count(request: Asked) -> Response[Any]:
    """How many actions are held: the one region of the header, without the work of a page around it."""
    if request.headers.get("hx-request") == "true":
        return page(request, "base.html")
    return lead_to("/approvals")


@get("/approvals", opt=SEE, include_in_schema=False)
async def inbox(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """What waits, and the most urgent of it."""
    listed = await listed_for(request, plane, actor.person)
    first = await _first(request, plane, actor, listed)
    about = request.query_params.get("about", "")
    said = await plane.means.store.get(Action, about) if about else None
    return page(request, "approvals.html", **values_of(request, listed, first, chosen=False), said=_told(said))


async def _first(request: Asked, plane: ControlPlane, actor: Actor, listed: InboxPage) -> Dossier | None:
    """The most urgent. It is recorded as shown where it is: not on a phone, which has room for the list alone, and not when the
    script asks for the list once more."""
    if not listed.rows or "Mobi" in request.headers.get("user-agent", ""):
        return None
    name = listed.rows[0].action
    again = request.headers.get("hx-request") == "true"
    return await (plane.dossiers.of(name, actor.person) if again else plane.dossiers.shown(name, actor))


@get("/approvals/{action_id:str}", opt=SEE, include_in_schema=False)
async def one(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[str]:
    """One of it."""
    return await _shown(request, plane, actor.person, ActionId(action_id))


@post("/approvals/{action_id:str}/approve", opt=DECIDE, include_in_schema=False, status_code=303)
async def approve(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """A yes to exactly what was shown."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        return await plane.approvals.approve(
            name,
            actor.person,
            note=note_of(sent),
            view=view_of(sent),
            target=sent.get("target") or None,
            session=actor.session,
        )

    return await _word(request, plane, actor.person, action_id, say)


@post("/approvals/{action_id:str}/reject", opt=DECIDE, include_in_schema=False, status_code=303)
async def reject(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """A no, with its reason."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        return await plane.approvals.reject(
            name, actor.person, note=note_of(sent), view=view_of(sent), session=actor.session
        )

    return await _word(request, plane, actor.person, action_id, say)


@post("/approvals/{action_id:str}/ask", opt=DECIDE, include_in_schema=False, status_code=303)
async def ask(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """A question to the agent. Nothing is decided by it."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        return await plane.inquiring.ask(name, actor.person, note_of(sent))

    return await _word(request, plane, actor.person, action_id, say, stay=True)


@post("/approvals/{action_id:str}/delegate", opt=DECIDE, include_in_schema=False, status_code=303)
async def delegate(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """Hand it to a colleague."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        return await plane.inquiring.delegate(name, actor.person, Person(sent.get("to", "")), note=note_of(sent))

    return await _word(request, plane, actor.person, action_id, say, stay=True)


@post("/approvals/{action_id:str}/take-back", opt=DECIDE, include_in_schema=False, status_code=303)
async def take_back(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """Decide oneself after all."""

    async def say(name: ActionId, sent: Mapping[str, str]) -> Action:
        del sent
        return await plane.inquiring.take_back(name, actor.person)

    return await _word(request, plane, actor.person, action_id, say, stay=True)


async def _word(
    request: Asked,
    plane: ControlPlane,
    person: Person,
    action_id: str,
    say: Callable[[ActionId, Mapping[str, str]], Awaitable[Action]],
    *,
    stay: bool = False,
) -> Response[Any]:
    """Say it, and tell what came of it; or show the action as it is now, with what is wrong and what was typed."""
    name, sent = ActionId(action_id), await sent_by(request)
    try:
        await say(name, sent)
    except (StaleView, IllegalMove, NotAllowed, ContractError) as error:
        return await _shown(request, plane, person, name, sent=sent, problem=error)
    place = f"/approvals/{quote(name, safe='')}" if stay else f"/approvals?about={quote(name, safe='')}"
    return lead_to(place)


async def _shown(
    request: Asked,
    plane: ControlPlane,
    person: Person,
    action_id: ActionId,
    *,
    sent: Mapping[str, str] | None = None,
    problem: InterlockError | None = None,
) -> Response[str]:
    dossier = await plane.dossiers.shown(action_id, await actor_of(request))
    listed = await listed_for(request, plane, person)
    sent = sent or {}
    values = values_of(request, listed, dossier, chosen=True)
    values |= {"problem": problem, "note": sent.get("note", ""), "typed": sent.get("target", "")}
    if problem is not None and sent.get("view") and sent["view"] != dossier.view:
        values["different"] = different(sent.get("seen", ""), seen_of(dossier))
    return page(request, "approvals.html", wrong=problem, **values, said=None)


async def listed_for(request: Asked, plane: ControlPlane, person: Person) -> InboxPage:
    """What waits, as the address narrows it."""
    asked = request.query_params
    risk: list[Risk] = [each for each in RISKS if each == asked.get("risk")]
    return await plane.inbox.page(
        person=person,
        mine=asked.get("mine") == "1",
        risk=risk[0] if risk else None,
        contract=ContractName(asked["contract"]) if asked.get("contract") else None,
        agent=AgentName(asked["agent"]) if asked.get("agent") else None,
        cursor=asked.get("cursor", ""),
        limit=ROWS,
    )


def values_of(request: Asked, listed: InboxPage, dossier: Dossier | None, *, chosen: bool) -> dict[str, Any]:
    """What the page of approvals shows."""
    kept = {name: request.query_params.get(name, "") for name in ("mine", "risk", "contract", "agent", "cursor")}
    return {
        "listed": listed,
        "d": dossier,
        "chosen": chosen,
        "filters": kept,
        "query": address("", kept),
        "more": address("/approvals", {**kept, "cursor": listed.next}) if listed.next else "",
        "risks": RISKS,
        "alike": alike_in(listed),
        "raising": RAISE,
        "refused": None,
        "history": () if dossier is None else history_of(dossier, frame_of(request).now),
        "seen": "" if dossier is None else seen_of(dossier),
        "colleagues": () if dossier is None else dossier.colleagues(listed.person),
        "problem": None,
        "note": "",
        "typed": "",
        "different": (),
    }


def alike_in(listed: InboxPage) -> frozenset[ActionId]:
    """Those that may be decided on together with another of the page: of one contract, below critical, theirs to say."""
    able = [
        row for row in listed.rows if row.mine and row.risk != "critical" and row.contract != RAISE and not row.withheld
    ]
    many = Counter(row.contract for row in able)
    return frozenset(row.action for row in able if many[row.contract] > 1)


def _told(action: Action | None) -> tuple[Action, str] | None:
    """An action somebody just spoke on, and what became of it: as it is stored, not as the address says."""
    return None if action is None else (action, after_word(action))


def seen_of(dossier: Dossier) -> str:
    """What a reviewer saw, for telling what became different: it travels in the form, and decides nothing."""
    rows = [[f"argument {each.name}", each.text] for each in dossier.arguments]
    rows += [[f"change of {each.name}", f"{each.before_text} → {each.after_text}"] for each in dossier.changes]
    rows += [["why", each] for each in dossier.reasons]
    rows += [[f"must agree: {each.role}", str(each.quorum)] for each in dossier.needs]
    text = msgspec.json.encode(rows).decode()
    return text if len(text) <= LARGEST_SEEN else "[]"


def different(before: str, after: str) -> tuple[tuple[str, str, str], ...]:
    """What is not the same in two of those: what it is, what it was, what it is now."""
    try:
        old = msgspec.json.decode(before[: LARGEST_SEEN + 1].encode(errors="replace"), type=list[tuple[str, str]])
    except msgspec.MsgspecError:
        return ()
    new = msgspec.json.decode(after.encode(), type=list[tuple[str, str]])
    gone = dict(each for each in old if each not in new)
    added = [(name, gone.pop(name, ""), text) for name, text in new if (name, text) not in old]
    return (*added, *((name, text, "") for name, text in gone.items()))


ROUTES: list[HTTPRouteHandler] = [count, inbox, one, approve, reject, ask, delegate, take_back]
