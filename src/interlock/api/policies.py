"""`/v1/policies` and `/v1/publications`: what is in force, what would follow, and what two people are to agree to."""

from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from interlock.api.parts import SEE, Note
from interlock.domain.bundle import Bundle
from interlock.domain.errors import NotAllowed, NotFound
from interlock.domain.explanation import Explanation
from interlock.domain.ids import PublicationId
from interlock.domain.publication import Publication
from interlock.services.reviewing import Review
from interlock.services.trying import Hypothesis
from interlock.web.once import Answered, kept
from interlock.web.parts import CONSENT, Asked, Plane, Who

REPLAYED: Final = 1_000
"""So many decisions at most are put to policies that nobody published yet."""


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Your agreement."""

    note: Note = ""


@get("/v1/policies", opt=SEE)
async def policies(request: Asked, plane: Plane) -> Response[Bundle]:
    """The policies in force, as they are written."""
    return kept(request, await plane.orders.bundle())


@post("/v1/policies/try", opt=SEE, status_code=200)
async def tried(request: Asked, plane: Plane, data: JSONBody[Hypothesis]) -> Response[Explanation]:
    """How what nobody proposed would be decided now, and why. Nothing is recorded, and no tool is called."""
    if data.read_facts:
        raise NotAllowed("nothing is read for a hypothesis from afar", next_step="give the `facts`")
    if plane.trying is None:
        raise NotFound("nothing here can account for decisions in words", next_step="ask the command line")
    return kept(request, await plane.trying.tried(data))


@get("/v1/publications", opt=SEE)
async def publications(request: Asked, plane: Plane) -> Response[list[Publication]]:
    """What was proposed to come into force, newest first."""
    return kept(request, await plane.consenting.publications())


@get("/v1/publications/{publication:str}", opt=SEE)
async def review(
    request: Asked,
    plane: Plane,
    publication: FromPath[str],
    newest: Annotated[int, QueryParameter(ge=0, le=REPLAYED)] = 200,
) -> Response[Review]:
    """What it would change, and how the `newest` decisions would have come out under it."""
    return kept(request, await plane.reviewing.review(PublicationId(publication), limit=newest))


@post("/v1/publications/{publication:str}/accept", opt=CONSENT, status_code=200)
async def accept(
    request: Asked, plane: Plane, actor: Who, once: Answered, publication: FromPath[str], data: JSONBody[Consent]
) -> Response[Publication]:
    """Agree to it. With the last agreement it takes it is in force when this is answered."""

    async def work() -> Publication:
        return await plane.consenting.accept(
            PublicationId(publication), actor.person, note=data.note, author=actor.may("write_policy")
        )

    return await once.do(request, actor, data, work)


@post("/v1/publications/{publication:str}/withdraw", opt=CONSENT, status_code=200)
async def withdraw(
    request: Asked, plane: Plane, actor: Who, once: Answered, publication: FromPath[str]
) -> Response[Publication]:
    """Take it back, or refuse it."""

    async def work() -> Publication:
        return await plane.consenting.withdraw(
            PublicationId(publication), actor.person, author=actor.may("write_policy")
        )

    return await once.do(request, actor, None, work)


ROUTES: list[HTTPRouteHandler] = [policies, tried, publications, review, accept, withdraw]
