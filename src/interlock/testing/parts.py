"""Parts of a world for tests: a clock moved by hand, counted identifiers, predicates for policies, a scripted outside.

Each is a complete adapter of its port, with the clock, the chance and the world under the test's control.
"""

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256

import anyio.lowlevel

from interlock.domain.bundle import Bundle
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Conditional, Contract, Keyed
from interlock.domain.contract import Target as Place
from interlock.domain.control import Control
from interlock.domain.errors import NotFound, PolicyError
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.ownership import Worded
from interlock.domain.policy import Engine, Opinions, Policy
from interlock.domain.presented import Code
from interlock.domain.proposal import Proposal
from interlock.domain.question import Question
from interlock.domain.use import Priced, TokenCount
from interlock.ports.effector import Role
from interlock.ports.passwords import Told
from interlock.ports.policies import Judge
from interlock.services.admission import Admitted


class ManualClock:
    """Stands still until it is moved. Begins on 2026-01-01."""

    def __init__(self, now: int = 1_767_225_600_000) -> None:
        self._now = now
        self.oversleeps = 0
        """How many ms longer than asked every sleep lasts: the process was stopped in it."""

    def now(self) -> int:
        """UTC ms."""
        return self._now

    def advance(self, ms: int) -> None:
        """Let `ms` pass."""
        self._now += ms

    async def sleep(self, ms: int) -> None:
        """Let `ms` pass at once, and others go first."""
        await anyio.lowlevel.checkpoint()
        self.advance(max(ms, 0) + self.oversleeps)


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


class UnsafeOpenDoor:
    """Lets in everybody, and asks nobody who they are: for tests of what comes after it."""

    def admit(self, proposal: Proposal) -> Admitted | Code:
        """Come in."""
        del proposal
        return Admitted(caller=None, release=None)

    def standing(self, admitted: Admitted, agent: AgentName, control: Control) -> Code | None:
        """Stay."""
        del admitted, agent, control
        return None


class SilentSteps:
    """Nobody is told."""

    def reached(self, step: str) -> None:
        """Do nothing."""


class Crash(BaseException):
    """The process is gone. Nothing in the product may catch it."""


class CrashAt:
    """Dies at the first step of that name, or at its `nth`."""

    def __init__(self, step: str, nth: int = 1) -> None:
        self.step = step
        self.left = nth
        self.seen: set[str] = set()

    def reached(self, step: str) -> None:
        """Die here, if it is here."""
        self.seen.add(step)
        if step == self.step:
            self.left -= 1
            if self.left == 0:
                raise Crash(step)


Predicate = Callable[[Question], bool]


class PredicateJudge:
    """Policies as Python predicates."""

    def __init__(self, rules: Mapping[str, tuple[Policy, Predicate]]) -> None:
        self._rules = rules
        self.policies: Mapping[str, Policy] = {name: policy for name, (policy, _) in rules.items()}

    def reads(self, contract: ContractName, agent: AgentName) -> frozenset[str]:
        """A predicate may look at anything."""
        del contract, agent
        return frozenset({"budget"})

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
        self._contracts: set[ContractName] = set()

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
        self._contracts.update(each.name for each in contracts)
        return Bundle(
            language="predicates",
            sources=dict(sources),
            schema=",".join(f"{each.name} {each.digest}" for each in contracts),
        )

    def load(self, bundle: Bundle, engine: Engine = "compiled") -> Judge:
        """The judge over all rules of the bundle."""
        del engine
        self._known(bundle.sources)
        rules: dict[str, tuple[Policy, Predicate]] = {}
        for name in bundle.sources:
            rules |= self._rules[name]
        return PredicateJudge(rules)

    def seen(self, bundle: Bundle) -> Mapping[ContractName, str]:
        """Predicates see all of a question."""
        return {
            ContractName(name): view for name, _, view in (each.partition(" ") for each in bundle.schema.split(","))
        }

    def worded(self, bundle: Bundle) -> Mapping[str, Worded]:
        """Each rule under its bundle's name, about everything."""
        self._known(bundle.sources)
        return {
            name: Worded(text=str(policy), policy=policy, contracts=frozenset(self._contracts))
            for source in bundle.sources
            for name, (policy, _) in self._rules[source].items()
        }

    def _known(self, sources: Mapping[str, str]) -> None:
        unknown = [name for name in sources if name not in self._rules]
        if unknown:
            raise PolicyError(f"no rules are registered as `{unknown[0]}`")


Script = Callable[[dict[str, JsonValue], Call], Answer | Awaitable[Answer]]


