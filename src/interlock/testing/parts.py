"""Parts of a world for tests: a clock moved by hand, counted identifiers, predicates for policies, a scripted outside.

Each is a complete adapter of its port, with the clock, the chance and the world under the test's control.
"""

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from interlock.domain.bundle import Bundle
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Target
from interlock.domain.errors import PolicyError
from interlock.domain.policy import Opinions, Policy, Question
from interlock.ports.effector import Role
from interlock.ports.policies import Judge


class ManualClock:
    """Stands still until it is moved. Begins on 2026-01-01."""

    def __init__(self, now: int = 1_767_225_600_000) -> None:
        self._now = now

    def now(self) -> int:
        """UTC ms."""
        return self._now

    def advance(self, ms: int) -> None:
        """Let `ms` pass."""
        self._now += ms


class CountedIds:
    """Identifiers that count upwards, so that a failing test reads the same twice."""

    def __init__(self) -> None:
        self._count = 0

    def new(self) -> str:
        """The next identifier, in UUID form and sorting upwards."""
        self._count += 1
        return f"00000000-0000-7000-8000-{self._count:012x}"

    def nonce(self) -> str:
        """A different 128-bit value each time; predictable, which only a test may want."""
        self._count += 1
        return f"{self._count:032x}"


class SilentSteps:
    """Nobody is told."""

    def reached(self, step: str) -> None:
        """Do nothing."""


Predicate = Callable[[Question], bool]


class PredicateJudge:
    """Policies as Python predicates."""

    def __init__(self, rules: Mapping[str, tuple[Policy, Predicate]]) -> None:
        self._rules = rules
        self.policies: Mapping[str, Policy] = {name: policy for name, (policy, _) in rules.items()}

    def opinions(self, question: Question) -> Opinions:
        """Those whose predicate holds. A missing argument or fact is an error, as it is in a real engine."""
        satisfied, errors = list[str](), list[str]()
        for name, (_, holds) in self._rules.items():
            try:
                if holds(question):
                    satisfied.append(name)
            except (KeyError, TypeError) as error:
                errors.append(f"{name}: {error!r}")
        return Opinions(satisfied=tuple(satisfied), errors=tuple(errors))


class PredicatePolicies:
    """Bundles are named by their `sources`; every name must have been registered with its rules."""

    def __init__(self) -> None:
        self._rules: dict[str, Mapping[str, tuple[Policy, Predicate]]] = {}

    def register(self, name: str, *rules: tuple[Policy, Predicate]) -> dict[str, str]:
        """Make rules known under `name`; gives the sources to apply."""
        self._rules[name] = {policy.id: (policy, holds) for policy, holds in rules}
        return {name: ",".join(policy.id for policy, _ in rules)}

    def forget(self, name: str) -> None:
        """Make rules unknown: bundles that hold them can no longer be loaded."""
        del self._rules[name]

    def bundle(self, sources: Mapping[str, str], contracts: Sequence[Contract]) -> Bundle:
        """A bundle of registered rules."""
        self._known(sources)
        return Bundle(language="predicates", sources=dict(sources), schema=",".join(each.digest for each in contracts))

    def load(self, bundle: Bundle) -> Judge:
        """The judge over all rules of the bundle."""
        self._known(bundle.sources)
        rules: dict[str, tuple[Policy, Predicate]] = {}
        for name in bundle.sources:
            rules |= self._rules[name]
        return PredicateJudge(rules)

    def _known(self, sources: Mapping[str, str]) -> None:
        unknown = [name for name in sources if name not in self._rules]
        if unknown:
            raise PolicyError(f"no rules are registered as `{unknown[0]}`")


Script = Callable[[dict[str, JsonValue], Call], Answer | Awaitable[Answer]]


class ScriptedEffectors:
    """An outside world made of functions, one per contract and role, that counts every call."""

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, Role], Script] = {}
        self.calls: Counter[tuple[str, Role]] = Counter()
        self.reachable = True

    def on(self, contract: str, role: Role, script: Script) -> None:
        """What happens when `contract` is called in `role`."""
        self._scripts[contract, role] = script

    def say(self, contract: str, role: Role, *answers: Answer) -> None:
        """What calls are answered in turn; the last answer stays."""
        left = list(answers)
        self.on(contract, role, lambda *_: left.pop(0) if len(left) > 1 else left[0])

    def reaches(self, contract: Contract) -> bool:
        """Whether this process can run it: the test says."""
        del contract
        return self.reachable

    async def invoke(
        self, contract: Contract, target: Target, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """The scripted answer; without a script a call that succeeds with its arguments as the result."""
        del target
        self.calls[contract.name, role] += 1
        script = self._scripts.get((contract.name, role))
        answer = Landed(dict(arguments)) if script is None else script(arguments, call)
        return await answer if inspect.isawaitable(answer) else answer


__all__ = [
    "CountedIds",
    "Landed",
    "ManualClock",
    "Nothing",
    "PredicateJudge",
    "PredicatePolicies",
    "ScriptedEffectors",
    "SilentSteps",
    "Unsure",
]
