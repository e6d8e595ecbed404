"""What is known of every value a policy can read, before anybody asks: its bounds, or the values it may have.

From the contract's JSON Schema for arguments and facts, from what we ourselves write for the rest. Arguments and facts are
whole numbers of 53 bits within the bounds of their schema, because whoever binds the ones and reads the others refuses
what is not; of parsed facts we know no more than that they fit into 64.
"""

from typing import Final, NamedTuple

import jsonschema_rs

from interlock.adapters.cedar.hints import shape_at
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.shape import Choice, Flag, Integer, JsonSchema, Reader, Text
from interlock.domain.canonical import MAX_INTEGER, JsonValue
from interlock.domain.contract import Contract

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1

Path = tuple[str, ...]


class Span(NamedTuple):
    """Whole numbers from `low` to `high`; none where `low` is the greater."""

    low: int
    high: int

    def __str__(self) -> str:
        if self.low == self.high:
            return str(self.low)
        if self.low <= LEAST:
            return f"at most {self.high}" if self.high < MAX_INTEGER else "any number"
        return f"from {self.low} to {self.high}" if self.high < MAX_INTEGER else f"at least {self.low}"


class Among(NamedTuple):
    """One of `values`: booleans, texts, or entities as (type, id)."""

    values: frozenset[object]


class Wording(NamedTuple):
    """Text of which the contract says something, as the words of its schema."""

    limits: tuple[tuple[str, JsonValue], ...]

    def allowed(self, values: frozenset[object]) -> frozenset[object]:
        """Those that the contract lets through."""
        schema: JsonSchema = {"type": "string", **dict(self.limits)}
        fits = jsonschema_rs.validator_for(schema, offline=True).is_valid
        return frozenset(value for value in values if fits(value))

    def __str__(self) -> str:
        return "text with " + " and ".join(f"`{word}: {value}`" for word, value in self.limits)


Known = Span | Among | Wording | None
"""What is known of a value. None: nothing."""

EITHER: Final = Among(frozenset((True, False)))

_AROUND: Final[dict[Path, Span]] = {
    ("confidence",): Span(0, 1000),
    ("minuteOfDay",): Span(0, 1439),
    ("nowMs",): Span(0, 2**53),
    ("task", "depth"): Span(0, 2**31),
    ("task", "lent"): Span(0, 2**31),
    ("weekday",): Span(1, 7),
}
_OF_TEXT: Final = ("minLength", "maxLength", "pattern")
_BUDGET: Final = Span(0, 2**53)
_ALL: Final = Span(LEAST, MOST)
_PLAIN: Final = Span(-MAX_INTEGER, MAX_INTEGER)


class Ranges:
    """What is known of the context of questions about one contract."""

    def __init__(self, contract: Contract, surface: Surface) -> None:
        self.surface = surface
        self._context = surface.context()
        self._args = Reader(contract.name, contract.input_schema, defaults_everywhere=False)
        facts = contract.facts
        self._facts = None if facts is None else Reader(contract.name, facts.schema, defaults_everywhere=True)
        self._known: dict[Path, Known] = {}

    def at(self, path: Path) -> Known:
        """What is known of the member of the context at `path`."""
        if path not in self._known:
            self._known[path] = self._found(path)
        return self._known[path]

    def always(self, path: Path) -> bool:
        """Whether a question always has that member."""
        for count in range(1, len(path) + 1):
            group = shape_at(self._context, path[: count - 1])
            members = getattr(group, "members", ())
            if not any(each.name == path[count - 1] and not each.optional for each in members):
                return False
        return True

    def open(self, path: Path) -> list[str]:
        """The words for the ends at which the contract leaves an argument or a fact open."""
        node = self._described(path)
        if node is None or "enum" in node or "const" in node:
            return []
        ends = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
        return [words[0] for words in ends if not any(_number(node.get(word)) for word in words)]

    def _found(self, path: Path) -> Known:
        match shape_at(self._context, path):
            case Integer():
                return self._span(path)
            case Flag():
                return EITHER
            case Text():
                return self._wording(path)
            case Choice(name, values):
                return Among(frozenset((name, value) for value in values))
            case _:
                return None

    def _span(self, path: Path) -> Span:
        if path[0] == "budget":
            return _BUDGET
        if path in _AROUND:
            return _AROUND[path]
        node = self._described(path)
        widest = _PLAIN if path[0] in ("args", "facts") else _ALL
        return widest if node is None else _bounded(node, widest)

    def _wording(self, path: Path) -> Wording | None:
        node = self._described(path) or {}
        limits = tuple((word, node[word]) for word in _OF_TEXT if node.get(word))
        return Wording(limits) if limits else None

    def _described(self, path: Path) -> JsonSchema | None:
        reader = {"args": self._args, "facts": self._facts}.get(path[0])
        return None if reader is None else reader.described(path[1:])


def _bounded(node: JsonSchema, widest: Span) -> Span:
    values = node.get("enum", [node["const"]] if "const" in node else None)
    if isinstance(values, list):
        numbers = [value for value in values if type(value) is int]
        return Span(min(numbers), max(numbers)) if numbers else widest
    low, high = widest
    for word, step in (("minimum", 0), ("exclusiveMinimum", 1)):
        value = node.get(word)
        if type(value) is int:
            low = max(low, value + step)
    for word, step in (("maximum", 0), ("exclusiveMaximum", -1)):
        value = node.get(word)
        if type(value) is int:
            high = min(high, value + step)
    return Span(low, high)


def _number(value: object) -> bool:
    return type(value) is int
