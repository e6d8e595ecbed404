"""The secrets of ways to people: what they are named by, and what is said where there is none."""

from pathlib import Path

from interlock.adapters.references import NoSecret, secret_at
from interlock.domain.errors import NotDelivered


def secret_of(reference: str, folder: Path) -> str:
    """See `references.secret_at`. Raises NotDelivered."""
    try:
        return secret_at(reference, folder)
    except NoSecret as error:
        raise NotDelivered(str(error)) from None