class ScriptedEffectors:
    """An outside world made of functions, one per contract and role, that counts every call."""

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, Role], Script] = {}
        self.calls: Counter[tuple[str, str]] = Counter()
        self.reachable = True

    def on(self, contract: str, role: Role, script: Script) -> None:
        """What happens when `contract` is called in `role`."""
        self._scripts[contract, role] = script

    def say(self, contract: str, role: Role, *answers: Answer) -> None:
        """What calls are answered in turn; the last answer stays."""
        left = list(answers)

        def script(arguments: dict[str, JsonValue], call: Call) -> Answer:
            del arguments, call
            return left.pop(0) if len(left) > 1 else left[0]

        self.on(contract, role, script)

    def reaches(self, contract: Contract, key: str = "") -> bool:
        """Whether this process can run it: the test says."""
        del contract, key
        return self.reachable

    def missing(self, contract: Contract) -> str:
        """What it lacks to run it: the test says."""
        return "" if self.reaches(contract) else "the test says that it cannot"

    async def invoke(
        self, contract: Contract, target: Place, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """The scripted answer; without a script a call that succeeds with its arguments as the result."""
        del target
        self.calls[contract.name, role] += 1
        script = self._scripts.get((contract.name, role))
        answer = Landed(dict(arguments)) if script is None else script(arguments, call)
        return await answer if inspect.isawaitable(answer) else answer


class Target:
    """A target that keeps the promise of its idempotency class: keyed ones drop repeats, conditional ones refuse them,
    those with a lookup can be asked, blind ones do it again. Counts what really happened, by idempotency key."""

    def __init__(self, effectors: ScriptedEffectors, contract: Contract) -> None:
        self._idempotency = contract.idempotency
        self._waves: list[str] = []
        self.effects: Counter[str] = Counter()
        """How often it happened, by idempotency key."""
        self.results: dict[str, JsonValue] = {}
        effectors.on(contract.name, "run", self.run)
        if contract.lookup is not None:
            effectors.on(contract.name, "lookup", self.lookup)

    def fail(self, *ways: str) -> None:
        """How the next calls go wrong: `before` and `after` the effect without an answer, `nothing` with a plain no,
        `well` not at all."""
        self._waves += ways

    def run(self, arguments: dict[str, JsonValue], call: Call) -> Answer:
        """One call."""
        way = self._waves.pop(0) if self._waves else "well"
        if way == "before":
            return Unsure("the line is dead")
        if way == "nothing":
            return Nothing("not now")
        key = call.idempotency_key
        if self.effects[key] and isinstance(self._idempotency, Conditional):
            return Nothing("it is no longer as it was")
        if not self.effects[key] or not isinstance(self._idempotency, Keyed):
            self.effects[key] += 1
            self.results[key] = dict(arguments)
        return Unsure("the line went dead") if way == "after" else Landed(self.results[key])

    def lookup(self, arguments: dict[str, JsonValue], call: Call) -> Answer:
        """Whether it happened."""
        del arguments
        key = call.idempotency_key
        return Landed(self.results[key]) if self.effects[key] else Nothing("no trace of it")


class QuickPasswords:
    """Passwords kept as they never may be, in no time: for tests of what happens around them. Counts what was asked."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        """Of each time one was looked at, whether there was anything to hold it against."""
        self.form = "now"

    async def kept(self, password: str) -> str:
        """See `Passwords.kept`."""
        return f"{self.form}:{sha256(password.encode()).hexdigest()}"

    async def told(self, password: str, kept: str) -> Told:
        """See `Passwords.told`."""
        self.asked.append(bool(kept))
        form, _, said = kept.partition(":")
        if not kept or said != sha256(password.encode()).hexdigest():
            return "wrong"
        return "right" if form == self.form else "stale"


__all__ = [
    "CountedIds",
    "Crash",
    "CrashAt",
    "Landed",
    "ManualClock",
    "Nothing",
    "PredicateJudge",
    "PredicatePolicies",
    "QuickPasswords",
    "ScriptedEffectors",
    "SilentSteps",
    "Target",
    "UnsafeOpenDoor",
    "Unsure",
]


class ListedPrices:
    """Prices as a test lists them: by model, millionths of a dollar for a token of input and of output. Cached ones are free."""

    def __init__(self) -> None:
        self.of_token: dict[str, tuple[int, int]] = {"dear": (2, 10)}
        self.names: dict[str, str] = {}
        """Other names of what is listed."""

    async def of(self, model: str, tokens: TokenCount) -> Priced:
        """See `Prices`."""
        name = self.names.get(model, model)
        listed = self.of_token.get(name)
        if listed is None:
            raise NotFound(f"no price of `{model}` is known")
        fresh = tokens.input - tokens.cached
        return Priced(cost=fresh * listed[0] + tokens.output * listed[1], by="a test's list", model=name)
