"""What can be done with Cedar's values, in a solver's terms. The solver's module is passed in, as `z`: it is large, and
optional."""

from functools import reduce
from typing import Final

from interlock.adapters.cedar.compiling.runtime import LEAST, MOST
from interlock.adapters.cedar.symbolic.values import (
    Bag,
    Being,
    Fields,
    Flag,
    Listed,
    Number,
    Opaque,
    Pick,
    Text,
    Unsayable,
    Value,
    Z,
)

_HIGHEST: Final = 0x2FFFF
"""The last character a solver's string can hold."""


class Logic:
    """Connectives that see through what is certain, so that terms stay small."""

    def __init__(self, z: Z) -> None:
        self.z = z
        self.true: Z = z.BoolVal(True)
        self.false: Z = z.BoolVal(False)

    def all(self, *parts: Z) -> Z:
        """Each of them."""
        left = [part for part in parts if not self.z.is_true(part)]
        if any(self.z.is_false(part) for part in left):
            return self.false
        return self.true if not left else left[0] if len(left) == 1 else self.z.And(*left)

    def any(self, *parts: Z) -> Z:
        """At least one of them."""
        left = [part for part in parts if not self.z.is_false(part)]
        if any(self.z.is_true(part) for part in left):
            return self.true
        return self.false if not left else left[0] if len(left) == 1 else self.z.Or(*left)

    def no(self, part: Z) -> Z:
        """Not that."""
        if self.z.is_true(part):
            return self.false
        return self.true if self.z.is_false(part) else self.z.Not(part)

    def flag(self, *, value: bool) -> Z:
        """True or false."""
        return self.true if value else self.false

    def text(self, value: str) -> Z:
        """A string."""
        if any(ord(each) > _HIGHEST for each in value):
            raise Unsayable("a character that the solver does not have")
        # The solver reads \u{..} in a string as a character, so a backslash of ours is written as one.
        return self.z.StringVal("".join("\\u{5c}" if each == "\\" else each for each in value))

    def overflows(self, term: Z) -> Z:
        """Whether 64 bits do not hold it."""
        return self.z.Or(term < LEAST, term > MOST)

    # -- comparing ---------------------------------------------------------------------------------------------

    def same(self, left: Value, right: Value) -> Z:
        """Whether two values are equal. Those of different types never are."""
        match left, right:
            case Opaque(), _:
                raise Unsayable(left.what)
            case _, Opaque():
                raise Unsayable(right.what)
            case Flag(), Flag():
                return left.term == right.term
            case Number(), Number():
                return left.term == right.term
            case Text(), Text():
                return left.term == right.term
            case Pick(), Pick():
                return left.term == right.term if left.kind == right.kind else self.false
            case Being(), Being():
                return left.id == right.id if left.kind == right.kind else self.false
            case Fields(), Fields():
                return self._same_fields(left, right)
            case (Bag(), Bag()):
                return left.term == right.term
            case (Listed() | Bag(), Listed() | Bag()):
                return self.all(self.contains_all(left, right), self.contains_all(right, left))
            case _:
                return self.false

    def _same_fields(self, left: Fields, right: Fields) -> Z:
        parts: list[Z] = []
        for name in sorted({*left.members, *right.members}):
            if name not in left.members or name not in right.members:
                there = (left.members.get(name) or right.members[name])[0]
                parts.append(self.no(there))
                continue
            (here, one), (there, other) = left.members[name], right.members[name]
            parts.append(here == there if not self.z.eq(here, there) else self.true)
            parts.append(self.any(self.no(here), self.same(one, other)))
        return self.all(*parts)

    # -- sets --------------------------------------------------------------------------------------------------

    def contains(self, many: Value, item: Value) -> Z:
        """Whether `item` is in the set."""
        match many:
            case Listed():
                return self.any(*(self.same(each, item) for each in many.items))
            case Bag():
                return self.z.Select(many.term, _element(item))
            case _:
                raise Unsayable("membership in what is no set")

    def contains_all(self, many: Value, others: Value) -> Z:
        """Whether each of `others` is in the set."""
        match many, others:
            case _, Listed():
                return self.all(*(self.contains(many, each) for each in others.items))
            case Bag(), Bag():
                return self.z.IsSubset(others.term, many.term)
            case Listed(), Bag():
                held = reduce(
                    lambda found, each: self.z.Store(found, _element(each), True),
                    many.items,
                    self.z.EmptySet(others.term.sort().domain()),
                )
                return self.z.IsSubset(others.term, held)
            case _:
                raise Unsayable("containment in what is no set")

    def contains_any(self, many: Value, others: Value) -> Z:
        """Whether one of `others` is in the set."""
        match many, others:
            case _, Listed():
                return self.any(*(self.contains(many, each) for each in others.items))
            case Listed(), Bag():
                return self.contains_any(others, many)
            case Bag(), Bag():
                shared = self.z.SetIntersect(many.term, others.term)
                return shared != self.z.EmptySet(many.term.sort().domain())
            case _:
                raise Unsayable("containment in what is no set")

    def empty(self, many: Value) -> Z:
        """Whether nothing is in the set."""
        match many:
            case Listed():
                return self.flag(value=not many.items)
            case Bag():
                return many.term == self.z.EmptySet(many.term.sort().domain())
            case _:
                raise Unsayable("emptiness of what is no set")

    def choose(self, when: Z, one: Value, other: Value) -> Value:
        """One of two values."""
        match one, other:
            case Flag(), Flag():
                return Flag(self.z.If(when, one.term, other.term))
            case Number(), Number():
                return Number(self.z.If(when, one.term, other.term))
            case Text(), Text():
                return Text(self.z.If(when, one.term, other.term))
            case Pick(), Pick() if one.kind == other.kind:
                return Pick(one.kind, self.z.If(when, one.term, other.term))
            case Bag(), Bag():
                return Bag(self.z.If(when, one.term, other.term), one.kind)
            case _:
                raise Unsayable("a choice between records or lists")


def _element(item: Value) -> Z:
    if isinstance(item, Flag | Number | Text | Pick):
        return item.term
    raise Unsayable("a set of records")
