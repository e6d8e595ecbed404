"""Pages from templates. Whatever is put into one is text: it is escaped, what hides in it is made visible, and what a template
lacks is an error.

A page has regions: blocks named `region_NAME` inside an element with the id NAME. The script asks for one of them again when
its topics change; the answer is that block alone, with an ETag, so that what is as it was is not sent twice. Nothing that
somebody types into is in a region.
"""

from hashlib import sha256
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.enums import MediaType
from markupsafe import Markup

from interlock.console import words
from interlock.console.frame import NEAR, THEMES, asker_of, frame_of, places_for, theme_of
from interlock.console.static import ICON, SCRIPT, STYLE
from interlock.console.visible import coded, sentence, visible
from interlock.domain.errors import InterlockError
from interlock.domain.exception_case import kind_words
from interlock.domain.money import money
from interlock.web.parts import Asked
from interlock.web.problems import status_of

REGION: Final = "region_"


def _finalised(value: object) -> object:
    """What is put out: text is made visible, markup of our own stays, and None is nothing."""
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("interlock.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalised,
    )
    filters: dict[str, Any] = made.filters
    filters.update(
        iso=words.iso,
        at=words.at,
        clock=words.clock,
        until=words.until,
        lasting=words.lasting,
        short=words.short,
        amount=money,
        coded=coded,
        sentence=sentence,
        kind=kind_words,
    )
    known: dict[str, Any] = made.globals
    known.update(style=STYLE.url, script=SCRIPT.url, icon=ICON.url, themes=THEMES, near=NEAR)
    # Regions are rendered by themselves, without what their template imports.
    known["ui"] = made.get_template("macros.html").module
    known["dossier"] = made.get_template("dossier.html").module
    return made


_ENVIRONMENT: Final = _environment()
_BASE: Final = _ENVIRONMENT.get_template("base.html")


def page(
    request: Asked, template: str, *, status: int = 200, wrong: InterlockError | None = None, **values: Any
) -> Response[str]:
    """The page of `template`, or the one region of it that the script asks for. Its status is that of what is `wrong`.

    Templates are told besides `values`: `actor` (who asks, or None), `frame` (`now`, `waiting`, `stopped`), `places`, `path`
    and `theme`; `ui` are the macros of macros.html.
    """
    told: dict[str, Any] = {
        "actor": asker_of(request),
        "path": request.url.path,
        "frame": frame_of(request),
        "places": places_for(request),
        "theme": theme_of(request),
        **values,
    }
    status = status if wrong is None else status_of(wrong)
    found = _ENVIRONMENT.get_template(template)
    name = REGION + _region(request)
    region = {**_BASE.blocks, **found.blocks}.get(name) if request.method == "GET" else None
    if region is None:
        return Response(found.render(told), media_type=MediaType.HTML, status_code=status, headers=_vary())
    text = "".join(region(found.new_context(told)))
    tag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, **_vary()}
    if request.headers.get("if-none-match") == tag:
        return Response("", media_type=MediaType.HTML, status_code=304, headers=headers)
    return Response(text, media_type=MediaType.HTML, status_code=status, headers=headers)


def _region(request: Asked) -> str:
    """The id of the element that asks, as htmx sends it: `section#inbox`."""
    if request.headers.get("hx-request") != "true":
        return ""
    return request.headers.get("hx-target", "").partition("#")[2]


def _vary() -> dict[str, str]:
    return {"Vary": "Cookie, HX-Request, HX-Target"}
