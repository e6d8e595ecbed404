"""Reading a table field by field: every field is asked for by name, and what nobody asked for is an unknown field.

A reader never raises. What is wrong is noted with its place, and a default is given in its stead, so that one run
finds everything. A field written with nothing behind it counts as not written.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeVar, overload

from interlock.adapters.workspace.nodes import Inexact, Listing, Node, Scalar, Table, is_empty, value_of
from interlock.adapters.workspace.problem import Place, Problems
from interlock.domain import duration
from interlock.domain.canonical import MAX_INTEGER, JsonValue

Word = TypeVar("Word", bound=str)

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
"""Tenants and agents: ordinary words, which stand in keys of the store and in policies."""
_PERCENT: Final = re.compile(r"(100|[1-9]?[0-9])%")


def near(name: str, known: Sequence[str]) -> str:
    """`; did you mean ...?`, or nothing."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else ""


class Section:
    """One table of a file. `what` names it in messages: `an agent`, `runtime`."""

    def __init__(self, table: Table, what: str, problems: Problems) -> None:
        self.table = table
        self.what = what
        self.problems = problems
        self._asked: dict[str, None] = {}

    def wrong(self, message: str, node: Node | None = None, *, warn: bool = False) -> None:
        """Note a problem at `node`, or at this table."""
        at = node or self.table
        self.problems.add(message, at.line, at.column, "warning" if warn else "error")

    def place(self, name: str = "") -> Place:
        """Where the field `name` is written, or this table."""
        line, column = self.table.names.get(name, (self.table.line, self.table.column))
        return Place(self.problems.file, line, column)

    def has(self, name: str) -> bool:
        """Whether `name` is written with something behind it."""
        return self.take(name) is not None

    def take(self, name: str, *, required: bool = False) -> Node | None:
        """What stands behind `name`."""
        self._asked[name] = None
        node = self.table.entries.get(name)
        if node is not None and not is_empty(node):
            return node
        if required:
            self.wrong(f"`{name}` is missing from {self.what}" if node is None else f"`{name}` is empty", node)
        return None

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        """Words as they were written: `1.10` stays `1.10`, `no` stays `no`."""
        node = self.take(name, required=required)
        if node is None:
            return default
        if not isinstance(node, Scalar):
            self.wrong(f"`{name}` must be words, not {kind_of(node)}", node)
            return default
        return node.text

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of words."""
        return tuple(item.text for item in self.words(name))

    def words(self, name: str) -> list[Scalar]:
        """A list of words, each with its place. One that is written twice is noted."""
        found: dict[str, Scalar] = {}
        for item in self._items(name):
            if not isinstance(item, Scalar) or is_empty(item):
                self.wrong(f"`{name}` must be a list of words", item)
            elif item.text in found:
                self.wrong(f"`{item.text}` is listed twice in `{name}`", item)
            else:
                found[item.text] = item
        return list(found.values())

    def integer(self, name: str, default: int, *, least: int = 0) -> int:
        """A whole number."""
        node = self.take(name)
        return default if node is None else self.whole(node, name, default, least=least)

    def whole(self, node: Node, name: str, default: int = 0, *, least: int = 0) -> int:
        """`node` as a whole number of at least `least`."""
        value = value_of(node) if isinstance(node, Scalar) else None
        if type(value) is not int:
            hint = "; money is counted in minor units (cents)" if isinstance(value, Inexact) else ""
            self.wrong(f"`{name}` must be a whole number{hint}", node)
            return default
        if not least <= value <= MAX_INTEGER:
            self.wrong(f"`{name}` must be from {least} to {MAX_INTEGER}", node)
            return default
        return value

    @overload
    def span(self, name: str, default: int) -> int: ...
    @overload
    def span(self, name: str, default: None) -> int | None: ...
    def span(self, name: str, default: int | None) -> int | None:
        """A duration in ms: written in words, or as a number of ms under `<name>_ms`."""
        node, exact = self.take(name), self.take(f"{name}_ms")
        if exact is not None:
            if node is not None:
                self.wrong(f"`{name}` and `{name}_ms` are the same; write one", exact)
            return self.whole(exact, f"{name}_ms", least=1)
        if node is None:
            return default
        try:
            milliseconds = duration.parse(node.text if isinstance(node, Scalar) else "")
        except ValueError:
            self.wrong(f"`{name}` must be a duration such as 90s, 1h30m or 30d, longer than nothing", node)
            return default
        if milliseconds > MAX_INTEGER:
            self.wrong(f"`{name}` is longer than can be counted", node)
            return default
        return milliseconds

    def choice(self, name: str, options: tuple[Word, ...], default: Word, *, required: bool = False) -> Word:
        """One of `options`."""
        node = self.take(name, required=required)
        return default if node is None else self.one_of(node, name, options, default)

    def one_of(self, node: Node, name: str, options: tuple[Word, ...], default: Word) -> Word:
        """`node` as one of `options`."""
        text = node.text if isinstance(node, Scalar) else ""
        for option in options:
            if option == text:
                return option
        said = ", ".join(options[:-1]) + f" or {options[-1]}"
        self.wrong(f"`{name}` must be {said}{near(text, options)}", node)
        return default

    def section(self, name: str, *, required: bool = False) -> "Section | None":
        """The table behind `name`."""
        node = self.take(name, required=required)
        return None if node is None else self.below(node, name)

    def below(self, node: Node, name: str) -> "Section | None":
        """`node` as a table."""
        if isinstance(node, Table):
            return Section(node, f"`{name}`", self.problems)
        self.wrong(f"`{name}` must be a table of fields, not {kind_of(node)}", node)
        return None

    def sections(self, name: str) -> "list[Section]":
        """A list of tables."""
        return [found for item in self._items(name) if (found := self.below(item, name)) is not None]

    def pairs(self, name: str) -> dict[str, Node]:
        """A table whose names are the user's own."""
        section = self.section(name)
        if section is None:
            return {}
        return dict(section.own())

    def own(self) -> Iterator[tuple[str, Node]]:
        """Every entry, where the names are the user's own. Empty ones are noted."""
        for name in self.table.entries:
            node = self.take(name)
            if node is None:
                self.wrong(f"`{name}` is empty", self.table.entries[name])
            else:
                yield name, node

    def close(self) -> None:
        """Note every field that nobody asked for."""
        known = tuple(self._asked)
        for name, (line, column) in self.table.names.items():
            if name not in self._asked:
                hint = near(name, known) or f"; there are {', '.join(sorted(known))}"
                self.problems.add(f"`{name[:64]}` is no field of {self.what}{hint}", line, column)

    def _items(self, name: str) -> list[Node]:
        node = self.take(name)
        if node is None:
            return []
        if not isinstance(node, Listing):
            self.wrong(f"`{name}` must be a list, not {kind_of(node)}", node)
            return []
        return node.items


