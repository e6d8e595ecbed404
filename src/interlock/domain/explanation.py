"""A decision explained: every policy there was, what became of it and why, and how they were combined.

What may be somebody's data is left out of the words unless the reader asked for it: an explanation is read by more people
than an action is.
"""

from collections.abc import Iterable, Mapping, Sized
from typing import Literal

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.parse import ChangePerMille, Parse
from interlock.domain.policy import Decision, Opinions, Policy, Verdict, combine
from interlock.domain.question import Circumstances, Question
from interlock.domain.whatif import direction

Standing = Literal["satisfied", "unsatisfied", "elsewhere", "failed"]
"""`elsewhere`: its scope is another agent, contract, release or system. `failed`: it could not be evaluated."""

OPEN: frozenset[str] = frozenset({"public", "internal"})
"""Data classes whose values an explanation shows without being asked to. All others it hides, whatever they are called."""


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one policy."""

    policy: str
    effect: Literal["permit", "forbid"]
    verdict: Verdict
    """What it leads to where it is satisfied; `allow` for a permit."""
    owner: str
    mode: Literal["enforce", "shadow"]
    file: str
    line: int
    standing: Standing
    why: tuple[str, ...]
    """Sentences, in the order in which its clauses were looked at."""
    reason: str = ""
    """Its author's, which whoever runs into it is told."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The question, with what is hidden left out of arguments and facts."""

    agent: AgentName
    release: Digest
    contract: ContractName
    contract_digest: Digest
    initiator: str
    confidence: int | None
    arguments: dict[str, JsonValue]
    facts: dict[str, JsonValue]
    parsed: dict[str, JsonValue]
    around: Circumstances
    hidden: dict[str, str]
    """Names of arguments and facts whose values are left out, and the data class of each."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why one question is decided as it is."""

    asked: Asked
    bundle: Digest
    decision: Decision
    policies: tuple[Considered, ...]
    combined: tuple[str, ...]
    """How the decision followed, a step a sentence."""
    refused: tuple[str, ...] = ()
    """Why the gate would refuse it before policies are asked, whatever they say; of a hypothetical only."""
    notes: tuple[str, ...] = ()
    """What a reader may trip over."""
    recorded: Decision | None = None
    """What was decided when the action was proposed; None of a hypothetical."""
    same: bool | None = None
    """Whether this is the answer that was recorded: verdict, deciding policies, who must agree, what must be done."""


def hidden(contract: Contract) -> dict[str, str]:
    """Names whose values stay hidden, and the data class of each."""
    names = {name: kind for name, kind in contract.data_classes.items() if kind not in OPEN}
    read = {
        name: names[source]
        for name, rule in contract.parses.items()
        for source in (rule.of, *_against(rule))
        if source in names
    }
    return names | read


def _against(rule: Parse) -> tuple[str, ...]:
    """What else than its argument is in what a rule reads."""
    path = rule.against.split(".") if isinstance(rule, ChangePerMille) else []
    return tuple(path[1:2])


def shown(question: Question, without: Mapping[str, str]) -> Asked:
    """`question` with the values of what is in `without` left out."""
    given = (question.arguments, question.facts, question.parsed)
    return Asked(
        agent=question.agent,
        release=question.release,
        contract=question.contract,
        contract_digest=question.contract_digest,
        initiator=question.initiator,
        confidence=question.confidence,
        arguments=_without(question.arguments, without),
        facts=_without(question.facts, without),
        parsed=_without(question.parsed, without),
        around=msgspec.structs.replace(question.around, parsed={}),
        hidden={name: kind for name, kind in without.items() if any(name in each for each in given)},
    )


def same_answer(left: Decision, right: Decision) -> bool:
    """Whether two decisions come to the same thing for the same reasons. Wording and time do not matter."""
    return (left.verdict, left.because, left.requirements, left.obligations, left.would_be) == (
        right.verdict,
        right.because,
        right.requirements,
        right.obligations,
        right.would_be,
    )


def enforcing(name: str, opinions: Opinions, policies: Mapping[str, Policy], bundle: Digest) -> Decision:
    """The decision if the candidate `name` were in force: an error in it would deny, as any other's does."""
    promoted = {**policies, name: msgspec.structs.replace(policies[name], mode="enforce")}
    if name in opinions.failing:
        opinions = msgspec.structs.replace(opinions, errors=(*opinions.errors, opinions.failing[name]))
    return combine(opinions, promoted, bundle)


