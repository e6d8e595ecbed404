"""Any request at all: every member of the context as a variable, bounded as the contract and the gate bound it.

What is not bounded here may make a request look possible that is not: it is checked when it is found. What is bounded here
holds of every request the gate lets through, so nothing is missed.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from interlock.adapters.cedar.loaded import DIGITS
from interlock.adapters.cedar.schema import AROUND, Surface
from interlock.adapters.cedar.shape import JsonSchema, Reader, choices
from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.terms import Known
from interlock.adapters.cedar.symbolic.values import Bag, Being, Fields, Flag, Number, Pick, Text, Value, Z
from interlock.adapters.cedar.symbolic.variables import ARGS, FACTS, Variables
from interlock.domain.baseline import UNUSUAL
from interlock.domain.contract import Contract

_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE
_CERTAIN: Final = 1000
"""The highest confidence."""
_LATEST: Final = 253_402_300_799_999
"""The end of the year 9999: clocks show nothing later, and no sum of times overflows."""
_EVERYDAY: Final = 1_000_000
_NOON: Final = 1_790_078_400_000
"""A Tuesday's noon in September 2026: any time does."""


class Request:
    """The variables of one request, and what holds of them."""

    def __init__(self, logic: Logic, surface: Surface, contract: Contract, agent: str, tenant: str) -> None:
        self._logic = logic
        self._z = logic.z
        # What came up after the bundle is there all the same: its policies only do not look at it.
        self.surface = surface = msgspec.structs.replace(surface, around=AROUND)
        self.contract = contract
        self.agent = agent
        self.tenant = tenant
        self.enums = {each.name: each.values for each in choices(surface.context())}
        self._strangers: dict[tuple[str, str], int] = {}
        arguments = Reader(contract.name, contract.input_schema, defaults_everywhere=False)
        described = {ARGS: arguments}
        if contract.facts is not None:
            described[FACTS] = Reader(contract.name, contract.facts.schema, defaults_everywhere=True)
        variables = Variables(logic, described)
        self.context = variables.group(surface.context())
        self.holds: list[Z] = variables.holds
        """What is true of every request."""
        self.nulls: dict[str, Z] = {}
        """For each argument that may be null, whether it is: policies see then that it is not there."""
        self.elsewhere = self._z.Bool("taint elsewhere")
        """Whether an argument that policies do not see is tainted."""
        self.unseen = self._unseen(arguments)
        """Arguments that policies do not see, as they have no type in Cedar."""
        self.release = self._z.String("principal")
        digit = self._z.Union(self._z.Range("0", "9"), self._z.Range("a", "f"))
        named = self._z.Concat(self._z.Re(logic.text(f"{agent}@")), self._z.Loop(digit, DIGITS, DIGITS))
        self.holds.append(self._z.InRe(self.release, named))
        self._around()

    def known(self, surface: Surface) -> Known:
        """What the variables of policies stand for, with the groups that `surface` puts the contract in."""
        text = self._logic.text
        return Known(
            context=self.context,
            principal=Being("Release", self.release, frozenset({("Agent", self.agent)})),
            action=Being("Action", text(surface.name), frozenset(("Action", group) for group in surface.groups)),
            resource=Being("System", text(self.tenant)),
            enums=self.enums,
            strangers=self._strangers,
        )

    def stage(self, name: str) -> Z:
        """Whether the agent's release is in that stage."""
        return self._is("stage", name)

    @property
    def undo(self) -> Z:
        """Whether it is the undo of something."""
        return self._term("undo")

    def wishes(self) -> Iterator[Z]:
        """What makes one easier to read, the most wanted first."""
        text, no = self._logic.text, self._logic.no
        yield from (no(self.undo), self._is("stage", "partial"), self._term("task", "depth") == 0)
        yield from (no(flag) for flag in (*self._taints(), self.elsewhere, self._term("unusual", "any")))
        yield no(self.context.members["confidence"][0])
        yield self._term("task", "lent") == 0
        yield self._term("user", "roles") == self._z.EmptySet(self._z.StringSort())
        yield self._term("task", "initiator") == text("user:somebody")
        yield self._term("task", "purpose") == text("anything")
        yield self._term("nowMs") == _NOON
        for part in (ARGS, FACTS):
            group = self.context.members[part][1]
            yield from self._plain(group) if isinstance(group, Fields) else ()

    # -- what the gate brings ----------------------------------------------------------------------------------

    def _unseen(self, arguments: Reader) -> tuple[str, ...]:
        """Note which arguments may be null. Gives the names of those that policies do not see."""
        whole: JsonSchema = arguments.described(()) or {}
        properties, required = whole.get("properties"), whole.get("required")
        needed = required if isinstance(required, list) else []
        seen = self._arguments()
        found: list[str] = []
        for name, child in sorted(properties.items()) if isinstance(properties, dict) else ():
            if name not in seen:
                found.append(name)
            elif (arguments.described((name,)) or {}).get("nullable") is True:
                there = seen[name]
                self.nulls[name] = null = self._z.Bool(f"null {ARGS}.{name}")
                self.holds.append(self._logic.no(self._logic.all(there, null)))
                if name in needed or (isinstance(child, dict) and "default" in child):
                    self.holds.append(self._logic.any(there, null))
        return tuple(found)

    def _around(self) -> None:
        now, depth, lent = self._term("nowMs"), self._term("task", "depth"), self._term("task", "lent")
        # Whatever is handed on is handed on inside the task it is a part of.
        self.holds += (now >= 0, now <= _LATEST, depth >= 0, lent >= 0, lent <= depth)
        self.holds += (
            self._term("minuteOfDay") == (now % _DAY) / _MINUTE,
            self._term("weekday") == (now / _DAY + 3) % 7 + 1,
        )
        sure = self._term("confidence")
        self.holds += (sure >= 0, sure <= _CERTAIN)
        budget = self.context.members["budget"][1]
        if isinstance(budget, Fields):
            self.holds += [value.term >= 0 for _, value in budget.members.values() if isinstance(value, Number)]
        if not self.unseen:
            self.holds.append(self._logic.no(self.elsewhere))
        unusual = [self._term("unusual", name) for name in UNUSUAL]
        self.holds.append(self._term("unusual", "any") == self._logic.any(*unusual))
        # People ask for undos: nothing of them is held against what the agent does.
        self.holds += [self._logic.no(self._logic.all(self.undo, each)) for each in unusual]
        self.holds.append(self._term("taintedAny") == self._logic.any(*self._taints(), self.elsewhere))
        self.holds.append(self._term("data") == self._data())

    def _taints(self) -> list[Z]:
        return [self._term("taint", member.name) for member in self.surface.args.members]

    def _data(self) -> Z:
        """The data classes of the arguments that are given, be it as null."""
        seen = self._arguments()
        given = {name: self._logic.any(there, self.nulls.get(name, self._logic.false)) for name, there in seen.items()}
        classes = self.contract.data_classes
        held = self._z.EmptySet(self._z.StringSort())
        for kind in sorted(set(classes.values())):
            those = [
                given[name] if name in given else self._z.Bool(f"given {ARGS}.{name}")
                for name, each in classes.items()
                if each == kind
            ]
            held = self._z.Store(held, self._logic.text(kind), self._logic.any(*those))
        return held

    def _arguments(self) -> dict[str, Z]:
        """For each argument that policies see, whether they see one."""
        args = self.context.members[ARGS][1]
        return {name: there for name, (there, _) in args.members.items()} if isinstance(args, Fields) else {}

    def _plain(self, group: Fields) -> Iterable[Z]:
        """Members that may be absent are, text is not empty, and numbers are small."""
        for there, value in group.members.values():
            if not self._z.is_true(there):
                yield self._logic.no(there)
            if isinstance(value, Text):
                yield self._z.Length(value.term) >= 1
            if isinstance(value, Number):
                yield self._z.And(value.term >= 0, value.term <= _EVERYDAY)

    def _term(self, *path: str) -> Z:
        value: Value = self.context
        for name in path:
            value = value.members[name][1] if isinstance(value, Fields) else value
        if not isinstance(value, Flag | Number | Text | Pick | Bag):
            raise KeyError(path)
        return value.term

    def _is(self, name: str, value: str) -> Z:
        pick = self.context.members[name][1]
        if not isinstance(pick, Pick):
            raise KeyError(name)
        return pick.term == self.enums[pick.kind].index(value)
