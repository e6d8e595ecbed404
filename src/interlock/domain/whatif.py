"""What would be decided otherwise: two decisions held against each other, and what is told of many such differences.

Looser is an exact word here. One decision is at least as strict as another if nothing that may happen under it is kept
back by the other: its verdict stands as high in the order of VERDICTS; whoever must agree under the other must agree
under it, as many of them at least; and whatever must be done under the other must be done under it. Of what is denied or
only shadowed nothing happens, so there is nothing more to compare. What asks less in any of these is looser, even if it
asks more in another: two leads exchanged for one auditor are two leads less.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest
from interlock.domain.oversight import REVIEWER
from interlock.domain.policy import VERDICTS, Decision, Requirement, Verdict
from interlock.domain.question import Circumstances
from interlock.domain.record import Withheld

Direction = Literal["loosened", "tightened", "other"]
"""`other`: neither asks less than the other, but other policies decide, or what a shadow would have been differs."""

RISKY = ("high", "critical")
"""Risks at which the contract's owner must consent to anything looser, as for what cannot be undone."""
_SHADOW = VERDICTS.index("shadow")
_ANYBODY = frozenset({"interlock.irreversible", "interlock.stage.assisted"})
"""Rules of ours that want some person, whoever: any other requirement meets them. See `oversight`."""
_WORDS = 120
"""How many characters of one argument are shown."""


class Decided(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A recorded action, as much of it as is needed to ask again. Fields are those of `Action`."""

    class Word(msgspec.Struct, frozen=True, kw_only=True, gc=False):
        """What is needed of its decision."""

        because: tuple[str, ...] = ()
        bundle: Digest = Digest("")

    id: ActionId
    agent: AgentName
    release: Digest
    contract: ContractName
    contract_digest: Digest
    arguments: dict[str, JsonValue]
    facts: dict[str, JsonValue] = {}
    initiator: str = ""
    confidence: int | None = None
    proposed_at: int
    decision: Word | None = None
    asked: Circumstances | None = None
    undoes: ActionId | None = None
    withheld: Withheld = ""


class Loosening(msgspec.Struct, frozen=True, kw_only=True):
    """Something of consequence is treated more loosely: what cannot be undone, or is of high or critical risk."""

    contract: ContractName
    owner: str
    """Whose consent is needed: the contract's owner; empty where nobody is named."""
    old: Verdict
    new: Verdict
    count: int
    """How many recorded decisions; 0 where only a search found it."""
    example: ActionId | None
    doubt: str = ""
    """Where a search could not rule it out: why. `old` and `new` are then the worst there is."""


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word is needed before such a bundle comes into force."""

    contract: ContractName
    owner: str
    why: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions that differ in the same way."""

    direction: Direction
    contract: ContractName
    old: Verdict
    new: Verdict
    old_policies: tuple[str, ...]
    new_policies: tuple[str, ...]
    count: int
    example: ActionId
    """The newest of them."""
    agent: AgentName
    arguments: str
    """The example's, in words."""


class Unasked(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded decisions that could not be asked again, and why."""

    why: str
    count: int
    example: ActionId


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What recorded decisions would have been under another bundle."""

    old: Digest
    new: Digest
    since_at: int
    asked: int
    """How many were put to both."""
    same: int
    groups: tuple[Group, ...]
    """Loosened before tightened before other, the largest first."""
    unasked: tuple[Unasked, ...]
    loosenings: tuple[Loosening, ...]
    """Those of consequence."""
    stopped: bool = False
    """There were more: the limit was reached."""

    def count(self, direction: Direction) -> int:
        """How many decisions differ in that direction."""
        return sum(group.count for group in self.groups if group.direction == direction)

    @property
    def consents(self) -> tuple[Consent, ...]:
        """Whose consent is needed, one for each contract."""
        return consents(self.loosenings)


def at_least_as_strict(decision: Decision, other: Decision) -> bool:
    """Whether nothing may happen under `decision` that `other` keeps back. Reflexive and transitive; two decisions of
    which each is at least as strict as the other ask for the same."""
    height, least = VERDICTS.index(decision.verdict), VERDICTS.index(other.verdict)
    if height < least:
        return False
    if height >= _SHADOW:
        return True
    return all(_met(need, decision.requirements) for need in other.requirements) and (
        set(other.obligations) <= set(decision.obligations)
    )


def direction(old: Decision, new: Decision) -> Direction | None:
    """How `new` differs from `old`, or None where it does not."""
    if not at_least_as_strict(new, old):
        return "loosened"
    if not at_least_as_strict(old, new):
        return "tightened"
    return None if _essence(old) == _essence(new) else "other"


def of_consequence(*versions: Contract | None) -> bool:
    """Whether any of these versions of a contract cannot be undone, or is of high or critical risk. A change may not
    escape by calling the contract harmless in the same breath."""
    return any(each is not None and (each.irreversible or each.risk in RISKY) for each in versions)


def consents(loosenings: tuple[Loosening, ...]) -> tuple[Consent, ...]:
    """Whose consent they need, one for each contract and owner."""
    found: dict[tuple[ContractName, str], list[str]] = {}
    for each in loosenings:
        said = f"{each.old} becomes {each.new}" if not each.doubt else f"it could not be ruled out: {each.doubt}"
        if each.count:
            said += f" ({each.count} recorded)"
        found.setdefault((each.contract, each.owner), []).append(said)
    return tuple(
        Consent(contract=contract, owner=owner, why="; ".join(why)) for (contract, owner), why in sorted(found.items())
    )


def in_words(values: Mapping[str, JsonValue], classes: Mapping[str, str]) -> str:
    """Arguments or facts on one line: `amount_minor 25001, order "A-17"`. Of those in a data class only the class is told."""
    return ", ".join(
        f"{name} ({classes[name]})" if name in classes else f"{name} {_short(msgspec.json.encode(value).decode())}"
        for name, value in values.items()
    )


def _met(need: Requirement, given: tuple[Requirement, ...]) -> bool:
    if need.role == REVIEWER and need.policy in _ANYBODY:
        return bool(given)
    return any(each.role == need.role and each.quorum >= need.quorum for each in given)


def _essence(decision: Decision) -> tuple[object, ...]:
    """What two decisions must share to be the same one. Reasons are only the words of `because`."""
    asked = {(need.role, need.quorum, need.policy) for need in decision.requirements}
    return decision.verdict, decision.because, asked, set(decision.obligations), decision.would_be


def _short(text: str) -> str:
    return text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"
