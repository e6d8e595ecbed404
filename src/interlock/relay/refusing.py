"""Errors in the shape in which OpenAI's clients expect them, so that each raises its own; our code and what to do next are in it.

What must not be tried again by itself says so in `x-should-retry`: a budget that is used up, and a question that may have been
billed although nobody answered it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from interlock.domain import errors
from interlock.domain.errors import InterlockError
from interlock.web.problems import headers_of, status_of

_TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An error as it is answered."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = {}


def refusal_of(error: InterlockError) -> Refusal:
    """`error` as it is answered."""
    status = _status(error)
    said: dict[str, Any] = {
        # Most programs show nothing but this.
        "message": f"{error.detail}; next: {error.next_step}",
        "type": "insufficient_quota"
        if isinstance(error, errors.BudgetExceeded)
        else _TYPES.get(status, "server_error"),
        "param": _param(error),
        "code": error.code,
        "fault": error.fault,
        "next": error.next_step,
    }
    return Refusal(status=status, body={"error": said}, headers=_headers(error))


def of_provider(status: int, message: str, *, again: bool, headers: Mapping[str, str]) -> Refusal:
    """What a provider refused in a form that is not OpenAI's, or that is not for agents."""
    said = {
        "message": message,
        "type": _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "param": None,
        "code": "model_refused",
        "fault": "operator",
        "next": "see what its provider says of that",
    }
    return Refusal(status=status, body={"error": said}, headers={**headers, **no_more(again=again)})


def no_more(*, again: bool) -> dict[str, str]:
    """The header that has a client ask no second time by itself, unless `again`."""
    return {} if again else {"x-should-retry": "false"}


def _status(error: InterlockError) -> int:
    match error:
        case errors.ContractError():
            return 400
        case errors.ModelNotAnswered(slow=True):
            return 504
        case errors.KeyFileError():
            return 502
        case _:
            return status_of(error)


def _param(error: InterlockError) -> str | None:
    path = error.path if isinstance(error, errors.ContractError) else ""
    return path.removeprefix("/").replace("/", ".") or None


def _headers(error: InterlockError) -> dict[str, str]:
    match error:
        case errors.BudgetExceeded() | errors.RateExceeded():
            return no_more(again=False)
        case errors.ModelNotAnswered(sent=True):
            return no_more(again=False)
        case _:
            return headers_of(error)
