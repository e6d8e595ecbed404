"""What compiled policies call: the operations of Cedar that Python's own do otherwise.

Values: Long is int, String is str, Bool is bool, Set is frozenset, a record is a `Fields`, an entity is the pair of its type
and id. Where Cedar says that evaluation fails, these raise `Fails`; Python's own KeyError and TypeError count as much.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Entity = tuple[str, str]

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1


class Fails(ArithmeticError):
    """Cedar says that this cannot be evaluated."""


class Fields(dict[str, Any]):
    """A record. Nobody changes one, so it may be an element of a set."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        """Equal records have one hash, whatever their order."""
        return hash(frozenset(self.items()))


def add(left: int, right: int) -> int:
    """Long addition, which fails where 64 bits do not hold the sum."""
    return _fits(left + right)


def sub(left: int, right: int) -> int:
    """Long subtraction."""
    return _fits(left - right)


def mul(left: int, right: int) -> int:
    """Long multiplication."""
    return _fits(left * right)


def neg(value: int) -> int:
    """The negative, of which the least Long has none."""
    return _fits(-value)


def _fits(value: int) -> int:
    if not LEAST <= value <= MOST:
        raise Fails("integer overflow")
    return value


def within(left: Entity, right: Entity | frozenset[Entity], up: Mapping[Entity, frozenset[Entity]]) -> bool:
    """`left in right`: it is that entity, or below it, or any of them if it is a set."""
    above = up.get(left, _NOTHING)
    if type(right) is frozenset:
        return left in right or not above.isdisjoint(right)
    return left == right or right in above


_NOTHING: Final[frozenset[Entity]] = frozenset()


def has(record: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Whether there is a member of a member, all the way down."""
    for name in names:
        if not isinstance(record, dict):  # pyright: ignore[reportUnnecessaryIsInstance]  policies are typed, not trusted
            raise Fails("only a record has members")
        if name not in record:
            return False
        record = record[name]
    return True


def like(text: str, parts: tuple[str, ...]) -> bool:
    """Whether `text` is `parts` in this order with anything, or nothing, between them.

    Each part is looked for once, from where the one before it ended: the first place leaves most for the others. So it
    takes time in proportion to the text for each part, where a regular expression might try every combination.
    """
    if len(parts) == 1:
        return text == parts[0]
    first, *between, last = parts
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in between:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


GLOBALS: Final[dict[str, Callable[..., Any] | dict[str, Any]]] = {
    "__builtins__": {},
    "_add": add,
    "_sub": sub,
    "_mul": mul,
    "_neg": neg,
    "_within": within,
    "_has": has,
    "_like": like,
    "_set": frozenset,
    "_record": Fields,
}
"""Everything a compiled policy can reach. None of these touches anything but what it is given."""
