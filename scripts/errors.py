"""The errors and the outcomes as tables, drawn from the trees in `domain.errors` and `sdk.outcomes`."""

from collections.abc import Iterator

from interlock.domain.errors import Fault, InterlockError
from interlock.sdk.outcomes import Done, NotDone, Withheld
from scripts.markdown import table

WHOSE: dict[Fault, str] = {
    "yours": "the caller's",
    "operator": "whoever runs this installation",
    "ours": "ours: please report it",
}


def tree(root: type[InterlockError]) -> Iterator[type[InterlockError]]:
    """Every public error below `root` in `root`'s own file, parents first, in the order of the file."""
    for kind in root.__subclasses__():
        if kind.__module__ == root.__module__:
            if not kind.__name__.startswith("_"):
                yield kind
            yield from tree(kind)


def errors() -> str:
    """Every error that can reach a caller, by its code."""
    rows = [
        [f"`{kind.code}`", f"`{kind.__name__}`", _first(kind), WHOSE[kind.fault], kind.next]
        for kind in tree(InterlockError)
    ]
    return table(["code", "in Python", "what happened", "whose it is", "what to do"], rows)


def outcomes() -> str:
    """Everything that can come of a proposal, as the agent's code sees it."""
    rows = [_row(kind) for kind in tree(NotDone)]
    return table(
        ["in Python", "code", "what it means", "what to do"],
        [[f"`{Done.__name__}`", "`done`", _first(Done), "go on"], *rows, _row(Withheld)],
    )


def _row(kind: type[InterlockError]) -> list[str]:
    return [f"`{kind.__name__}`", f"`{kind.code}`", _first(kind), kind.next]


def _first(kind: type) -> str:
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
