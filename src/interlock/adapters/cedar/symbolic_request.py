"""Any request at all, as a solver's variables: every member of the context, bounded as the contract and the gate bound it.

What is not bounded here may make a request look possible that is not: it is checked when it is found. What is bounded here
holds of every request the gate lets through, so nothing is missed.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from interlock.adapters.cedar.compiling.runtime import LEAST, MOST
from interlock.adapters.cedar.loaded import DIGITS
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.shape import Choice, Flag, Group, Integer, JsonSchema, Many, Reader, Shape, Text, choices
from interlock.adapters.cedar.symbolic_pattern import Unread, expression
from interlock.adapters.cedar.symbolic_terms import Known
from interlock.adapters.cedar.symbolic_values import Bag, Being, Fields, Logic, Number, Opaque, Pick, Value, Z
from interlock.adapters.cedar.symbolic_values import Flag as Truth
from interlock.adapters.cedar.symbolic_values import Text as Word
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.ids import AgentName, Digest
from interlock.domain.question import Circumstances, Question

Path = tuple[str, ...]
_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE
_CERTAIN: Final = 1000
"""The highest confidence."""
_LATEST: Final = 4_102_444_800_000
"""The end of 2099: clocks show nothing later, and no sum of times overflows."""


class Request:
    """The variables of one request, what holds of them, and the way back to a question."""

    def __init__(self, logic: Logic, surface: Surface, contract: Contract, agent: str, tenant: str) -> None:
        self._logic = logic
        self._z = logic.z
        self._contract = contract
        self._agent = agent
        self._tenant = tenant
        self.holds: list[Z] = []
        """What is true of every request."""
        self.wishes: list[Z] = []
        """What makes one easier to read, the most wanted first."""
        self._enums = {each.name: each.values for each in choices(surface.context())}
        self._args = Reader(contract.name, contract.input_schema, defaults_everywhere=False)
        facts = contract.facts.schema if contract.facts is not None else None
        self._facts = None if facts is None else Reader(contract.name, facts, defaults_everywhere=True)
        self.context = self._group(surface.context(), ())
        self._release = self._z.String("principal")
        digit = self._z.Union(self._z.Range("0", "9"), self._z.Range("a", "f"))
        named = self._z.Concat(self._z.Re(logic.text(f"{agent}@")), self._z.Loop(digit, DIGITS, DIGITS))
        self.holds.append(self._z.InRe(self._release, named))
        self._around(surface)

    def known(self, surface: Surface) -> Known:
        """What the variables of policies stand for, with the groups that `surface` puts the contract in."""
        text = self._logic.text
        return Known(
            context=self.context,
            principal=Being("Release", self._release, frozenset({("Agent", self._agent)})),
            action=Being("Action", text(surface.name), frozenset(("Action", group) for group in surface.groups)),
            resource=Being("System", text(self._tenant)),
            enums=self._enums,
        )

    def stage(self, name: str) -> Z:
        """Whether the agent's release is in that stage."""
        return self._is("stage", name)

    @property
    def undo(self) -> Z:
        """Whether it is the undo of something."""
        value = self.context.members["undo"][1]
        return value.term if isinstance(value, Truth) else self._logic.false

    # -- from a model ------------------------------------------------------------------------------------------

    def question(self, model: Z) -> Question:
        """The request that a model describes."""
        found: dict[str, Any] = self._read(model, self.context)
        release = _text(model, self._release).rpartition("@")[2]
        task, user = found["task"], found["user"]
        tainted = tuple(sorted(name for name, flag in found["taint"].items() if flag))
        arguments: dict[str, JsonValue] = found["args"]
        return Question(
            agent=AgentName(self._agent),
            release=Digest(release.ljust(64, "0")),
            contract=self._contract.name,
            contract_digest=self._contract.digest,
            tenant=self._tenant,
            arguments=arguments,
            facts=found["facts"],
            parsed=found["parsed"],
            data=tuple(sorted({kind for name, kind in self._contract.data_classes.items() if name in arguments})),
            initiator=task["initiator"],
            confidence=found.get("confidence"),
            around=Circumstances(
                purpose=task["purpose"],
                depth=task["depth"],
                stage=found["stage"],
                asked_at=found["nowMs"],
                undo=found["undo"],
                roles=tuple(sorted(user["roles"])),
                budget=found["budget"],
                tainted=tainted,
                parsed=found["parsed"],
            ),
        )

    def _read(self, model: Z, fields: Fields) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, (there, value) in fields.members.items():
            if self._z.is_true(model.eval(there, model_completion=True)):
                found[name] = self._value(model, value)
        return found

    def _value(self, model: Z, value: Value) -> Any:
        match value:
            case Truth(term):
                return self._z.is_true(model.eval(term, model_completion=True))
            case Number(term):
                return model.eval(term, model_completion=True).as_long()
            case Word(term):
                return _text(model, term)
            case Pick(kind, term):
                place: int = model.eval(term, model_completion=True).as_long()
                return self._enums[kind][place]
            case Fields():
                return self._read(model, value)
            case Bag(term, kind):
                return self._elements(model, term, self._enums.get(kind))
            case _:
                return []

    def _elements(self, model: Z, term: Z, values: tuple[str, ...] | None) -> list[Any]:
        """What a set is said to hold, of what anything said of it names."""
        held = model.eval(term, model_completion=True)
        found: list[Any] = []
        for item in _named(self._z, held):
            inside = self._z.is_true(model.eval(self._z.Select(held, item), model_completion=True))
            plain: int | str | None = item.as_long() if self._z.is_int_value(item) else _unescaped(item.as_string())
            if values is not None and isinstance(plain, int):
                plain = values[plain] if 0 <= plain < len(values) else None
            if inside and plain is not None and plain not in found:
                found.append(plain)
        return found

    # -- variables ---------------------------------------------------------------------------------------------

    def _group(self, group: Group, path: Path) -> Fields:
        members: dict[str, tuple[Z, Value]] = {}
        for member in group.members:
            here = (*path, member.name)
            there = self._z.Bool(f"has {'.'.join(here)}") if member.optional else self._logic.true
            members[member.name] = (there, self._variable(member.shape, here))
        return Fields(members)

    def _variable(self, shape: Shape, path: Path) -> Value:
        name, z = ".".join(path), self._z
        match shape:
            case Text():
                word = z.String(name)
                self.holds += self._worded(word, self._schema(path))
                return Word(word)
            case Flag():
                return Truth(z.Bool(name))
            case Integer():
                number = z.Int(name)
                self.holds += (number >= LEAST, number <= MOST, *self._bounded(number, self._schema(path)))
                return Number(number)
            case Choice():
                pick = z.Int(name)
                self.holds += self._picked(pick, shape, self._schema(path))
                return Pick(shape.name, pick)
            case Many(item):
                return self._bag(item, name)
            case Group():
                return self._group(shape, path)

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

    def _schema(self, path: Path) -> JsonSchema:
        if path[0] == "args":
            return self._args.described(path[1:]) or {}
        if path[0] == "facts" and self._facts is not None:
            return self._facts.described(path[1:]) or {}
        return {}

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
        yield from self._among(number, schema, int)

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

    def _among(self, term: Z, schema: JsonSchema, kind: type) -> Iterator[Z]:
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if isinstance(values, list):
            yield self._logic.any(*(term == value for value in values if type(value) is kind))

    def _picked(self, pick: Z, shape: Choice, schema: JsonSchema) -> Iterator[Z]:
        """A type is shared by all members of one name: the contract says which of its values it has."""
        values = schema.get("enum", [schema["const"]] if "const" in schema else None)
        own = {value for value in values if isinstance(value, str)} if isinstance(values, list) else set(shape.values)
        yield self._logic.any(*(pick == place for place, value in enumerate(shape.values) if value in own))

    # -- what the gate brings ----------------------------------------------------------------------------------

    def _around(self, surface: Surface) -> None:
        now, depth = self._term("nowMs"), self._term("task", "depth")
        self.holds += (now >= 0, now <= _LATEST, depth >= 0)
        self.holds += (
            self._term("minuteOfDay") == (now % _DAY) / _MINUTE,
            self._term("weekday") == (now / _DAY + 3) % 7 + 1,
        )
        sure = self._term("confidence")
        self.holds += (sure >= 0, sure <= _CERTAIN)
        budget = self.context.members["budget"][1]
        if isinstance(budget, Fields):
            self.holds += [value.term >= 0 for _, value in budget.members.values() if isinstance(value, Number)]
        flags = [self._term("taint", member.name) for member in surface.args.members]
        self.holds.append(self._term("taintedAny") == self._logic.any(*flags))
        self.holds.append(self._term("data") == self._data())
        self._wish(flags)

    def _data(self) -> Z:
        """The data classes of the arguments that are given."""
        args = self.context.members["args"][1]
        given = {name: there for name, (there, _) in args.members.items()} if isinstance(args, Fields) else {}
        held = self._z.EmptySet(self._z.StringSort())
        for kind in sorted(set(self._contract.data_classes.values())):
            those = [
                given[name] for name, each in self._contract.data_classes.items() if each == kind and name in given
            ]
            held = self._z.Store(held, self._logic.text(kind), self._logic.any(*those))
        return held

    def _wish(self, tainted: Iterable[Z]) -> None:
        text = self._logic.text
        self.wishes += [self._logic.no(self.undo), self._is("stage", "partial"), self._term("task", "depth") == 0]
        self.wishes += [self._logic.no(flag) for flag in tainted]
        self.wishes += [self._logic.no(self.context.members["confidence"][0])]
        self.wishes += [self._term("user", "roles") == self._z.EmptySet(self._z.StringSort())]
        self.wishes += [
            self._term("task", "initiator") == text("user:somebody"),
            self._term("task", "purpose") == text("anything"),
            self._term("nowMs") == _NOON,
        ]
        for part in ("args", "facts"):
            group = self.context.members[part][1]
            self.wishes += list(self._plain(group)) if isinstance(group, Fields) else []

    def _plain(self, group: Fields) -> Iterator[Z]:
        """Members that may be absent are, and text is not empty."""
        for there, value in group.members.values():
            if not self._z.is_true(there):
                yield self._logic.no(there)
            if isinstance(value, Word):
                yield self._z.Length(value.term) >= 1
            if isinstance(value, Number):
                yield self._z.And(value.term >= 0, value.term <= _EVERYDAY)

    def _term(self, *path: str) -> Z:
        value: Value = self.context
        for name in path:
            value = value.members[name][1] if isinstance(value, Fields) else value
        if not isinstance(value, Truth | Number | Word | Pick | Bag):
            raise KeyError(path)
        return value.term

    def _is(self, name: str, value: str) -> Z:
        pick = self.context.members[name][1]
        if not isinstance(pick, Pick):
            raise KeyError(name)
        return pick.term == self._enums[pick.kind].index(value)


_EVERYDAY: Final = 1_000_000
_NOON: Final = 1_790_078_400_000
"""A Tuesday's noon in September 2026: any time does."""


def _text(model: Z, term: Z) -> str:
    return _unescaped(model.eval(term, model_completion=True).as_string())


def _unescaped(text: str) -> str:
    r"""The solver writes what is not plain ASCII as `\u{1f600}`."""
    first, *others = text.split("\\u{")
    found = [first]
    for each in others:
        code, _, rest = each.partition("}")
        found += (chr(int(code, 16)), rest)
    return "".join(found)


def _named(z: Z, held: Z) -> Iterator[Z]:
    """The elements that a set's value names."""
    pending = [held]
    while pending:
        term = pending.pop()
        if z.is_store(term):
            yield term.arg(1)
        if z.is_quantifier(term):
            pending.append(term.body())
        elif z.is_app(term):
            pending.extend(term.children())
            if z.is_string_value(term) or z.is_int_value(term):
                yield term
