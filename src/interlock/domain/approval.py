"""A person's single-use word on exactly one action as it was shown.

`Hold` is what an action carries while people must agree. Its `binding` is the digest of everything the word is about:
action, contract, release, policy bundle, requirements, expiry, what happens until then, and the view. A word given for
another binding does not count; the move out of `held` consumes them all.
"""

from collections.abc import Collection, Set
from typing import Final, Literal

import msgspec

from interlock.domain.canonical import JsonValue, digest
from interlock.domain.deadline import Step, meant
from interlock.domain.ids import ContractName, Digest, Person
from interlock.domain.initiator import whole
from interlock.domain.policy import Requirement


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person's word."""

    person: Person
    roles: tuple[str, ...]
    """The roles the person held when deciding."""
    glass: str = ""
    """The broken glass by which they held some of these; empty where people.yaml gave them all."""
    lent: tuple[str, ...] = ()
    """Those of these roles that somebody who holds them handed to them: they count for what may be handed on alone."""
    verdict: Literal["approve", "reject"]
    binding: Digest
    decided_at: int
    note: str = ""
    shown: Digest = Digest("")
    """Digest of the whole dossier as the person was last shown it; empty where no surface showed it."""
    looked_ms: int | None = None
    """For how long they had it open before they spoke; None where no surface showed it."""


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


NOBODY: Final = "nobody answered in time"
BY_DEFAULT: Final = "by default the answer is: "
ANSWER: Final = ContractName("interlock: answer")
"""What an agent's answer calls itself where its instance proves who it is: no contract has such a name."""


class Handing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who was asked has handed that to somebody else: who holds one of the roles asked, too, or to whom policy lets it
    be handed all the same."""

    by: Person
    to: Person
    at: int
    note: str = ""
    back_at: int | None = None
    """When it was taken back; until then `by` does not decide."""


class Look(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody opened the dossier. What stood in it is in the log, beside the entry that says so."""

    person: Person
    first_at: int
    """When they first did."""
    at: int
    view: Digest
    shown: Digest


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
    steps: tuple[Step, ...] = ()
    """What happens while nobody answers, in order; at `expires_at` it is over."""
    walked: int = 0
    """How many of them have come to pass."""
    default: str = ""
    """Of an exception: what it is answered where nobody has by `expires_at`; empty: nothing is."""
    looks: tuple[Look, ...] = ()
    """The last of each person who could decide and opened it."""
    requested: dict[str, JsonValue] | None = None
    """The arguments as the agent asked for them, where a person put others in their place."""

    @property
    def words(self) -> tuple[Approval, ...]:
        """Those that are about what is asked now: words for another binding do not count."""
        return tuple(each for each in self.approvals if each.binding == self.binding)

    @property
    def due_at(self) -> int:
        """When the next thing happens, UTC ms."""
        return self.steps[self.walked].at if self.walked < len(self.steps) else self.expires_at

    @property
    def overdue(self) -> bool:
        """Whether the time to answer is over, and it is open all the same."""
        return any(step.what == "overdue" for step in self.steps[: self.walked])

    @property
    def answer_by(self) -> int:
        """When it is late, UTC ms: where that is not the end of it, long before `expires_at`."""
        return next((step.at for step in self.steps if step.what == "overdue"), self.expires_at)

    @property
    def roles(self) -> frozenset[str]:
        """Everybody who may answer by now."""
        return frozenset(role for need in self.requirements for role in roles_for(self, need))


def hold(
    *,
    action: Digest,
    contract: Digest,
    release: Digest,
    bundle: Digest,
    requirements: tuple[Requirement, ...],
    expires_at: int,
    view: Digest,
    steps: tuple[Step, ...] = (),
    walked: int = 0,
    default: str = "",
) -> Hold:
    """Bind what is asked of people to everything it is about. What may widen the circle is bound from the first on, so that a
    word stays good when it does; how far that came is not."""
    bound: dict[str, JsonValue] = {
        "action": action,
        "bundle": bundle,
        "contract": contract,
        "expiresAt": expires_at,
        "release": release,
        "requirements": [[each.policy, each.role, each.quorum] for each in requirements],
        "view": view,
    }
    delegates: list[JsonValue] = [
        [each.policy, each.role, *each.terms.delegate] for each in requirements if each.terms.delegate
    ]
    if delegates:
        bound["delegate"] = delegates
    if steps:
        bound["steps"] = [[each.at, each.what, each.policy, each.role] for each in steps]
    if default:
        bound["default"] = default
    return Hold(
        requirements=requirements,
        expires_at=expires_at,
        view=view,
        binding=Digest(digest(bound)),
        steps=steps,
        walked=walked,
        default=default,
    )


