"""Signing in and out: by password, and by one-time link. A link's page changes nothing; the button on it does.

Mail programs and chats open every link to preview it, so a link that counts once may not be used up by being opened.
"""

from typing import Annotated
from urllib.parse import quote, unquote

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath

from interlock.console.render import page
from interlock.domain.actor import Actor
from interlock.domain.errors import EffectorError, InterlockError, NotSignedIn, RateExceeded
from interlock.domain.hosting import Hosting
from interlock.services.plane import ControlPlane
from interlock.services.signing_in import Signed
from interlock.web.browser import address_of, back_to, cookie_with, no_cookie, own_address, way_name, way_with
from interlock.web.parts import Asked, Plane, Who

ANYBODY = {"needs": "nobody", "form": True}


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The form of the page where one signs in."""

    name: str = ""
    password: str = ""
    next: str = "/"

    def __repr__(self) -> str:
        return f"Credentials(name={self.name!r})"


@get("/sign-in", opt={"needs": "nobody"}, include_in_schema=False)
async def show(request: Asked) -> Response[str]:
    """Where one signs in."""
    return _page(request, back_to(request.query_params.get("next", "/")))


@post("/sign-in", opt=ANYBODY, include_in_schema=False, status_code=303)
async def enter(
    request: Asked, plane: Plane, data: Annotated[Credentials, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Response[str] | Response[bytes]:
    """Sign in by password, and go to where one wanted to."""
    back = back_to(data.next)
    try:
        signed = await plane.signing_in.by_password(
            data.name, data.password, address=address_of(request), browser=browser_of(request)
        )
    except (NotSignedIn, RateExceeded) as error:
        return _page(request, back, name=data.name, problem=error)
    return await signed_in(request, plane, signed, back)


@get("/sign-in/provider", opt={"needs": "nobody"}, include_in_schema=False)
async def to_provider(request: Asked, plane: Plane) -> Response[bytes]:
    """To the identity provider. A link and not a form: our own policy lets no form lead to another host."""
    begun = await plane.by_provider.begin(back=_callback(request))
    back = quote(back_to(request.query_params.get("next", "/")), safe="")
    headers = {"Location": begun.address, "Set-Cookie": way_with(f"{begun.carried}~{back}", hosting_of(request))}
    return Response(b"", status_code=303, headers=headers)


@get("/sign-in/provider/back", opt={"needs": "nobody"}, include_in_schema=False)
async def from_provider(request: Asked, plane: Plane) -> Response[str] | Response[bytes]:
    """Back from the identity provider, in the browser that went there. What it says besides the code is not shown: anybody can
    make such an address up."""
    hosting = hosting_of(request)
    carried, _, back = request.cookies.get(way_name(hosting), "").partition("~")
    back, asked = back_to(unquote(back)), request.query_params
    try:
        signed = await plane.by_provider.end(
            carried,
            state=asked.get("state", ""),
            code=asked.get("code", ""),
            issuer=asked.get("iss", ""),
            back=_callback(request),
            browser=browser_of(request),
        )
    except (NotSignedIn, EffectorError) as error:
        refused = _page(request, back, problem=error)
        refused.headers["Set-Cookie"] = way_with("", hosting)
        return refused
    answer = await signed_in(request, plane, signed, back)
    answer.set_cookie(Cookie(key=way_name(hosting), value="", max_age=0, httponly=True, secure=hosting.secure))
    return answer


def _callback(request: Asked) -> str:
    """The address that the provider must know as ours."""
    return f"{own_address(request)}/sign-in/provider/back"


@get("/sign-in/link/{token:str}", opt={"needs": "nobody"}, include_in_schema=False)
async def show_link(request: Asked, plane: Plane, token: FromPath[str]) -> Response[str]:
    """Whom a link lets in; it is used by the button."""
    person = await plane.signing_in.link_of(token)
    return page(request, "sign_in_link.html", status=200 if person is not None else 410, person=person)


@post("/sign-in/link/{token:str}", opt=ANYBODY, include_in_schema=False, status_code=303)
async def use_link(request: Asked, plane: Plane, token: FromPath[str]) -> Response[str] | Response[bytes]:
    """Use a link up. Who has no password yet may set one where it leads."""
    try:
        signed = await plane.signing_in.by_link(token, browser=browser_of(request))
    except NotSignedIn as error:
        return page(request, "sign_in_link.html", wrong=error, person=None)
    return await signed_in(request, plane, signed, "/")


@post("/sign-out", opt={"needs": "see"}, include_in_schema=False, status_code=303)
async def leave(request: Asked, plane: Plane, actor: Who) -> Response[bytes]:
    """End this session."""
    await plane.sessions.sign_out(actor.person, actor.session)
    headers = {
        "Location": "/sign-in",
        "Set-Cookie": no_cookie(hosting_of(request)),
        # What this browser kept of pages is not for whoever sits there next.
        "Clear-Site-Data": '"cache"',
    }
    return Response(b"", status_code=303, headers=headers)


async def signed_in(request: Asked, plane: ControlPlane, signed: Signed, back: str) -> Response[bytes]:
    """The answer to whoever is signed in now. Whoever this browser was before is signed out."""
    before: Actor | None = request.user
    if before is not None and before.by == "session":
        await plane.sessions.sign_out(before.person, before.session)
    headers = {"Location": back, "Set-Cookie": cookie_with(signed.token, hosting_of(request))}
    return Response(b"", status_code=303, headers=headers)


def hosting_of(request: Asked) -> Hosting:
    """Where this server is to be found."""
    hosting: Hosting = request.app.state.hosting
    return hosting


def browser_of(request: Asked) -> str:
    """What the browser says it is, as far as it can be printed."""
    return "".join(each for each in request.headers.get("user-agent", "")[:200] if each.isprintable())


def _page(request: Asked, back: str, *, name: str = "", problem: InterlockError | None = None) -> Response[str]:
    return page(
        request,
        "sign_in.html",
        wrong=problem,
        next=back,
        name=name[:128],
        provider=request.app.state.plane.by_provider.called,
        problem=problem.detail if problem is not None else "",
    )


ROUTES: list[HTTPRouteHandler] = [show, enter, to_provider, from_provider, show_link, use_link, leave]
