"""What stands around every page: where one can go, what waits, what is stopped, and how it looks."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from interlock.console.given import lead_to
from interlock.domain.access import Permission
from interlock.domain.actor import Actor
from interlock.domain.brakes import holding
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked

Theme = Literal["auto", "light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("auto", "light", "dark")
THEME_COOKIE: Final = "theme"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the navigation."""

    path: str
    name: str
    needs: Permission = "see"

    def holds(self, path: str) -> bool:
        """Whether `path` is here, or below."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


PLACES: Final = (
    Place(path="/", name="Overview"),
    Place(path="/approvals", name="Approvals"),
    Place(path="/exceptions", name="Exceptions"),
    Place(path="/actions", name="Actions"),
    Place(path="/tasks", name="Tasks"),
    Place(path="/agents", name="Agents"),
    Place(path="/servers", name="Servers"),
    Place(path="/policies", name="Policies"),
    Place(path="/audit", name="Audit"),
    Place(path="/settings", name="Settings"),
    Place(path="/people", name="People", needs="administer"),
)
"""In their order."""
NEAR: Final = 4
"""How many of them have room on any screen; the rest is folded away where there is none."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What the header says."""

    now: int
    """UTC ms."""
    waiting: int | None = None
    """How many actions are held; None: it is not for whoever asks, or not known."""
    raised: int | None = None
    """How many of these are exceptions."""
    stopped: int = 0
    """How many brakes hold."""


async def framed(request: Asked) -> None:
    """Before each page: look up what its header says. A region that is fetched again has no header."""
    plane: ControlPlane = request.app.state.plane
    now = plane.means.clock.now()
    actor: Actor | None = request.user
    if actor is None or not actor.may("see") or request.method not in ("GET", "POST"):
        request.state.frame = Frame(now=now)
        return
    control = (await plane.orders.refresh()).control
    request.state.frame = Frame(
        now=now,
        waiting=await plane.means.store.count(ActionQuery(waiting=True)),
        raised=await plane.exceptions.count(),
        stopped=len(holding(control, now)),
    )


def frame_of(request: Asked) -> Frame:
    """What stands around the page that answers `request`; bare where the door did not open."""
    found: Frame | None = request.state.get("frame")
    if found is not None:
        return found
    plane: ControlPlane = request.app.state.plane
    return Frame(now=plane.means.clock.now())


def asker_of(request: Asked) -> Actor | None:
    """Who asks; nobody is looked up for what is not there."""
    there: Mapping[str, object] = request.scope
    return request.user if "user" in there else None


def places_for(request: Asked) -> list[Place]:
    """Where whoever asks can go."""
    actor = asker_of(request)
    return [] if actor is None else [each for each in PLACES if actor.may(each.needs)]


def theme_of(request: Asked) -> Theme:
    """How the browser was told to show pages; `auto` is as its system does."""
    return _theme(request.cookies.get(THEME_COOKIE, ""))


def _theme(said: str) -> Theme:
    found: list[Theme] = [each for each in THEMES if each == said]
    return found[0] if found else "auto"


@post("/theme", opt={"needs": "nobody", "form": True}, include_in_schema=False, status_code=303)
async def theme(request: Asked) -> Response[bytes]:
    """Remember in the browser how pages look, and go back."""
    chosen = _theme(str((await request.form()).get("theme", "")))
    secure = "; Secure" if request.app.state.hosting.secure else ""
    cookie = f"{THEME_COOKIE}={chosen}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}"
    return lead_to(_back(request), **{"Set-Cookie": cookie})


def _back(request: Asked) -> str:
    """The path the form was on, of this origin; browsers send it with `Referrer-Policy: same-origin`."""
    said, own = request.headers.get("referer", ""), f"://{request.headers.get('host', '')}/"
    path = "/" + said.partition(own)[2].lstrip("/\\") if own in said else "/"
    return path if path.isascii() and path.isprintable() and "\\" not in path else "/"


ROUTES: list[HTTPRouteHandler] = [theme]
