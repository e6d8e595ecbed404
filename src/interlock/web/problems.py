"""Errors as HTTP answers: one table of statuses, one shape (RFC 9457), and never a traceback.

Whoever asked for a page is given one with the same words, by whatever renders pages; whoever asked the API, a program's
answer. What nobody foresaw is our fault, and says nothing of what went wrong inside: that stands in the operator's log.
"""

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeAlias, cast
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException

from interlock.domain import errors
from interlock.domain.errors import InterlockError, NotSignedIn
from interlock.domain.refusals import BadRequest, Crowded, NoHost, NoSuchMethod, TooLarge, TooMany, TooSlow

PROBLEM: Final = "application/problem+json"
OF_PROGRAMS: Final = ("/v1/", "/live", "/metrics", "/readyz")
"""Where programs ask, and are not sent to a page where one signs in."""
AGAIN_S: Final = 2
"""After how many seconds to try again, of what passes by itself."""

_log = logging.getLogger("interlock.web")


STATUS: Final[Mapping[type[InterlockError], int]] = {
    BadRequest: 400,
    NotSignedIn: 401,
    NoSuchMethod: 405,
    TooSlow: 408,
    TooLarge: 413,
    NoHost: 421,
    errors.NotAdmitted: 401,
    errors.NotAllowed: 403,
    errors.TooFast: 429,
    errors.NotFound: 404,
    errors.StaleView: 409,
    errors.IllegalMove: 409,
    errors.Conflict: 409,
    errors.CredentialStale: 409,
    errors.DoneBefore: 409,
    errors.ChildrenFailed: 409,
    errors.KeyGone: 410,
    errors.ContractError: 422,
    errors.WorkspaceError: 422,
    errors.PolicyError: 422,
    errors.KeyReused: 422,
    errors.BudgetExceeded: 429,
    errors.RateExceeded: 429,
    TooMany: 429,
    Crowded: 503,
    errors.StoreError: 503,
    errors.FileError: 503,
    errors.KeyFileError: 503,
    errors.WitnessError: 503,
    errors.NotDelivered: 502,
    errors.Unreachable: 502,
    errors.NotUnderstood: 502,
    errors.ModelNotAnswered: 502,
    errors.EffectorError: 503,
    errors.IntegrityError: 503,
    InterlockError: 500,
}
"""The status of each kind; of a kind that is not here, that of what it is a kind of."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as it is answered."""

    status: int
    code: str
    fault: str
    detail: str
    next: str
    members: Mapping[str, object] = {}
    """What its kind says besides."""

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def body(self) -> dict[str, object]:
        """RFC 9457: `type`, `title`, `status`, `detail`, then ours."""
        return {
            "type": f"urn:interlock:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "fault": self.fault,
            "next": self.next,
            **self.members,
        }


AnyRequest: TypeAlias = Request[Any, Any, State]
ProblemPage: TypeAlias = Callable[[AnyRequest, Problem], Response[Any]]
"""Renders a problem for somebody who asked for a page."""


def status_of(error: InterlockError) -> int:
    """The status that answers `error`."""
    if isinstance(error, errors.NotAdmitted):
        return error.status
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_of(error: InterlockError) -> Problem:
    """`error` as it is answered."""
    return Problem(
        status=status_of(error),
        code=error.code,
        fault=error.fault,
        detail=error.detail,
        next=error.next_step,
        members=error.members,
    )


def headers_of(error: InterlockError) -> dict[str, str]:
    """The headers that answer `error`: when to come again, and what would let in (RFC 6750 section 3, RFC 9728 section 5.1)."""
    match error:
        case TooMany() | errors.TooFast():
            return {"retry-after": str(error.after_s)}
        case Crowded() | errors.StoreBusy() | errors.StoreUnsure() | errors.Conflict():
            return {"retry-after": str(AGAIN_S)}
        case errors.NotAdmitted() if error.challenge:
            return {"www-authenticate": error.challenge}
        case _:
            return {}


def answers(page: ProblemPage | None = None) -> dict[type[Exception] | int, Callable[[AnyRequest, Any], Response[Any]]]:
    """The exception handlers of an application whose pages `page` renders; without it, all are answered as programs are."""

    def of_ours(request: AnyRequest, error: InterlockError) -> Response[Any]:
        if isinstance(error, NotSignedIn) and not for_programs(request.url.path):
            return _to_sign_in(request)
        return given(request, problem_of(error), error)

    def of_litestar(request: AnyRequest, error: HTTPException) -> Response[Any]:
        return given(request, _foreign(error), None, allow=error.headers)

    def of_nesting(request: AnyRequest, error: RecursionError) -> Response[Any]:
        del error
        return given(request, problem_of(BadRequest("the request is nested too deeply")), None)

    def of_nobody(request: AnyRequest, error: Exception) -> Response[Any]:
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        # What it says may quote what somebody sent; where it was raised may not.
        _log.error("a defect of Interlock: %s at %s", type(error).__name__, place)
        return given(request, problem_of(InterlockError("a defect of Interlock; the server's log says where")), None)

    def given(
        request: AnyRequest,
        problem: Problem,
        error: InterlockError | None,
        allow: Mapping[str, str] | None = None,
    ) -> Response[Any]:
        response = (
            page(request, problem) if page is not None and not for_programs(request.url.path) else program(problem)
        )
        response.headers.update({} if error is None else headers_of(error))
        for name, value in (allow or {}).items():
            if name.lower() == "allow":
                response.headers["Allow"] = value
        return response

    return {InterlockError: of_ours, HTTPException: of_litestar, RecursionError: of_nesting, Exception: of_nobody}


def for_programs(path: str) -> bool:
    """Whether a program asks there, not a person."""
    return path.startswith(OF_PROGRAMS)


def program(problem: Problem) -> Response[bytes]:
    """The answer to a program."""
    return Response(encoded(problem), status_code=problem.status, media_type=PROBLEM)


def encoded(problem: Problem) -> bytes:
    """The body of that answer."""
    return msgspec.json.encode(problem.body(), enc_hook=str)


def _to_sign_in(request: AnyRequest) -> Response[bytes]:
    """To where one signs in, and back. Only what may be asked for again is come back to."""
    path = request.url.path if request.method == "GET" else "/"
    query = request.url.query if request.method == "GET" else ""
    back = quote(f"{path}?{query}" if query else path, safe="/")
    return Response(b"", status_code=303, headers={"Location": f"/sign-in?next={back}"})


_CODES: Final[Mapping[int, str]] = {404: "not_found", 405: "no_such_method", 413: "too_large", 415: "bad_request"}


def _foreign(error: HTTPException) -> Problem:
    """What Litestar says of a request that reached no handler of ours."""
    fields: dict[str, object] = {}
    if isinstance(error, ValidationException):
        wrong = cast(Sequence[Mapping[str, object]], error.extra if isinstance(error.extra, list) else ())
        fields["fields"] = [
            {"field": str(each.get("key", "")), "wrong": str(each.get("message", ""))} for each in wrong
        ]
    detail = HTTPStatus(error.status_code).phrase.lower()
    if error.status_code == 404:
        detail = "there is nothing here"
    elif isinstance(error, ValidationException) or error.status_code == 400:
        detail = "the request does not fit what is asked for here"
    return Problem(
        status=error.status_code,
        code=_CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "interlock"),
        fault="yours" if error.status_code < 500 else "ours",
        detail=detail,
        next=BadRequest.next if error.status_code < 500 else InterlockError.next,
        members=fields,
    )
