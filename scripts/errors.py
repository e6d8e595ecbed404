"""The errors as a table, drawn from the tree in `domain.errors`."""

from collections.abc import Iterator

from interlock.domain.errors import Fault, InterlockError
from scripts.markdown import table

WHOSE: dict[Fault, str] = {
    "yours": "the caller's",
    "operator": "whoever runs this installation",
    "ours": "ours: please report it",
}


def tree(root: type[InterlockError] = InterlockError) -> Iterator[type[InterlockError]]:
    """Every error below `root`, parents first, in the order of the file."""
    for kind in root.__subclasses__():
        yield kind
        yield from tree(kind)


def errors() -> str:
    """Every error that can reach a caller, by its code."""
    rows = [
        [
            f"`{kind.code}`",
            f"`{kind.__name__}`",
            _first(kind),
            WHOSE[kind.fault],
            kind.next,
        ]
        for kind in tree()
    ]
    return table(["code", "in Python", "what happened", "whose it is", "what to do"], rows)


def _first(kind: type[InterlockError]) -> str:
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