def combination(opinions: Opinions, policies: Mapping[str, Policy], decision: Decision, final: Decision) -> list[str]:
    """How `opinions` became `decision`, and that `final` by the rules that no policy can loosen."""
    said = [*_combined(opinions, policies, decision), *_overseen(decision, final)]
    said += [
        f"{need.quorum} of role {need.role} must agree, because `{need.policy}` says so"
        for need in final.requirements
        if final.verdict in ("require_approval", "escalate")
    ]
    if final.obligations:
        said.append(f"it must be done with: {', '.join(final.obligations)}")
    said += [_tried(name, opinions, policies, decision) for name in _candidates(opinions, policies)]
    return said


def _combined(opinions: Opinions, policies: Mapping[str, Policy], decision: Decision) -> list[str]:
    live = [policies[name] for name in opinions.satisfied if name in policies and policies[name].mode == "enforce"]
    permits = [policy.id for policy in live if policy.effect == "permit"]
    soft = [policy for policy in live if policy.effect == "forbid" and policy.verdict != "deny"]
    if decision.because == ("interlock.error",):
        return [f"what is in force and cannot be evaluated denies everything: {'; '.join(decision.reasons)}"]
    if decision.because == ("interlock.default-deny",):
        passed = f"; {_named(each.id for each in soft)} cannot help: an approval is no permission" if soft else ""
        return [f"no permit is satisfied, and what nothing permits is denied{passed}"]
    if decision.verdict == "deny":
        others = " and ".join(
            each
            for each in (
                f"the {'permit' if len(permits) == 1 else 'permits'} {_named(permits)}" if permits else "",
                f"what {_named(each.id for each in soft)} {_verb(soft, 'says', 'say')}" if soft else "",
            )
            if each
        )
        wins = f"; a deny wins over {others}" if others else ""
        return [f"{_named(decision.because)} {_verb(decision.because, 'denies', 'deny')}{wins}"]
    permitted = f"{_named(permits)} {_verb(permits, 'permits', 'permit')} it"
    if not soft:
        return [f"{permitted}, and no forbid is satisfied"]
    weaker = _named(each.id for each in soft if each.id not in decision.because)
    over = f", which is stricter than {weaker}" if weaker else ""
    says = _verb(decision.because, "says", "say")
    said = [f"{permitted}, but {_named(decision.because)} {says} {words(decision.verdict)}{over}"]
    if decision.would_be is not None:
        said.append(f"outside shadow it would be: {words(decision.would_be)}")
    return said


def _overseen(decision: Decision, final: Decision) -> list[str]:
    """Which rule of ours changed what, if any did."""
    if final == decision:
        return []
    rule, reason = final.because[-1], final.reasons[-1]
    changed = f", so it is {words(final.verdict)}" if final.verdict != decision.verdict else ", who is asked as well"
    said = [f"`{rule}`, a rule that no policy can loosen: {reason}{changed}"]
    if final.would_be is not None:
        said.append(f"outside shadow it would be: {words(final.would_be)}")
    return said


def _candidates(opinions: Opinions, policies: Mapping[str, Policy]) -> list[str]:
    satisfied = [name for name in opinions.satisfied if name in policies and policies[name].mode == "shadow"]
    return sorted({*satisfied, *(name for name in opinions.failing if name in policies)})


def _tried(name: str, opinions: Opinions, policies: Mapping[str, Policy], decision: Decision) -> str:
    became = "fails" if name in opinions.failing else "is satisfied"
    there = enforcing(name, opinions, policies, decision.bundle)
    if same_answer(there, decision):
        return f"`{name}` is only tried, and {became}; in force it would change nothing here"
    how = {"loosened": "loosen", "tightened": "tighten"}.get(direction(decision, there) or "")
    if how is None:
        return f"`{name}` is only tried, and {became}; in force it would decide alike, among others"
    return f"`{name}` is only tried, and {became}; in force it would {how} what policies say to: {words(there.verdict)}"


def words(verdict: Verdict) -> str:
    """A verdict as people say it."""
    return verdict.replace("_", " ")


def _verb(subjects: Sized, one: str, many: str) -> str:
    return one if len(subjects) == 1 else many


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _without(values: Mapping[str, JsonValue], hidden_names: Mapping[str, str]) -> dict[str, JsonValue]:
    return {name: f"hidden: {hidden_names[name]}" if name in hidden_names else value for name, value in values.items()}
