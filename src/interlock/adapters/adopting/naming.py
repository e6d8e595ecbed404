"""Names of others as names of ours: words that may stand in a file's name, in a policy and in a contract, none twice."""

import re
from typing import Final

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]+")
MAX_NAME: Final = 48


def fitted(name: str, otherwise: str) -> str:
    """`name` as a word of letters, digits, `_` and `-`, or `otherwise` where nothing of it is left."""
    made = _UNFIT.sub("_", name).strip("_-")[:MAX_NAME].rstrip("_-")
    if made and not (made[0].isascii() and made[0].isalpha()):
        made = f"{otherwise[:1]}_{made}"
    return made or otherwise


class Names:
    """The names given so far. Two that differ only in capitals are one: some systems' files are."""

    def __init__(self) -> None:
        self._taken = set[str]()

    def take(self, name: str, otherwise: str) -> str:
        """A name of its own for `name`, as near to it as may be."""
        base, number = fitted(name, otherwise), 1
        made = base
        while made.casefold() in self._taken:
            number += 1
            made = f"{base}_{number}"
        self._taken.add(made.casefold())
        return made
