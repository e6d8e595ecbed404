"""What is lost for good: clear texts whose keys are gone without an erasure, as where an older vault was put back.

A loss is found by whoever verifies, for ever. Two persons can acknowledge it: an entry then says which entries it is about,
what happened, and that two agreed. It is told as acknowledged from then on, and never hidden.
"""

from typing import ClassVar, Final, Literal, get_args

from interlock.domain.record import Record, Withheld

LossState = Literal["open", "acknowledged", "withdrawn"]
Reason = Literal["restored", "vault_lost", "damaged", "other"]
"""`restored`: an older vault was put back; `vault_lost`: there was no other; `damaged`: what was sealed, or its key."""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


class Loss(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One proposal to acknowledge what is lost."""

    kind: ClassVar[str] = "loss"

    id: str
    reason: Reason
    covers: str
    """Indexes of the entries, as ranges."""
    entries: int
    actions: int = 0
    """How many actions they are about."""
    why: str = ""
    proposed_by: str
    proposed_at: int
    accepted_by: str = ""
    state: LossState = "open"
    ended_at: int | None = None
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id
