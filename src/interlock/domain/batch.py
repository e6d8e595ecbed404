"""Many like actions decided in one go, without nobody having looked at any.

Only of one contract, asked for by the same policies, below critical, and at most 20. Which of them is opened first the
control plane draws, once for each person and set: whoever could choose would choose the harmless one. Who was drawn one
and has not opened it is drawn no other, whatever set they name: asking again is no way to choose.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.contract import Contract
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.record import Record

MOST: Final = 20


class Batch(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What one person is about to decide on in one go."""

    kind: ClassVar[str] = "batch"

    id: str
    """The digest of person and actions: the same set is drawn from once."""
    person: Person
    actions: tuple[ActionId, ...]
    """In the order of their ids."""
    drawn: ActionId
    """The one to be opened first."""
    drawn_at: int

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id


class Drawn(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The last that was drawn for one person of one contract."""

    kind: ClassVar[str] = "drawn"

    person: Person
    contract: Digest
    action: ActionId

    @property
    def key(self) -> str:
        """Filed by person and contract."""
        return drawn_key(self.person, self.contract)


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """One of a batch that was not decided on, and why."""

    action: ActionId
    why: str


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a batch: each has its own word and its own entry, or was left as it was."""

    decided: tuple[ActionId, ...]
    left: tuple[Left, ...]


def batch_id(person: Person, actions: Sequence[ActionId]) -> str:
    """The same for the same person and actions, whatever their order."""
    return digest({"person": person, "actions": list[JsonValue](sorted(actions))})


def drawn_key(person: Person, contract: Digest) -> str:
    """Where the last is that was drawn for `person` of `contract`."""
    return f"{contract} {person}"


def must_be_alike(actions: Sequence[Action], contracts: Sequence[Contract]) -> None:
    """Return where they may be decided on together. Raises NotAllowed, saying what sets one apart."""
    if not 2 <= len(actions) <= MOST:
        what = "one action is" if len(actions) == 1 else f"{len(actions)} actions are"
        raise NotAllowed(
            f"{what} no batch: 2 to {MOST} are",
            next_step="decide on fewer" if len(actions) > MOST else "decide on it by itself, or name more like it",
        )
    first = actions[0]
    for action, contract in zip(actions, contracts, strict=True):
        if action.state != "held" or action.hold is None:
            raise NotAllowed(f"action {action.id} is {action.state}, and waits for nobody", next_step="leave it out")
        if contract.risk == "critical":
            raise NotAllowed("what is of critical risk is decided on one by one", next_step="open each of them")
        if action.contract_digest != first.contract_digest:
            raise NotAllowed(
                f"action {action.id} is of another contract", next_step="decide on each contract by itself"
            )
        if _asked(action) != _asked(first):
            raise NotAllowed(f"action {action.id} is asked for by other policies", next_step="leave it out")


def _asked(action: Action) -> tuple[frozenset[str], frozenset[tuple[str, str, int]], Digest]:
    needs = () if action.hold is None else action.hold.requirements
    because = () if action.decision is None else action.decision.because
    bundle = Digest("") if action.decision is None else action.decision.bundle
    return frozenset(because), frozenset((need.policy, need.role, need.quorum) for need in needs), bundle
