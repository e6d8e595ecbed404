"""What a request bears to say who makes it, and the one form in which it may: before anything of it is looked up or believed.

RFC 6750 (how a token is borne, and how a request that bears none is answered), RFC 9449 section 7 (`DPoP`), RFC 9728 section 5.1
(`resource_metadata`).
"""

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.errors import NotAdmitted

MAX_TOKEN: Final = 16 * 1024
"""Characters of a token: longer ones are not read."""
MAX_QUERY: Final = 8 * 1024
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_QUOTED: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")

Scheme = Literal["bearer", "dpop"]
Wrong = Literal["", "invalid_request", "invalid_token", "insufficient_scope", "invalid_dpop_proof"]


class Borne(msgspec.Struct, frozen=True, kw_only=True):
    """Of a request, what says who makes it."""

    authorization: tuple[str, ...] = ()
    """The value of every `Authorization` header there is."""
    dpop: tuple[str, ...] = ()
    """The value of every `DPoP` header."""
    method: str = "POST"
    path: str = "/mcp"
    """As it was asked for, still percent-encoded, without the query."""
    query: str = ""
    address: str = ""
    """Where it comes from."""

    def __repr__(self) -> str:
        # A secret is in it, and whatever shows it in a log or an error shall not tell.
        return f"Borne(method={self.method!r}, path={self.path!r})"


class Carried(NamedTuple):
    """A token, and how it was borne. Nothing of it is believed."""

    scheme: Scheme
    token: str

    def __repr__(self) -> str:
        return f"Carried(scheme={self.scheme!r})"


def carried(borne: Borne, *, metadata: str = "") -> Carried:
    """The one token that a request bears, in the one way it may. Raises NotAdmitted: 401 where there is none, 400 where it is
    said twice, in the address, or in no form of ours."""
    if len(borne.query) > MAX_QUERY:
        raise refused("the address is too long", "invalid_request", metadata=metadata)
    if _in_the_address(borne.query):
        raise refused(
            "a token stood in the address, where whoever keeps addresses keeps it: end it, and bear the next in a header",
            "invalid_request",
            metadata=metadata,
        )
    if not borne.authorization:
        raise refused("nothing says who asks: bear a token, `Authorization: Bearer ...`", "", metadata=metadata)
    said, *more = borne.authorization
    if more or len(borne.dpop) > 1:
        raise refused("who asks is said twice", "invalid_request", metadata=metadata)
    if len(said) > MAX_TOKEN + 8:
        raise refused(f"the token is longer than {MAX_TOKEN} characters", "invalid_request", metadata=metadata)
    scheme, _, token = said.strip(" \t").partition(" ")
    found: Scheme | None = "bearer" if scheme.lower() == "bearer" else "dpop" if scheme.lower() == "dpop" else None
    if found is None:
        raise refused("who asks is said with a token: `Authorization: Bearer ...`", "", metadata=metadata)
    token = token.strip(" ")
    if not _TOKEN.fullmatch(token):
        raise refused("what is borne has the form of no token", "invalid_request", metadata=metadata)
    return Carried(found, token)


def is_token(text: str) -> bool:
    """Whether `text` can be borne as a token (RFC 6750 section 2.1)."""
    return len(text) <= MAX_TOKEN and _TOKEN.fullmatch(text) is not None


def _in_the_address(query: str) -> bool:
    """Whether one of the fields of a query is named as tokens are, however that is written."""
    plain = _ENCODED.sub(lambda found: chr(int(found[1], 16)), query)
    return any(each.partition("=")[0].strip().lower() == "access_token" for each in re.split("[&;]", plain))


_STATUS: Final[dict[Wrong, Literal[400, 401, 403]]] = {
    "": 401,
    "invalid_request": 400,
    "invalid_token": 401,
    "insufficient_scope": 403,
    "invalid_dpop_proof": 401,
}


def refused(
    why: str,
    wrong: Wrong,
    *,
    metadata: str = "",
    scopes: Sequence[str] = (),
    algorithms: Sequence[str] = (),
    next_step: str | None = None,
) -> NotAdmitted:
    """The refusal that says `why`, with the challenge that answers it. `scopes` are those that would do, `algorithms` those by
    which the possession of a key may be proven, where that is asked for."""
    return NotAdmitted(
        why,
        status=_STATUS[wrong],
        challenge=challenge(wrong, why, metadata=metadata, scopes=scopes, algorithms=algorithms),
        next_step=next_step,
    )


def challenge(
    wrong: Wrong,
    why: str = "",
    *,
    metadata: str = "",
    scopes: Sequence[str] = (),
    algorithms: Sequence[str] = (),
) -> str:
    """The value of `WWW-Authenticate`: the scheme, what is wrong, what scopes it takes, and where we say of what issuers tokens
    count. A text that no header may hold is left out."""
    said = [
        ("error", wrong),
        ("error_description", why if wrong else ""),
        ("scope", " ".join(scopes)),
        ("resource_metadata", metadata),
        ("algs", " ".join(algorithms)),
    ]
    members = [f'{name}="{value}"' for name, value in said if value and _QUOTED.fullmatch(value)]
    scheme = "DPoP" if algorithms else "Bearer"
    return f"{scheme} {', '.join(members)}" if members else scheme