def per_mille(text: str) -> int | None:
    """`90%` as per mille; None for what is no whole share from 0 % to 100 %."""
    found = _PERCENT.fullmatch(text)
    return None if found is None else int(found[1]) * 10


def kind_of(node: Node) -> Literal["words", "a list", "a table"]:
    """What `node` is, for a person."""
    match node:
        case Scalar():
            return "words"
        case Listing():
            return "a list"
        case Table():
            return "a table"


def json_of(node: Node, problems: Problems) -> JsonValue:
    """`node` as plain JSON. Numbers that are no integers, and names that are not printable ASCII, are noted."""
    match node:
        case Listing():
            return [json_of(item, problems) for item in node.items]
        case Table():
            for name, (line, column) in node.names.items():
                if not (name.isascii() and name.isprintable()):
                    problems.add("a name in JSON must be printable ASCII", line, column)
            return {name: json_of(item, problems) for name, item in node.entries.items()}
        case Scalar():
            value = value_of(node)
            if isinstance(value, Inexact) or (type(value) is int and abs(value) > MAX_INTEGER):
                problems.add(
                    "a number must be an integer up to 2^53 - 1; anything else is text", node.line, node.column
                )
                return None
            return value


def at(node: Node, steps: Sequence[str]) -> Node:
    """The node below `node` that a JSON pointer's `steps` lead to, as far as they lead."""
    for step in steps:
        below: Node | None = None
        if isinstance(node, Table):
            below = node.entries.get(step)
        elif isinstance(node, Listing) and step.isdecimal() and int(step) < len(node.items):
            below = node.items[int(step)]
        if below is None:
            return node
        node = below
    return node
