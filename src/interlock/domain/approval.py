"""A person's single-use word on exactly one action as it was shown.

`Hold` is what an action carries while people must agree. Its `binding` is the digest of everything the word is about:
action, contract, release, policy bundle, requirements, expiry and the view. A word given for another binding does not
count; the move out of `held` consumes them all.
"""

from typing import Literal

import msgspec

from interlock.domain.canonical import digest
from interlock.domain.ids import Digest, Person
from interlock.domain.initiator import whole
from interlock.domain.policy import Requirement


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person's word."""

    person: Person
    roles: tuple[str, ...]
    """The roles the person held when deciding."""
    verdict: Literal["approve", "reject"]
    binding: Digest
    decided_at: int
    note: str = ""
    shown: Digest = Digest("")
    """Digest of the whole dossier as the person was shown it; empty where no surface said."""


class Query(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reviewer's question to the agent, and its answer. It holds nothing up and decides nothing."""

    number: int
    """Counted from 1."""
    person: Person
    text: str
    asked_at: int
    answer: str = ""
    """The agent's own words."""
    answered_at: int | None = None


class Handing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who was asked has handed that to somebody else, who holds one of the roles asked, too."""

    by: Person
    to: Person
    at: int
    note: str = ""
    back_at: int | None = None
    """When it was taken back; until then `by` does not decide."""


class Hold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who must agree, to what, until when, and who has spoken so far."""

    requirements: tuple[Requirement, ...]
    expires_at: int
    view: Digest
    """Digest of what a reviewer is shown, with the action's nonce."""
    binding: Digest
    approvals: tuple[Approval, ...] = ()
    questions: tuple[Query, ...] = ()
    handings: tuple[Handing, ...] = ()
    modified: bool = False
    """Whether a person put other arguments in place of those proposed."""


def hold(
    *,
    action: Digest,
    contract: Digest,
    release: Digest,
    bundle: Digest,
    requirements: tuple[Requirement, ...],
    expires_at: int,
    view: Digest,
) -> Hold:
    """Bind what is asked of people to everything it is about."""
    binding = digest(
        {
            "action": action,
            "bundle": bundle,
            "contract": contract,
            "expiresAt": expires_at,
            "release": release,
            "requirements": [[each.policy, each.role, each.quorum] for each in requirements],
            "view": view,
        }
    )
    return Hold(requirements=requirements, expires_at=expires_at, view=view, binding=Digest(binding))


def open_requirements(hold: Hold, *, initiator: str) -> tuple[Requirement, ...]:
    """The requirements not yet met."""
    return tuple(need for need in hold.requirements if agreed(hold, need, initiator=initiator) < need.quorum)


def agreed(hold: Hold, need: Requirement, *, initiator: str) -> int:
    """How many people have agreed for `need`. Words for another binding do not count, nor does the initiator's own word,
    nor a second word of the same person."""
    heard = {
        word.person
        for word in hold.approvals
        if word.verdict == "approve"
        and word.binding == hold.binding
        and need.role in word.roles
        and not is_initiator(word.person, initiator)
    }
    return len(heard)


def is_initiator(person: Person, initiator: str) -> bool:
    """Whether `person` is the one on whose behalf the task runs (`user:ana` is the person `ana`). Programs write that, so
    capitals and spaces make nobody somebody else."""
    return whole(initiator) == whole(f"user:{person}")


def still_binding(hold: Hold, requirements: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    """Of `requirements`, as decided again, those that the approvals on `hold` do not already meet."""
    met = {(need.policy, need.role): need.quorum for need in hold.requirements}
    return tuple(need for need in requirements if met.get((need.policy, need.role), 0) < need.quorum)
