"""A policy test: a question somebody made up, and what must be decided.

What a case does not say is made up the same way each time: the release, the initiator, the time (a Monday at noon, UTC).
Our own stage rules, and the roles that an agent's file asks (`domain/oversight.py`), stand on top of policies. A case asks the
policies alone, unless it says at which stage: then it expects what the gate as a whole would decide.
"""

import difflib
from collections.abc import Collection
from typing import Final

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Effect, InProcess, NoReversal, Reversal, Risk
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.oversight import oversee
from interlock.domain.policy import Decision, Verdict
from interlock.domain.question import Circumstances, Question

MADE_UP_RELEASE: Final = Digest("0" * 64)
MADE_UP_INITIATOR: Final = "user:somebody"
MADE_UP_PURPOSE: Final = "a policy test"
MADE_UP_TIME: Final = 1_767_614_400_000
"""2026-01-05T12:00Z, a Monday."""

_OURS: Final = "interlock."
_ASKING: Final = ("require_approval", "escalate")


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in `role` agreed to what `policy` asks. Each stands for another person."""

    role: str
    policy: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What must be asked of people: so many of a role."""

    role: str
    quorum: int = 1


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What must be decided. What is None is not looked at."""

    verdict: Verdict | None = None
    by: tuple[str, ...] = ()
    """Policies that must be among those that decide."""
    not_by: tuple[str, ...] = ()
    """Policies that must not be among them."""
    reasons: tuple[str, ...] | None = None
    """All of them, in any order; so are the following."""
    obligations: tuple[str, ...] | None = None
    requirements: tuple[Asked, ...] | None = None
    candidates: tuple[str, ...] | None = None
    refused: bool = False
    """The arguments do not fit the contract, so that no policy is ever asked."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every policy it speaks of."""
        return (*self.by, *self.not_by, *(self.candidates or ()))


class PolicyCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case, and where it is written."""

    name: str
    file: str
    line: int
    column: int
    agent: AgentName
    release: Digest = MADE_UP_RELEASE
    contract: Contract
    made_up: bool = False
    """The contract is none of the workspace's: it stands for any of its risk, effect and reversibility."""
    arguments: dict[str, JsonValue]
    """Bound: with the contract's defaults."""
    refusal: str = ""
    """Why they do not fit the contract."""
    facts: dict[str, JsonValue] = {}
    parsed: dict[str, JsonValue] | None = None
    """None: read out of arguments and facts by the contract's rules."""
    data: tuple[str, ...] | None = None
    """None: those the contract names for the arguments given."""
    initiator: str = MADE_UP_INITIATOR
    confidence: int | None = None
    around: Circumstances
    staged: bool = False
    """It says its stage, so our own rules for stages are applied."""
    approvals: tuple[Word, ...] = ()
    expect: Expected

    def question(self, tenant: str, parsed: dict[str, JsonValue]) -> Question:
        """What the policies are asked."""
        classes = self.contract.data_classes
        data = tuple(sorted({kind for name, kind in classes.items() if name in self.arguments}))
        return Question(
            agent=self.agent,
            release=self.release,
            contract=self.contract.name,
            contract_digest=self.contract.digest,
            tenant=tenant,
            arguments=self.arguments,
            facts=self.facts,
            parsed=parsed,
            data=data if self.data is None else self.data,
            initiator=self.initiator,
            confidence=self.confidence,
            around=self.around,
        )

    def of(self, agent: Agent | None) -> "PolicyCase":
        """The case with the role that the agent's file, where it is known, asks for every use of the contract."""
        asked = "" if agent is None else agent.approvals.required.get(self.contract.name, "")
        return msgspec.structs.replace(self, around=msgspec.structs.replace(self.around, approver=asked))

    def settled(self, decision: Decision, *, obliged: bool) -> Decision:
        """`decision` with our own rules where the case says a stage, and with the words people have given. `obliged`:
        a satisfied policy obliges, whatever else there is."""
        if self.staged and not self.around.undo:
            around = self.around
            decision = oversee(
                decision, self.contract, around.stage, approver=around.approver, confidence=self.confidence
            )
        return answered(decision, self.approvals, obliged=obliged)


def made_up_contract(risk: Risk, effect: Effect, *, reversible: bool) -> Contract:
    """A contract without arguments that is in the groups these words name."""
    kind = "reversible" if reversible else "irreversible"
    name = ContractName(f"made-up.{risk}.{effect}.{kind}")
    reversal = Reversal(contract=name, arguments={}) if reversible else NoReversal(why="it is made up")
    return Contract(
        name=name,
        input_schema={"type": "object", "properties": {}, "additionalProperties": False},
        effect=effect,
        risk=risk,
        reversal=None if effect == "read" else reversal,
        target=InProcess(name=name),
    )


def answered(decision: Decision, words: tuple[Word, ...], *, obliged: bool) -> Decision:
    """`decision` once people have said `words`. Only what asks is answered: a word never lifts a deny or a shadow."""
    if decision.verdict not in _ASKING or not words:
        return decision
    left = tuple(
        need
        for need in decision.requirements
        if sum(word == Word(role=need.role, policy=need.policy) for word in words) < need.quorum
    )
    verdict: Verdict = decision.verdict if left else "oblige" if obliged else "allow"
    return msgspec.structs.replace(decision, verdict=verdict, requirements=left)


def differences(expect: Expected, decision: Decision) -> tuple[str, ...]:
    """What `decision` has otherwise than `expect`, each as a line for a person."""
    found: list[str] = []
    if expect.verdict is not None and expect.verdict != decision.verdict:
        found.append(f"expected {expect.verdict}, was {said(decision)}")
    missing = [name for name in expect.by if name not in decision.because]
    if missing:
        found.append(f"expected by {_listed(missing)}, was by {_listed(decision.because)}")
    found += [f"`{name}` decided, and was expected not to" for name in expect.not_by if name in decision.because]
    asked = tuple(f"{need.quorum} of {need.role}" for need in decision.requirements)
    wanted = (
        None if expect.requirements is None else tuple(f"{each.quorum} of {each.role}" for each in expect.requirements)
    )
    for word, want, was in (
        ("reasons", expect.reasons, decision.reasons),
        ("obligations", expect.obligations, decision.obligations),
        ("requirements", wanted, asked),
        ("candidates", expect.candidates, decision.candidates),
    ):
        if want is not None and sorted(want) != sorted(was):
            found.append(f"expected {word} {_listed(want)}, was {_listed(was)}")
    return tuple(found)


def unknown_names(expect: Expected, policies: Collection[str]) -> tuple[str, ...]:
    """A line for each policy that a case speaks of and that does not exist."""
    lines: list[str] = []
    for name in dict.fromkeys(expect.names):
        if name not in policies and not name.startswith(_OURS):
            close = difflib.get_close_matches(name, policies, n=1)
            lines.append(f"there is no policy `{name}`" + (f"; did you mean `{close[0]}`?" if close else ""))
    return tuple(lines)


def said(decision: Decision) -> str:
    """A decision in words: `deny by refund.exact (not what this return is owed)`."""
    why = f" ({'; '.join(decision.reasons)})" if decision.reasons else ""
    return f"{decision.verdict} by {', '.join(decision.because) or 'nothing'}{why}"


def _listed(words: Collection[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "nothing"
