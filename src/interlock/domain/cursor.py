"""Where the next page of a list begins, as whoever turns it says."""

import re
from typing import Final

from interlock.domain.errors import ContractError
from interlock.domain.ids import ActionId

_ID: Final = re.compile(r"(?!-*\Z)[0-9A-Za-z-]{1,64}")


def no_cursor(path: str = "/cursor") -> ContractError:
    """What is wrong with one that is none; `path` is the field it stands in."""
    return ContractError("this is no cursor of a list", path=path, next_step="begin without one")


def before_of(cursor: str, path: str = "/cursor") -> ActionId | None:
    """The action before which a list of actions goes on; None at its beginning. Raises ContractError."""
    if not cursor:
        return None
    if not _ID.fullmatch(cursor):
        raise no_cursor(path)
    return ActionId(cursor)
