"""SPIFFE ids: how agents are named outside of one installation, and who names them.

`spiffe://<trust domain>/agent/<name>`, after the SPIFFE ID standard
(https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md, sections 2 and 3). An id is compared byte by byte, so we
take one spelling only: a lower-case trust domain, no port, no query, no empty or relative step of the path.
"""

import re
from typing import Final

from interlock.domain.ids import AgentName

MAX_ID_BYTES: Final = 2048
"""Section 2.4."""
MAX_DOMAIN_BYTES: Final = 255

_DOMAIN: Final = re.compile(r"[a-z0-9._-]+")
_STEP: Final = re.compile(r"[A-Za-z0-9._-]+")
_SCHEME: Final = "spiffe://"


class SpiffeError(ValueError):
    """A text is no SPIFFE id, or not one of ours."""


def must_be_domain(trust_domain: str) -> str:
    """`trust_domain`, if it can be one. Raises SpiffeError."""
    if len(trust_domain) > MAX_DOMAIN_BYTES or _DOMAIN.fullmatch(trust_domain) is None:
        raise SpiffeError("a trust domain is lower-case letters, digits, `.`, `-` and `_`, at most 255 of them")
    return trust_domain


def default_domain(tenant: str) -> str:
    """The trust domain of an installation that names none."""
    return must_be_domain(f"{tenant.lower()}.interlock.internal")


def agent_id(trust_domain: str, agent: str) -> str:
    """The id of an agent. Raises SpiffeError for a name that cannot be a step of a path."""
    text = f"{_SCHEME}{must_be_domain(trust_domain)}/agent/{agent}"
    split(text)
    return text


def plane_id(trust_domain: str) -> str:
    """Who issues credentials, and for whom proofs are made: the control plane of a trust domain."""
    return f"{_SCHEME}{must_be_domain(trust_domain)}/interlock"


def split(text: str) -> tuple[str, tuple[str, ...]]:
    """The trust domain of an id and the steps of its path, none for the id of the domain itself. Raises SpiffeError."""
    if len(text) > MAX_ID_BYTES or not text.startswith(_SCHEME):
        raise SpiffeError("it is no SPIFFE id: `spiffe://domain/path`")
    domain, slash, path = text.removeprefix(_SCHEME).partition("/")
    must_be_domain(domain)
    steps = tuple(path.split("/")) if slash else ()
    if any(_STEP.fullmatch(step) is None or step in (".", "..") for step in steps):
        raise SpiffeError("a step of its path is empty, relative, or has other characters than letters, digits, `.-_`")
    return domain, steps


def agent_of(text: str, trust_domain: str) -> AgentName:
    """The agent that an id names. Raises SpiffeError for any id but that of an agent of `trust_domain`."""
    domain, steps = split(text)
    if domain != trust_domain:
        raise SpiffeError("it is of another trust domain")
    if len(steps) != 2 or steps[0] != "agent":
        raise SpiffeError("it does not name an agent: `spiffe://domain/agent/name`")
    return AgentName(steps[1])
