"""Cedar's values as a solver's terms.

Long is a mathematical integer: what leaves 64 bits is an evaluation error, told apart. String is the solver's string, a
value of an enum its place in the list, a set a function from possible elements to whether they are in it. What cannot be
said so raises Unsayable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Z: TypeAlias = Any
"""The solver's module, or one of its terms: it has no types of its own."""


class Unsayable(ValueError):
    """A part of a policy that cannot be put to the solver. The message names it."""


@dataclass(frozen=True)
class Flag:
    """A Bool."""

    term: Z


@dataclass(frozen=True)
class Number:
    """A Long."""

    term: Z


@dataclass(frozen=True)
class Text:
    """A String."""

    term: Z


@dataclass(frozen=True)
class Pick:
    """A value of the enum `kind`, as its place among that enum's values."""

    kind: str
    term: Z


@dataclass(frozen=True)
class Being:
    """A principal, an action or a resource."""

    kind: str
    id: Z
    """A string term."""
    above: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Listed:
    """A set written out."""

    items: tuple["Value", ...]


@dataclass(frozen=True)
class Bag:
    """A set of the request. Elements of an enum `kind` are numbers."""

    term: Z
    kind: str = ""


@dataclass(frozen=True)
class Fields:
    """A record: for each member whether it is there, and its value."""

    members: Mapping[str, tuple[Z, "Value"]] = field(default_factory=dict[str, tuple[Z, "Value"]])


@dataclass(frozen=True)
class Opaque:
    """What the solver has no term for."""

    what: str


Value: TypeAlias = Flag | Number | Text | Pick | Being | Listed | Bag | Fields | Opaque
