"""My account, and people: passwords, sessions, keys and broken glass; one's own, and for whoever administers everybody's.

What is told once (a link, a key) stands in the answer to the form that made it and nowhere else. What lets somebody in is only
changed from a browser that is signed in: an API key makes no further keys and sets no password. And what outlasts the session
takes somebody who showed lately who they are.
"""

from typing import Any, Final

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from interlock.console.render import page
from interlock.domain.actor import Actor
from interlock.domain.duration import DAY
from interlock.domain.errors import InterlockError, NotAllowed, NotSignedIn
from interlock.domain.ids import Person
from interlock.domain.login import Session
from interlock.services.plane import ControlPlane
from interlock.web.browser import own_address
from interlock.web.parts import Asked, Plane, Who

LONGEST: Final = 4096
ACCOUNT: Final = tuple(
    f"/account/{each}" for each in ("prove", "password", "sessions", "keys", "keys/revoke", "glass", "glass/end")
)
PEOPLE: Final = tuple(f"/people/{each}" for each in ("link", "sessions", "keys", "glass"))
"""Where forms are sent. The page that answers one is asked for its regions under the same address."""
SPANS: Final = ("7", "30", "90", "365")
"""For how many days a key is made."""


@get(["/account", *ACCOUNT], opt={"needs": "see"}, include_in_schema=False)
async def account(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """My account."""
    return await _account(request, plane, actor)


@post("/account/prove", opt={"needs": "see"}, include_in_schema=False)
async def prove(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Say my password once more."""
    password = str((await request.form()).get("again", ""))[:LONGEST]
    try:
        _must_be_a_browser(actor)
        await plane.insisting.prove(actor.person, actor.session, password)
    except InterlockError as error:
        return await _account(request, plane, actor, problem=error)
    return await _account(request, plane, actor, said="It is you. For ten minutes nobody asks again.")


@post("/account/password", opt={"needs": "see"}, include_in_schema=False)
async def set_password(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Set my password. What else is signed in as me is signed out."""
    form = await request.form()
    password, current = (str(form.get(name, ""))[:LONGEST] for name in ("password", "current"))
    try:
        session = await _session(plane, actor)
        await plane.signing_in.set_password(actor.person, password, session=session, current=current)
    except InterlockError as error:
        return await _account(request, plane, actor, problem=error)
    return await _account(request, plane, actor, said="Your password is set, and you are signed out everywhere else.")


@post("/account/sessions", opt={"needs": "see"}, include_in_schema=False)
async def end_own(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """End one of my sessions."""
    session = str((await request.form()).get("session", ""))
    try:
        await plane.sessions.revoke(actor.person, session or "none", by=actor.person)
    except InterlockError as error:
        return await _account(request, plane, actor, problem=error)
    return await _account(request, plane, actor, said="That session is over.")


@post("/account/keys", opt={"needs": "see"}, include_in_schema=False)
async def make_key(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Make a key of mine, and show it, once."""
    form = await request.form()
    scopes = tuple(str(each) for each in form.getall("scope", []))
    days = str(form.get("days", ""))
    try:
        await _must_be_them(plane, actor)
        label, lasts_ms = str(form.get("label", "")), int(days) * DAY if days in SPANS else 0
        key, _ = await plane.api_keys.make(actor.person, label, scopes, by=actor.person, lasts_ms=lasts_ms)
    except InterlockError as error:
        return await _account(request, plane, actor, problem=error)
    return await _account(request, plane, actor, key=key)


@post("/account/keys/revoke", opt={"needs": "see"}, include_in_schema=False)
async def end_key(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Revoke a key of mine."""
    name = str((await request.form()).get("key", ""))
    try:
        await plane.api_keys.revoke(name, by=actor.person, owner=actor.person)
    except InterlockError as error:
        return await _account(request, plane, actor, problem=error)
    return await _account(request, plane, actor, said="That key opens nothing any more.")


@post("/account/glass", opt={"needs": "stop"}, include_in_schema=False)
async def break_glass(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Break the glass, saying why; the next page has the wider permissions."""
    why = str((await request.form()).get("why", ""))[:LONGEST]
    try:
        await _must_be_them(plane, actor)
        await plane.breaking.begin(actor.person, why=why, session=actor.session)
    except InterlockError as error:
        return await _account(request, plane, actor, problem=error)
    return await _account(request, plane, actor, said="The glass is broken. All you do with it is in the log.")


@post("/account/glass/end", opt={"needs": "see"}, include_in_schema=False)
async def end_glass(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """End it before its time."""
    ended = await plane.breaking.end(actor.person, by=actor.person)
    said = "You have the permissions of your roles again." if ended else "No glass was broken."
    return await _account(request, plane, actor, said=said)


@get(["/people", *PEOPLE], opt={"needs": "administer"}, include_in_schema=False)
async def people(request: Asked, plane: Plane) -> Response[str]:
    """Everybody, as people.yaml in force says, with what they can come in by."""
    return await _people(request, plane)


@post("/people/link", opt={"needs": "administer"}, include_in_schema=False)
async def make_link(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Make somebody's first way in, and show it, once."""
    person = Person(str((await request.form()).get("person", ""))[:LONGEST])
    try:
        await _must_be_them(plane, actor)
        token = await plane.accounts.invite(person, by=actor.person)
    except InterlockError as error:
        return await _people(request, plane, problem=error)
    return await _people(request, plane, link=f"{own_address(request)}/sign-in/link/{token}", whose=person)


@post("/people/sessions", opt={"needs": "administer"}, include_in_schema=False)
async def end_sessions(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Sign somebody out, in one browser or everywhere."""
    form = await request.form()
    person, session = (str(form.get(name, ""))[:LONGEST] for name in ("person", "session"))
    try:
        ended = await plane.sessions.revoke(Person(person), session, by=actor.person)
    except InterlockError as error:
        return await _people(request, plane, problem=error)
    return await _people(request, plane, said=f"Sessions of {person} that are over: {ended}.")


@post("/people/keys", opt={"needs": "administer"}, include_in_schema=False)
async def end_keys(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """Revoke anybody's key."""
    name = str((await request.form()).get("key", ""))
    try:
        await plane.api_keys.revoke(name, by=actor.person)
    except InterlockError as error:
        return await _people(request, plane, problem=error)
    return await _people(request, plane, said="That key opens nothing any more.")


@post("/people/glass", opt={"needs": "administer"}, include_in_schema=False)
async def end_glasses(request: Asked, plane: Plane, actor: Who) -> Response[str]:
    """End somebody's broken glass."""
    person = Person(str((await request.form()).get("person", ""))[:LONGEST])
    ended = await plane.breaking.end(person, by=actor.person)
    return await _people(request, plane, said="It is over." if ended else "No glass was broken.")


async def _account(
    request: Asked, plane: ControlPlane, actor: Actor, *, problem: InterlockError | None = None, **told: str
) -> Response[str]:
    now = plane.means.clock.now()
    found = [each for each in await plane.accounts.all() if each.person == actor.person]
    return page(
        request,
        "account.html",
        wrong=problem,
        account=found[0],
        sessions=await plane.sessions.of(actor.person),
        keys=[each for each in await plane.api_keys.of(actor.person) if each.alive(now)],
        scopes=found[0].permissions,
        spans=SPANS,
        fresh=await plane.insisting.is_fresh(actor.person, actor.session),
        **_told(problem, told, "key"),
    )


async def _people(
    request: Asked, plane: ControlPlane, *, problem: InterlockError | None = None, **told: str
) -> Response[str]:
    now = plane.means.clock.now()
    return page(
        request,
        "people.html",
        wrong=problem,
        accounts=await plane.accounts.all(),
        sessions=await plane.sessions.all(),
        keys=[each for each in await plane.api_keys.all() if each.alive(now)],
        **_told(problem, told, "link", "whose"),
    )


def _told(problem: InterlockError | None, told: dict[str, str], *names: str) -> dict[str, Any]:
    wrong = "" if problem is None else f"{problem.detail}; {problem.next_step}"
    return {"problem": wrong, **dict.fromkeys(("said", *names), ""), **told}


async def _must_be_them(plane: ControlPlane, actor: Actor) -> None:
    _must_be_a_browser(actor)
    await plane.insisting.must_be_fresh(actor.person, actor.session)


def _must_be_a_browser(actor: Actor) -> None:
    if actor.by != "session":
        raise NotAllowed("a key does not do this", next_step="sign in, and do it on the page of your account")


async def _session(plane: ControlPlane, actor: Actor) -> Session:
    _must_be_a_browser(actor)
    for each in await plane.sessions.of(actor.person):
        if each.id == actor.session:
            return each
    raise NotSignedIn


ROUTES: list[HTTPRouteHandler] = [
    account,
    prove,
    set_password,
    end_own,
    make_key,
    end_key,
    break_glass,
    end_glass,
    people,
    make_link,
    end_sessions,
    end_keys,
    end_glasses,
]
