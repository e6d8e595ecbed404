"""Policies and questions by chance, well typed: what compiled policies and their oracle must agree about.

Everything that strict validation lets through is in the grammar: arithmetic that may overflow, every comparison, sets,
records and sets of records, optional members, patterns, enums, types and hierarchies, conditions.
"""

from random import Random
from typing import Final

import msgspec

from interlock.domain.agent import Stage
from interlock.domain.baseline import UNUSUAL
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Facts, InProcess, NoReversal, checked
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.question import Circumstances, Question

WORDS: Final = ("", "a", "b", "ab", "A", "a*b", "ünï", "eu", "eur", "sale ", "x" * 40)
NUMBERS: Final = (0, 1, -1, 2, 5, 100, 10_000, -10_000, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63), -(2**62))
CURRENCIES: Final = ("CHF", "EUR", "USD")
TAGS: Final = ("a", "b", "eu", "sale ")
ROLES: Final = ("reviewer", "lead")
STAGES: Final[tuple[Stage, ...]] = ("shadow", "assisted", "partial", "bounded")

_ITEM: Final[dict[str, JsonValue]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["n", "t"],
    "properties": {"n": {"type": "integer"}, "t": {"type": "string"}},
}
CONTRACT: Final = checked(
    Contract(
        name=ContractName("chance.act"),
        effect="write",
        risk="high",
        reversal=NoReversal(why="nothing happens"),
        target=InProcess(name="act"),
        input_schema={
            "type": "object",
            "additionalProperties": False,
            "required": ["n", "m", "flag", "word", "currency", "tags", "numbers", "item", "items"],
            "properties": {
                "n": {"type": "integer"},
                "m": {"type": "integer"},
                "maybe": {"type": "integer"},
                "flag": {"type": "boolean"},
                "word": {"type": "string"},
                "note": {"type": "string"},
                "currency": {"enum": list(CURRENCIES)},
                "tags": {"type": "array", "items": {"type": "string"}},
                "numbers": {"type": "array", "items": {"type": "integer"}},
                "item": _ITEM,
                "items": {"type": "array", "items": _ITEM},
            },
        },
        facts=Facts(
            source=InProcess(name="facts"),
            schema={
                "type": "object",
                "additionalProperties": False,
                "required": ["known", "limit"],
                "properties": {"known": {"type": "boolean"}, "limit": {"type": "integer"}},
            },
        ),
    )
)
OTHER: Final = msgspec.structs.replace(CONTRACT, name=ContractName("chance.other"), risk="low", effect="read")


