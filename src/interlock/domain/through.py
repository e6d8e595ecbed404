"""By what somebody came whom a gateway acts for, as tasks and entries say it: an agent key, or a program with an access token."""

import re
from typing import Final

KEY: Final = "agent_key:"
CLIENT: Final = "oauth:"
MOST_THROUGH: Final = 512
"""Characters."""

_FORM: Final = re.compile(r"agent_key:[0-9a-f]{32}|oauth:[!-~]+#[!-~]+")
_KEY_ID: Final = re.compile(r"[0-9a-f]{32}")


def by_client(issuer: str, client: str) -> str:
    """Of a program that an issuer of access tokens calls `client`. Raises ValueError where that cannot be written."""
    text = f"{CLIENT}{issuer}#{client}"
    if not is_through(text) or "#" in issuer:
        raise ValueError("an issuer and a client are named in printable ASCII, without spaces")
    return text


def is_through(text: str) -> bool:
    """Whether `text` is in that form."""
    return len(text) <= MOST_THROUGH and _FORM.fullmatch(text) is not None


def is_key_id(text: str) -> bool:
    """Whether `text` may be the id of an agent key."""
    return _KEY_ID.fullmatch(text) is not None


def is_client(text: str) -> bool:
    """Whether `text` may name a client: its issuer, `#`, and its name there."""
    return is_through(f"{CLIENT}{text}")
