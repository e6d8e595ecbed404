"""One publication: what it would change, whose word is missing, and the words of those who may give one."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath

from interlock.console.given import lead_to
from interlock.console.render import page
from interlock.console.sent import bounded
from interlock.domain.ids import PublicationId
from interlock.domain.publication import Publication
from interlock.services.supposing import REPLAYED
from interlock.web.parts import CONSENT, Asked, Plane, Who


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """The form by which somebody agrees."""

    note: str = ""


@get("/policies/publications/{publication:str}", opt={"needs": "see"}, include_in_schema=False)
async def publication_page(request: Asked, plane: Plane, actor: Who, publication: FromPath[str]) -> Response[str]:
    """What it would change, what it loosens, which recorded decisions it would change, and whose word is missing."""
    review = await plane.reviewing.review(PublicationId(publication), limit=REPLAYED)
    return page(
        request,
        "publication.html",
        review=review,
        it=review.publication,
        voice=await plane.consenting.voice(review.publication, actor.person, author=actor.may("write_policy")),
    )


@post(
    "/policies/publications/{publication:str}/accept",
    opt=CONSENT,
    include_in_schema=False,
    status_code=303,
)
async def accept(
    plane: Plane,
    actor: Who,
    publication: FromPath[str],
    data: Annotated[Note, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Agree. With the last word it takes, it is in force in every process."""
    return _back_to(
        await plane.consenting.accept(
            PublicationId(publication), actor.person, note=bounded(data.note), author=actor.may("write_policy")
        )
    )


@post(
    "/policies/publications/{publication:str}/withdraw",
    opt=CONSENT,
    include_in_schema=False,
    status_code=303,
)
async def withdraw(plane: Plane, actor: Who, publication: FromPath[str]) -> Response[bytes]:
    """Take it back."""
    return _back_to(
        await plane.consenting.withdraw(PublicationId(publication), actor.person, author=actor.may("write_policy"))
    )


def _back_to(publication: Publication) -> Response[bytes]:
    return lead_to(f"/policies/publications/{publication.id}")


ROUTES: list[HTTPRouteHandler] = [publication_page, accept, withdraw]
