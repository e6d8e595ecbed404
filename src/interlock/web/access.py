"""Who asks, and whether the door opens for them: the one place where the web decides it.

A browser is recognised by its session's cookie, a program by its API key. Every handler says in `opt={"needs": ...}` which
permission it takes, or `nobody` where anybody may come; one that does not say is closed. Where services decide of each record
who may, whoever sees it comes that far, but a key only with what `of_keys` says: one that was made to look changes nothing. What
a browser sends by itself proves nothing: whatever changes something must come from a page of ours and carry the token of its
session's forms.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final, TypeAlias

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.types import Receive, Scope, Send

from interlock.domain.access import BREAK_GLASS, permissions_of
from interlock.domain.actor import Actor
from interlock.domain.errors import NotAllowed, NotSignedIn
from interlock.domain.hosting import Hosting
from interlock.services.plane import ControlPlane
from interlock.web.browser import SAFE, cookie_name, from_own_page

NOBODY: Final = "nobody"
"""What a handler needs that is for everybody."""
TOKEN_FIELD: Final = "csrf"  # noqa: S105  the name of a field
TOKEN_HEADER: Final = "x-csrf-token"  # noqa: S105  the name of a header
_BEARER: Final = "bearer "
Recognise: TypeAlias = Callable[[ASGIConnection[Any, Any, Any, Any]], Awaitable[Actor | None]]
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


class Access(AbstractAuthenticationMiddleware):
    """Sets `request.user`: an Actor, or None; and `request.auth`, which asks again. Raises StoreErrors: who cannot be looked up
    is not let in."""

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Look up what the request brings, now and whenever what answers it asks again."""
        return AuthenticationResult(user=await self.recognise(connection), auth=partial(self.recognise, connection))

    async def recognise(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor | None:
        """Who asks. A key goes before a cookie: a program that sends one means it."""
        plane: ControlPlane = connection.app.state.plane
        said = connection.headers.get("authorization", "")
        if said:
            return await _by_key(plane, said)
        return await _by_cookie(plane, connection.cookies.get(cookie_name(connection.app.state.hosting), ""))


def recogniser(access: DefineMiddleware) -> Recognise:
    """What tells who asks, for what answers outside every handler. Raises StoreErrors."""

    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send

    asked: Any = access(app=nothing)

    async def recognise(connection: ASGIConnection[Any, Any, Any, Any]) -> Actor | None:
        actor: Actor | None = (await asked.authenticate_request(connection)).user
        return actor

    return recognise


async def _by_key(plane: ControlPlane, said: str) -> Actor | None:
    if said[: len(_BEARER)].lower() != _BEARER:
        return None
    held = await plane.api_keys.recognise(said[len(_BEARER) :])
    if held is None:
        return None
    return Actor(
        person=held.key.person,
        roles=frozenset(held.roles),
        permissions=held.permissions,
        by="key",
        session=held.key.id,
    )


async def _by_cookie(plane: ControlPlane, token: str) -> Actor | None:
    found = await plane.sessions.recognise(token) if token else None
    if found is None:
        return None
    permissions = permissions_of(found.roles)
    if found.glass is not None:
        permissions |= BREAK_GLASS
    return Actor(
        person=found.person,
        roles=frozenset(found.roles),
        permissions=permissions,
        by="session",
        session=found.session.id,
        csrf=form_token(token),
        glass_until=found.glass.until_at if found.glass is not None else 0,
    )


def form_token(token: str) -> str:
    """What forms of the session with this cookie carry: follows from it, leads to it by no way, and ends with it."""
    return sha256(f"interlock.form\0{token}".encode(errors="surrogatepass")).hexdigest()[:32]


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Open the door or not. Raises NotSignedIn and NotAllowed. A handler that does not say what it needs is closed."""
    needs = str(handler.opt.get("needs"))
    actor: Actor | None = connection.user
    if needs != NOBODY:
        if actor is None:
            raise NotSignedIn
        _must_hold(actor, needs)
        if actor.by == "key":
            _must_hold(actor, str(handler.opt.get("of_keys", needs)))
    if isinstance(connection, Request) and connection.method in SAFE:
        return
    if actor is not None and actor.by == "session":
        await _must_be_meant(connection, actor)
    elif actor is None and handler.opt.get("form"):
        must_be_own_page(connection)


def _must_hold(actor: Actor, needs: str) -> None:
    if needs not in actor.permissions:
        raise NotAllowed(
            f"this needs `{needs}`, which none of your roles gives",
            next_step="people.yaml says who holds which role",
        )


def must_be_own_page(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Raises NotAllowed for what a page of somebody else's sent, or nobody says which."""
    hosting: Hosting = connection.app.state.hosting
    if not from_own_page(connection, hosting):
        raise NotAllowed(
            "the request did not come from a page of this server", next_step="open the page here and send it again"
        )


async def _must_be_meant(connection: ASGIConnection[Any, Any, Any, Any], actor: Actor) -> None:
    must_be_own_page(connection)
    sent = connection.headers.get(TOKEN_HEADER, "")
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not sent and isinstance(connection, Request) and kind in _FORMS:
        sent = str((await connection.form()).get(TOKEN_FIELD, ""))
    if not actor.csrf or not compare_digest(sent.encode(), actor.csrf.encode()):
        raise NotAllowed(
            "the form was not made for this session", next_step="load the page again and send it from there"
        )
