"""Recorded decisions made again: by the policies of then, and by those of now, and what differs."""

from collections.abc import Iterable

import msgspec

from interlock.domain.explanation import Explanation
from interlock.domain.ids import ActionId, ContractName, Digest
from interlock.domain.policy import Decision, Verdict
from interlock.domain.whatif import Direction, direction


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision, in brief."""

    verdict: Verdict
    policies: tuple[str, ...]
    bundle: Digest


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One action, decided again. Nothing is recorded and nothing is touched by it."""

    action: ActionId
    contract: ContractName
    recorded: Answer | None = None
    then: Answer | None = None
    """By the policies that decided it."""
    reproduced: bool | None = None
    """Whether that is what was recorded; None where it could not be asked again."""
    now: Answer | None = None
    """By the policies in force."""
    changed: bool | None = None
    """Whether that differs from what was recorded."""
    direction: Direction | None = None
    """How the policies in force differ from what was recorded; None where they ask for the same."""
    why: tuple[str, ...] = ()
    """What differs, in sentences."""
    evidence: tuple[str, ...] = ()
    """Where the store and the log say different things of it. None is right."""
    skipped: str = ""
    """Why it could not be decided again, if so."""

    @property
    def sound(self) -> bool:
        """Whether nothing contradicts what was recorded."""
        return self.reproduced is not False and not self.evidence


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What was replayed: an action, or all actions of a task or a run, oldest first."""

    about: str
    """`action`, `task` or `run`, and its id."""
    replayed: tuple[Replayed, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing contradicts what was recorded."""
        return all(each.sound for each in self.replayed)


def answer(decision: Decision) -> Answer:
    """A decision, in brief."""
    return Answer(verdict=decision.verdict, policies=decision.because, bundle=decision.bundle)


def compared(replayed: Replayed, recorded: Decision, then: Explanation, now: Explanation | str) -> Replayed:
    """`replayed`, with what the policies of then and of now say. `now` may be why these could not be asked."""
    result = msgspec.structs.replace(
        replayed,
        recorded=answer(recorded),
        then=answer(then.decision),
        reproduced=then.same,
        why=tuple(_differences(recorded, then, "by the same policies")) if not then.same else (),
    )
    if isinstance(now, str):
        return msgspec.structs.replace(result, why=(*result.why, f"the policies in force cannot be asked: {now}"))
    return msgspec.structs.replace(
        result,
        now=answer(now.decision),
        changed=not now.same,
        direction=direction(recorded, now.decision),
        why=(*result.why, *(() if now.same else _differences(recorded, now, "now", then))),
    )


def _differences(recorded: Decision, again: Explanation, when: str, then: Explanation | None = None) -> Iterable[str]:
    """What `again` decides otherwise than was recorded, and on which policies that rests."""
    found = again.decision
    if found.verdict != recorded.verdict:
        yield f"it was {_plain(recorded.verdict)}, and {when} it is {_plain(found.verdict)}"
    known = {each.policy: each for each in again.policies}
    before = {each.policy: each for each in then.policies} if then is not None else known
    for policy in found.because:
        if policy not in recorded.because:
            said = known.get(policy)
            new = "" if policy in before or policy.startswith("interlock.") else ", which there was not then"
            yield f"`{policy}` decides {when}{new}{_because(said.why if said is not None else ())}"
    for policy in recorded.because:
        if policy not in found.because:
            said = known.get(policy)
            if said is None and not policy.startswith("interlock."):
                yield f"`{policy}` decided, and {when} there is none of that name"
            else:
                yield f"`{policy}` decided, and {when} it does not{_because(said.why if said is not None else ())}"
    if found.requirements != recorded.requirements:
        yield f"it asked {_asks(recorded)}, and {when} it asks {_asks(found)}"
    if found.obligations != recorded.obligations:
        yield f"it obliged to {_list(recorded.obligations)}, and {when} to {_list(found.obligations)}"


def _asks(decision: Decision) -> str:
    return (
        _list(f"{need.quorum} of role {need.role}" for need in decision.requirements)
        if decision.requirements
        else "nobody"
    )


def _list(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"


def _because(why: tuple[str, ...]) -> str:
    return f": {'; '.join(why)}" if why else ""


def _plain(verdict: Verdict) -> str:
    return verdict.replace("_", " ")
