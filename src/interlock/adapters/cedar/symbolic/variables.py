"""Arguments, facts and all else as a solver's variables, each bounded as it is bounded before a policy sees it.

Arguments are held against their contract when they are bound, and so are facts when they are read: what is beyond the
bounds of its schema is refused or denied before any policy is asked.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from interlock.adapters.cedar.compiling.runtime import LEAST, MOST
from interlock.adapters.cedar.shape import Choice, Flag, Group, Integer, JsonSchema, Many, Reader, Shape, Text
from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.pattern import Unread, expression
from interlock.adapters.cedar.symbolic.values import Bag, Fields, Number, Opaque, Pick, Value, Z
from interlock.adapters.cedar.symbolic.values import Flag as Truth
from interlock.adapters.cedar.symbolic.values import Text as Word
from interlock.domain.canonical import MAX_INTEGER

Path = tuple[str, ...]
ARGS: Final = "args"
FACTS: Final = "facts"


class Variables:
    """Makes variables, and collects what holds of them."""

    def __init__(self, logic: Logic, described: Mapping[str, Reader]) -> None:
        """`described` has the schemas of what is held against one, by where it stands in the context."""
        self._logic = logic
        self._z = logic.z
        self._described = described
        self.holds: list[Z] = []

    def group(self, group: Group, path: Path = ()) -> Fields:
        """A record of variables, named by where they are."""
        members: dict[str, tuple[Z, Value]] = {}
        for member in group.members:
            here = (*path, member.name)
            there = self._z.Bool(f"has {'.'.join(here)}") if member.optional else self._logic.true
            members[member.name] = (there, self._variable(member.shape, here))
        return Fields(members)

    def _variable(self, shape: Shape, path: Path) -> Value:
        name, z = ".".join(path), self._z
        reader = self._described.get(path[0])
        schema = {} if reader is None else reader.described(path[1:]) or {}
        match shape:
            case Text():
                word = z.String(name)
                self.holds += self._worded(word, schema)
                return Word(word)
            case Flag():
                return Truth(z.Bool(name))
            case Integer():
                number = z.Int(name)
                # What JSON cannot hold exactly is refused.
                least, most = (LEAST, MOST) if reader is None else (-MAX_INTEGER, MAX_INTEGER)
                self.holds += (number >= least, number <= most, *self._bounded(number, schema))
                return Number(number)
            case Choice():
                pick = z.Int(name)
                self.holds += self._picked(pick, shape, schema)
                return Pick(shape.name, pick)
            case Many(item):
                return self._bag(item, name)
            case Group():
                return self.group(shape, path)

    def _bag(self, item: Shape, name: str) -> Value:
        z = self._z
        match item:
            case Text():
                return Bag(z.Array(name, z.StringSort(), z.BoolSort()))
            case Integer():
                return Bag(z.Array(name, z.IntSort(), z.BoolSort()))
            case Choice():
                return Bag(z.Array(name, z.IntSort(), z.BoolSort()), item.name)
            case Flag() | Many() | Group():
                return Opaque(f"the set `{name}` of truths, records or sets")

    def _bounded(self, number: Z, schema: JsonSchema) -> Iterator[Z]:
        for word, low, step in (
            ("minimum", True, 0),
            ("exclusiveMinimum", True, 1),
            ("maximum", False, 0),
            ("exclusiveMaximum", False, 1),
        ):
            bound = schema.get(word)
            if isinstance(bound, int) and not isinstance(bound, bool):
                yield number >= bound + step if low else number <= bound - step
        values = _listed(schema)
        if values is not None:
            yield self._logic.any(*(number == value for value in values if type(value) is int))

    def _worded(self, word: Z, schema: JsonSchema) -> Iterator[Z]:
        shortest, longest, pattern = schema.get("minLength"), schema.get("maxLength"), schema.get("pattern")
        if isinstance(shortest, int):
            yield self._z.Length(word) >= shortest
        if isinstance(longest, int):
            yield self._z.Length(word) <= longest
        if isinstance(pattern, str):
            try:
                yield self._z.InRe(word, expression(self._z, pattern))
            except Unread:
                return  # the contract is asked when a request is found

    def _picked(self, pick: Z, shape: Choice, schema: JsonSchema) -> Iterator[Z]:
        """A type is shared by all members of one name: the contract says which of its values it has."""
        values = _listed(schema)
        own = set(shape.values) if values is None else {value for value in values if isinstance(value, str)}
        yield self._logic.any(*(pick == place for place, value in enumerate(shape.values) if value in own))


def _listed(schema: JsonSchema) -> list[object] | None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return [*values] if isinstance(values, list) else None