def silence(hold: Hold | None) -> tuple[str, ...]:
    """What is recorded of a question that nobody answered in time."""
    return (NOBODY,) if hold is None or not hold.default else (NOBODY, f"{BY_DEFAULT}{hold.default}")


def roles_for(hold: Hold, need: Requirement) -> frozenset[str]:
    """Who may answer `need` by now: whom the policy asks, and whom its question has gone on to."""
    gone_on = (step for step in hold.steps[: hold.walked] if step.what == "escalate" and step.policy == need.policy)
    return frozenset({need.role, *(step.role for step in gone_on)})


def walked(hold: Hold, now: int) -> Hold:
    """`hold` with all that has come to pass by `now`."""
    count = sum(step.at <= now for step in hold.steps)
    return hold if count <= hold.walked else msgspec.structs.replace(hold, walked=count)


def reached(before: Hold, after: Hold) -> Literal["reminded", "escalated", "overdue"]:
    """The weightiest of what came to pass between the two. Of reminders that were slept through one is enough."""
    whats = {step.what for step in after.steps[before.walked : after.walked]}
    return "overdue" if "overdue" in whats else "escalated" if "escalate" in whats else "reminded"


def open_requirements(hold: Hold, *, initiator: str) -> tuple[Requirement, ...]:
    """The requirements not yet met."""
    return tuple(need for need in hold.requirements if agreed(hold, need, initiator=initiator) < need.quorum)


def agreed(hold: Hold, need: Requirement, *, initiator: str) -> int:
    """How many people have agreed for `need`."""
    return len(agreeing(hold, need, initiator=initiator))


def agreeing(hold: Hold, need: Requirement, *, initiator: str) -> tuple[Person, ...]:
    """Who has agreed for `need`, each once. The initiator's own word does not count."""
    roles = roles_for(hold, need)
    heard = (word for word in hold.words if word.verdict == "approve" and counts_for(word, need, roles))
    return tuple(dict.fromkeys(word.person for word in heard if not is_initiator(word.person, initiator)))


def counts_for(word: Approval, need: Requirement, roles: frozenset[str]) -> bool:
    """Whether a word was spoken in one of `roles`, which may answer `need`: held, or lent where that may be handed to such as
    them. What one policy lets them be handed, no other has to."""
    return spoken_in(roles, word.roles, word.lent, need.terms.delegate)


def spoken_in(roles: Set[str], spoken: Collection[str], lent: Collection[str], delegates: Collection[str]) -> bool:
    """The same of the roles in which a word was spoken, those of them that were lent, and whom the policy names: for whoever has
    nothing but the entries."""
    held = {*spoken} - {*lent}
    return not roles.isdisjoint(held) or (meant(delegates, held) and not roles.isdisjoint(lent))


def is_initiator(person: Person, initiator: str) -> bool:
    """Whether `person` is the one on whose behalf the task runs (`user:ana` is the person `ana`). Programs write that, so
    capitals and spaces make nobody somebody else."""
    return whole(initiator) == whole(f"user:{person}")


def still_binding(hold: Hold, requirements: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    """Of `requirements`, as decided again, those that the approvals on `hold` do not already meet."""
    met = {(need.policy, need.role): need.quorum for need in hold.requirements}
    return tuple(need for need in requirements if met.get((need.policy, need.role), 0) < need.quorum)


def carried(asked: Hold, again: Hold) -> Hold:
    """`again`, a question asked anew about the same action, with what was said around the one before: words are void, the rest
    stays."""
    return msgspec.structs.replace(
        again,
        questions=asked.questions,
        handings=asked.handings,
        looks=asked.looks,
        requested=asked.requested,
    )


def look_of(hold: Hold, person: Person) -> Look | None:
    """What `person` was last shown of what is asked now; None where that is another view, or nothing."""
    return next((each for each in hold.looks if each.person == person and each.view == hold.view), None)
