"""On whose behalf a task is, as programs write it: `user:ana`, `customer:c-17`, `system:nightly`."""

from typing import Final

USER: Final = "user"


def whole(initiator: str) -> str:
    """`initiator` in the one spelling by which it is compared: a name without a kind is a user's, and capitals and spaces make no
    user somebody else. Of other kinds the name is an id, and stays as it is."""
    kind, named, name = initiator.partition(":")
    kind, name = (kind.strip().casefold(), name.strip()) if named else (USER, initiator.strip())
    return f"{kind}:{name.casefold() if kind == USER else name}"
