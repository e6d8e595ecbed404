"""YAML text as nodes that know where they stand.

The YAML of configuration and no more: one document, plain tables, lists and scalars. Anchors, aliases, tags and
repeated keys are refused, for each makes a file say something else than it seems to. Scalars are read by the core schema
of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `no`, `on` and `12:30` are words. PyYAML only finds the
events; nodes are put together here without recursion, so that no text can exhaust the stack.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from interlock.adapters.workspace.problem import Problems

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 32
MAX_NODES: Final = 50_000


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word or number as it was written. `plain` means that it stood without quotes."""

    text: str
    plain: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: "list[Node]"
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Table:
    """Names and what they stand for. `names` says where each name is written."""

    entries: "dict[str, Node]"
    names: dict[str, tuple[int, int]]
    line: int
    column: int


Node: TypeAlias = Scalar | Listing | Table

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# What YAML calls printable; everything else may only be written as an escape.
_UNPRINTABLE: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_NULL: Final = re.compile(r"|~|null|Null|NULL")
_BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class Inexact(NamedTuple):
    """A number that is no integer, or one too long to be one."""

    text: str


def value_of(scalar: Scalar) -> str | int | bool | Inexact | None:
    """What a scalar means by the core schema."""
    text = scalar.text
    if not scalar.plain:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base) if len(text) <= 32 else Inexact(text)
    return Inexact(text) if _FLOAT.fullmatch(text) else text


def is_empty(node: Node) -> bool:
    """Whether a name was written with nothing behind it."""
    return isinstance(node, Scalar) and value_of(node) is None


def parse(data: bytes, problems: Problems) -> Node | None:
    """The document in `data`, or None. What is wrong goes to `problems`; nothing is raised, whatever the bytes."""
    if len(data) > MAX_BYTES:
        problems.add(f"the file is larger than {MAX_BYTES // 1024} KiB")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _at(problems, data[: error.start].decode("utf-8", "replace"), "the file is not UTF-8 text")
        return None
    if odd := _UNPRINTABLE.search(text):
        _at(problems, text[: odd.start()], f"the character U+{ord(odd[0]):04X} may only be written as an escape")
        return None
    building = _Building(problems)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            building.take(event)
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(part) for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problems.add(f"not YAML: {said}", line, column)
        return None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # An escape beyond Unicode, a version of a thousand digits: PyYAML passes Python's own errors on.
        problems.add(f"not YAML: {' '.join(str(error).split())}")
        return None
    return building.root


def _at(problems: Problems, before: str, message: str) -> None:
    problems.add(message, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Stop(Exception):
    """There is no sense in reading on."""


class _Frame:
    """A list or table that is being filled."""

    def __init__(self, node: Listing | Table) -> None:
        self.node = node
        self.key: Scalar | None = None

    def add(self, node: Node, problems: Problems) -> None:
        """The next thing in it: an item, a name, or what the last name stands for."""
        if isinstance(self.node, Listing):
            self.node.items.append(node)
        elif self.key is None:
            self._name(node, problems)
        else:
            key, self.key = self.key, None
            if key.text in self.node.entries:
                first = self.node.names[key.text][0]
                problems.add(f"`{_short(key.text)}` is written twice; first in line {first}", key.line, key.column)
                return
            self.node.entries[key.text] = node
            self.node.names[key.text] = (key.line, key.column)

    def _name(self, node: Node, problems: Problems) -> None:
        if not isinstance(node, Scalar):
            problems.add("a name must be a word", node.line, node.column)
            raise _Stop
        self.key = node


class _Building:
    """Events in, one node out."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.root: Node | None = None
        self.frames: list[_Frame] = []
        self.nodes = 0

    def take(self, event: Event) -> None:
        """The next event."""
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        if isinstance(event, DocumentStartEvent) and self.root is not None:
            self.stop("a second document begins here; a file holds one", line, column)
        if isinstance(event, CollectionEndEvent):
            self.frames.pop()
        if not isinstance(event, NodeEvent):
            return
        self.nodes += 1
        if self.nodes > MAX_NODES or self.problems.full:
            self.stop("the file holds more than a workspace file can mean", line, column)
        self.refuse(event, line, column)
        node = _node(event, line, column)
        if isinstance(node, Scalar) and _SURROGATE.search(node.text):
            self.stop("half a character is written as an escape", line, column)
        if self.frames:
            self.frames[-1].add(node, self.problems)
        else:
            self.root = node
        if not isinstance(node, Scalar):
            self.frames.append(_Frame(node))
            if len(self.frames) > MAX_DEPTH:
                self.stop(f"nested more than {MAX_DEPTH} deep", line, column)

    def refuse(self, event: NodeEvent, line: int, column: int) -> None:
        """What other YAML may have, and this may not."""
        if isinstance(event, AliasEvent):
            self.problems.add(f"the alias `*{_short(str(event.anchor))}` is not understood; write it out", line, column)
        elif event.anchor is not None:
            self.problems.add(f"the anchor `&{_short(str(event.anchor))}` is not understood", line, column)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.problems.add(f"the tag `{_short(str(tag))}` is not understood", line, column)

    def stop(self, message: str, line: int, column: int) -> None:
        """Say why nothing further is read."""
        self.problems.add(message, line, column)
        raise _Stop


def _node(event: NodeEvent, line: int, column: int) -> Node:
    match event:
        case ScalarEvent():
            return Scalar(event.value, not event.style, line, column)
        case SequenceStartEvent():
            return Listing([], line, column)
        case MappingStartEvent():
            return Table({}, {}, line, column)
        case _:
            return Scalar("", plain=True, line=line, column=column)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "..."
