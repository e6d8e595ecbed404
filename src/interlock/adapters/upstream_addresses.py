"""What may stand in the address of a server: no secret but by the name of a variable, and the host as it is.

An address is shown: in lists, in the console, in what is pinned, in errors. What `${NAME}` stands for in it is put in where it
leaves this machine, and nowhere else.
"""

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from interlock.domain.secret import without_secrets

_SECRET: Final = re.compile(
    r".*(?:key|token|secret|passw|pwd|auth|signature|credential|session|jwt).*|sig|code|sid", re.IGNORECASE
)
_VARIABLES: Final = re.compile(r"(?:\$\{[A-Za-z_][A-Za-z0-9_]*\}:?)+")
_LONG: Final = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,}")
"""A step of a path that nobody would write by hand."""


def wrong_with(address: str) -> str:
    """What is wrong with an address, and what to write instead, in words that repeat no part of it that may be a secret; empty:
    nothing is."""
    try:
        parts = urlsplit(address)
        user, _, host = parts.netloc.rpartition("@")
        asked = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "is no address"
    if "${" in host or "${" in parts.scheme:
        return "names its host itself: only what stands before `@` and behind the host may be `${NAME}`"
    if user and not _VARIABLES.fullmatch(user):
        return (
            "holds who signs in, which everybody reads who sees it: write `https://${USER}:"
            '${PASSWORD}@...`, or a header, such as `Authorization: "Bearer ${NAME}"`, and set that where it runs'
        )
    for name, value in asked:
        if "${" not in value and value and (_SECRET.fullmatch(name) or _is_secret(value)):
            shown = name if _SECRET.fullmatch(name) and name.isidentifier() else "NAME"
            return f"holds what looks like a secret: write `?{shown}=${{{shown.upper()}}}`, and set that where it runs"
    if any(_is_secret(step) for step in parts.path.split("/") if "${" not in step):
        return "holds what looks like a secret in its path: write `/${NAME}/`, and set that where it runs"
    return ""


def _is_secret(text: str) -> bool:
    found: list[str] = []
    without_secrets(text, found.append)
    return bool(found) or _LONG.fullmatch(text) is not None