class Chance:
    """One stream of policies and questions."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  nothing is secret here

    def policy(self, name: str) -> str:
        """A policy as text."""
        effect = self._random.choice(("permit", "forbid"))
        extra = '@outcome("deny") @reason("r")' if effect == "forbid" else ""
        clauses = " ".join(
            f"{self._random.choice(('when', 'when', 'unless'))} {{ {self.truth(self._random.randint(1, 5))} }}"
            for _ in range(self._random.choice((0, 1, 1, 1, 2, 3)))
        )
        return f'@id("{name}") @owner("o") {extra}\n{effect}({self._scope()}) {clauses};'

    def question(self) -> Question:
        """A question about it."""
        r = self._random
        arguments: dict[str, JsonValue] = {
            "n": self._number(),
            "m": self._number(),
            "flag": r.random() < 0.5,
            "word": r.choice(WORDS),
            "currency": r.choice(CURRENCIES),
            "tags": [r.choice(TAGS) for _ in range(r.randint(0, 3))],
            "numbers": [self._number() for _ in range(r.randint(0, 3))],
            "item": self._item(),
            "items": [self._item() for _ in range(r.randint(0, 2))],
        }
        if r.random() < 0.5:
            arguments["maybe"] = self._number()
        if r.random() < 0.5:
            arguments["note"] = r.choice(WORDS)
        depth, undo = r.randint(0, 3), r.random() < 0.5
        return Question(
            agent=AgentName(r.choice(("one", "one", "two"))),
            release=Digest(r.choice(("0123456789ab", "fedcba987654")) + "0" * 52),
            contract=CONTRACT.name,
            contract_digest=CONTRACT.digest,
            tenant=r.choice(("here", "here", "there")),
            arguments=arguments,
            facts={"known": r.random() < 0.5, "limit": self._number()},
            data=tuple(sorted(r.sample(("personal", "secret"), r.randint(0, 2)))),
            initiator=r.choice(("user:ana", "system:night")),
            confidence=r.choice((None, 0, 850, 1000)),
            around=Circumstances(
                purpose=r.choice(WORDS),
                depth=depth,
                lent=r.randint(0, depth),
                stage=r.choice(STAGES),
                asked_at=r.randint(0, 2_000_000_000_000),
                undo=undo,
                roles=tuple(sorted(r.sample(ROLES, r.randint(0, 2)))),
                budget={"calls": r.randint(0, 9)} if r.random() < 0.5 else {},
                tainted=tuple(sorted(r.sample(("word", "n", "note"), r.randint(0, 2)))),
                # People ask for undos: none is held against what the agent does.
                unusual=() if undo else tuple(sorted(r.sample(UNUSUAL, r.randint(0, 2)))),
            ),
        )

    def truth(self, depth: int) -> str:
        """A Bool."""
        r = self._random
        if depth <= 0:
            return r.choice(
                (
                    "true",
                    "false",
                    "context.args.flag",
                    "context.facts.known",
                    "context.undo",
                    "context.taint.word",
                    "context.taintedAny",
                    "context.unusual.any",
                    "context.unusual.hour",
                    "context.args has note",
                    "context has confidence",
                    "context.budget has calls",
                    "principal is Release",
                    "resource is System",
                    'principal in Agent::"one"',
                    'principal == Release::"two@0123456789ab"',
                    'resource == System::"here"',
                    'action in Action::"risk:high"',
                    'action == Action::"chance.act"',
                    'action in [Action::"risk:low", Action::"effect:write"]',
                )
            )
        below = depth - 1
        return r.choice(
            (
                lambda: f"({self.truth(below)} && {self.truth(below)})",
                lambda: f"({self.truth(below)} || {self.truth(below)})",
                lambda: f"!({self.truth(below)})",
                lambda: f"(if {self.truth(below)} then {self.truth(below)} else {self.truth(below)})",
                lambda: f"({self.number(below)} {r.choice(('<', '<=', '>', '>='))} {self.number(below)})",
                lambda: f"({self.number(below)} {r.choice(('==', '!='))} {self.number(below)})",
                lambda: f"({self.word(below)} {r.choice(('==', '!='))} {self.word(below)})",
                lambda: f"({self.truth(below)} == {self.truth(below)})",
                lambda: f"({self.currency(below)} {r.choice(('==', '!=', 'in'))} {self.currency(below)})",
                lambda: f"({self.currency(below)} is Currency)",
                lambda: f"({self.currency(below)} in [{self.currency(0)}, {self.currency(0)}])",
                lambda: f'(context.stage == Stage::"{r.choice(STAGES)}")',
                lambda: f"({self.word(below)} like {self.pattern()})",
                lambda: f"{self.words(below)}.contains({self.word(below)})",
                lambda: f"{self.words(below)}.{r.choice(('containsAll', 'containsAny'))}({self.words(below)})",
                lambda: f"{self.words(below)}.isEmpty()",
                lambda: f"({self.words(below)} {r.choice(('==', '!='))} {self.words(below)})",
                lambda: f"context.args.numbers.contains({self.number(below)})",
                lambda: f"({self.item(below)} {r.choice(('==', '!='))} {self.item(below)})",
                lambda: f"context.args.items.contains({self.item(below)})",
                lambda: f"(context.args has maybe && context.args.maybe {r.choice(('<', '>='))} {self.number(below)})",
                lambda: f"(context.args has note && context.args.note like {self.pattern()})",
                lambda: f"(context has confidence && context.confidence > {r.choice((0, 500, 900))})",
                lambda: "(context has budget.calls && context.budget.calls < 5)",
            )
        )()

    def number(self, depth: int) -> str:
        """A Long."""
        r = self._random
        if depth <= 0:
            return r.choice(
                (
                    self._literal(),
                    self._literal(),
                    "context.args.n",
                    "context.args.m",
                    "context.args.item.n",
                    "context.facts.limit",
                    "context.nowMs",
                    "context.weekday",
                    "context.minuteOfDay",
                    "context.task.depth",
                    "context.task.lent",
                )
            )
        below = depth - 1
        return r.choice(
            (
                lambda: f"({self.number(below)} + {self.number(below)})",
                lambda: f"({self.number(below)} - {self.number(below)})",
                lambda: f"({self.number(below)} * {r.choice((2, 3, 100))})",
                lambda: f"({self.number(below)} * {self.number(below)})",
                lambda: f"-({self.number(below)})",
                lambda: f"(if {self.truth(below)} then {self.number(below)} else {self.number(below)})",
                lambda: f"{self.item(below)}.n",
            )
        )()

    def word(self, depth: int) -> str:
        """A String."""
        r = self._random
        if depth <= 0:
            return r.choice(
                (f'"{r.choice(WORDS)}"', "context.args.word", "context.task.purpose", "context.args.item.t")
            )
        return r.choice(
            (
                lambda: self.word(0),
                lambda: f"(if {self.truth(depth - 1)} then {self.word(depth - 1)} else {self.word(depth - 1)})",
                lambda: f"{self.item(depth - 1)}.t",
            )
        )()

    def words(self, depth: int) -> str:
        """A Set of Strings."""
        r = self._random
        return r.choice(
            (
                lambda: "context.args.tags",
                lambda: "context.user.roles",
                lambda: "context.data",
                lambda: f"[{', '.join(self.word(min(depth, 1)) for _ in range(r.randint(1, 3)))}]",
            )
        )()

    def item(self, depth: int) -> str:
        """A record."""
        return self._random.choice(
            (
                lambda: "context.args.item",
                lambda: f"{{n: {self.number(min(depth, 1))}, t: {self.word(min(depth, 1))}}}",
            )
        )()

    def currency(self, depth: int) -> str:
        """An enum's value."""
        r = self._random
        if depth > 1 and r.random() < 0.2:
            return f"(if {self.truth(1)} then {self.currency(0)} else {self.currency(0)})"
        return r.choice(("context.args.currency", f'Currency::"{r.choice(CURRENCIES)}"'))

    def pattern(self) -> str:
        """A pattern for `like`, with wildcards and a star that is none."""
        return '"' + "".join(self._random.choice(("*", "a", "b", "e", "\\*", "", "u")) for _ in range(4)) + '"'

    def _scope(self) -> str:
        r = self._random
        principal = r.choice(
            (
                "principal",
                "principal",
                'principal in Agent::"one"',
                "principal is Release",
                'principal == Release::"one@0123456789ab"',
                'principal is Release in Agent::"two"',
            )
        )
        action = r.choice(
            (
                "action",
                "action",
                'action == Action::"chance.act"',
                'action in Action::"effect:write"',
                'action in [Action::"risk:high", Action::"chance.other"]',
            )
        )
        resource = r.choice(("resource", "resource", 'resource == System::"here"', "resource is System"))
        return f"{principal}, {action}, {resource}"

    def _number(self) -> int:
        r = self._random
        return r.choice(NUMBERS) if r.random() < 0.3 else r.randint(-200, 20_000)

    def _literal(self) -> str:
        number = self._number()
        return f"({number})" if number < 0 else str(number)

    def _item(self) -> dict[str, JsonValue]:
        return {"n": self._random.choice((0, 1, 5)), "t": self._random.choice(TAGS)}
