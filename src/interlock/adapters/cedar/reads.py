"""What a policy reads of the context. Sending only that is exact, and most of a decision's time is what is sent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from cedarpy import pst


class Reads:
    """A part of the context: read as a whole, or only in some members. Neither means that only its being there is."""

    def __init__(self) -> None:
        self.whole = False
        self.members: dict[str, Reads] = {}

    def at(self, path: Iterable[str]) -> "Reads":
        """The part at `path` below this one, noted as looked for."""
        part = self
        for name in path:
            part = part.members.setdefault(name, Reads())
        return part

    def key(self) -> tuple[object, ...]:
        """Equal for parts that read the same."""
        return self.whole, *sorted((name, part.key()) for name, part in self.members.items())


def reads(templates: Iterable[pst.Template]) -> Reads:
    """What `templates` read together. Any use of `context` other than naming members of it reads all of that part."""
    found = Reads()
    pending: list[Any] = [clause for template in templates for clause in template.clauses]
    # A stack of our own: how deep an expression nests is the author's choice.
    while pending:
        node = pending.pop()
        if isinstance(node, pst.HasAttr) and (path := context_path(node.base)) is not None:
            found.at((*path, *node.attrs))
        elif (path := context_path(node)) is not None:
            found.at(path).whole = True
        else:
            pending.extend(children(node))
    return found


def context_path(node: object) -> tuple[str, ...] | None:
    """`("args", "sku")` for `context.args.sku`, `()` for `context`, None for anything else."""
    path: list[str] = []
    while isinstance(node, pst.GetAttr):
        path.append(node.attr)
        node = node.base
    return tuple(reversed(path)) if isinstance(node, pst.Var) and node.name == "context" else None


def context_paths(node: object) -> Iterator[tuple[str, ...]]:
    """Every path below the context that it reads, as long as it is written."""
    pending = [node]
    while pending:
        inner = pending.pop()
        path = context_path(inner)
        if path:
            yield path
        else:
            pending.extend(children(inner))


def children(node: object) -> Iterator[object]:
    """What stands directly below a node, whatever kind of node it is."""
    if isinstance(node, Mapping):
        yield from cast(Mapping[str, object], node).values()
    elif isinstance(node, tuple):
        yield from cast(tuple[object, ...], node)
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            yield getattr(node, field.name)
