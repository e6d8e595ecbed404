"""What may be erased of a record, what stays, and how an erasure says which keys it destroyed.

Of an action, a task or a publication only the fields named here stay readable: ids, digests, times and states, which the
log's leaves say as well. Everything else, and every field that will be added, is private: it is kept under a key of its own
and goes with that key. So a field that nobody thought of is erased rather than left behind.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from interlock.domain.action import Action
from interlock.domain.agent_key import AgentKey
from interlock.domain.agent_state import AgentWords
from interlock.domain.api_key import ApiKey
from interlock.domain.control import BrakeWords
from interlock.domain.erasing import Erasure, LegalHold
from interlock.domain.keytree import BLOCK_BITS, PER_BLOCK, block_of, number_of, place_in
from interlock.domain.login import Login
from interlock.domain.losing import Loss
from interlock.domain.publication import Publication
from interlock.domain.record import Record, Withheld
from interlock.domain.task import Task
from interlock.domain.unwind import Unwind

R = TypeVar("R", bound=Record)

_RUN: Final = re.compile(r"(0|[1-9][0-9]{0,18})(?:-(0|[1-9][0-9]{0,18}))?")

_ACTION: Final = """
revision id task agent release contract contract_digest digest caller confidence traceparent proposed_at state due_at place
owner lease_until fence attempt dispatched_fence first_dispatched_at dispatched_at ended_at undoes undo_attempt undone_by entries
stream withheld
"""
_TASK: Final = """
revision id agent release opened_at expires_at state prohibited budgets purses depth parent above failed due_at epoch
delegated instance through withheld
"""
_PUBLICATION: Final = "revision id edition base replaces proposed_at changes owners state ended_at withheld"
_ERASURE: Final = "revision id basis scheduled proposed_at covers state parts ended_at withheld"
_UNWIND: Final = "revision id scope target asked_at state blocked_by undone before remaining due_at withheld"
_BRAKE: Final = "revision id scope name since_at withheld"
_AGENT_WORDS: Final = "revision id agent move state said_at withheld"
_LOSS: Final = "revision id reason covers entries actions proposed_at state ended_at withheld"
_LOGIN: Final = "revision handle made_at withheld"
_API_KEY: Final = "revision id made_at expires_at used_at revoked_at withheld"
_AGENT_KEY: Final = "revision id agent surfaces made_at expires_at epoch used_at revoked_at withheld"
_HOLD: Final = "revision id placed_at lifted_at withheld"

PUBLIC: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(names.split())
    for kind, names in (
        (Action.kind, _ACTION),
        (Task.kind, _TASK),
        (Publication.kind, _PUBLICATION),
        (Unwind.kind, _UNWIND),
        (Erasure.kind, _ERASURE),
        (LegalHold.kind, _HOLD),
        (BrakeWords.kind, _BRAKE),
        (AgentWords.kind, _AGENT_WORDS),
        (Loss.kind, _LOSS),
        (Login.kind, _LOGIN),
        (ApiKey.kind, _API_KEY),
        (AgentKey.kind, _AGENT_KEY),
    )
}
"""By kind, the fields that stay. Kinds that are not named here have nothing private."""

BLANK: Final[Mapping[str, Mapping[str, Any]]] = {
    Action.kind: {"arguments": {}, "nonce": "", "idempotency_key": ""},
    Task.kind: {"purpose": "", "initiator": ""},
    Publication.kind: {"proposed_by": ""},
    Unwind.kind: {"by": "", "why": ""},
    Erasure.kind: {"proposed_by": ""},
    LegalHold.kind: {"why": "", "placed_by": ""},
    BrakeWords.kind: {"why": "", "by": ""},
    AgentWords.kind: {"why": "", "by": ""},
    Loss.kind: {"proposed_by": ""},
    Login.kind: {"person": ""},
    ApiKey.kind: {"person": "", "label": "", "scopes": (), "digest": ""},
    AgentKey.kind: {"digest": "", "initiator": "", "purpose": "", "by": ""},
}
"""What stands for the private fields that a record cannot be without."""


def stripped(record: R, why: Withheld) -> R:
    """`record` without anything private, saying `why`: `erased`, `sealed` (its key is not at hand) or `lost`."""
    kept: dict[str, Any] = {name: getattr(record, name) for name in PUBLIC[record.kind]}
    values: dict[str, Any] = {**BLANK[record.kind], **kept, "withheld": why}
    return type(record)(**values)


def erased(record: R, now: int) -> R:
    """`record` once everything private of it is erased."""
    after = stripped(record, "erased")
    match after:
        case Action():
            return msgspec.structs.replace(after, due_at=None)
        case Erasure(state="open" | "erasing"):
            return msgspec.structs.replace(after, state="erased", ended_at=now)
        case _:
            return after


class Shred(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an erasure: the keys it destroyed. `erasure` is its random id, `part` is counted from 1."""

    erasure: str
    part: int
    keys: tuple[int, ...]


def keys_as_text(numbers: Iterable[int]) -> dict[str, str]:
    """Numbers of keys as an entry says them: by block, in hexadecimal, its places as `ranges_of` writes them."""
    blocks: dict[int, list[int]] = {}
    for number in sorted(set(numbers)):
        blocks.setdefault(block_of(number), []).append(place_in(number))
    return {f"{block:012x}": ranges_of(places) for block, places in blocks.items()}


def keys_in(text: Mapping[str, str]) -> tuple[int, ...]:
    """The numbers that `keys_as_text` wrote, or ValueError."""
    found: list[int] = []
    for name, places in text.items():
        block = int(name, 16)
        if len(name) != 12 or block >> BLOCK_BITS:
            raise ValueError("no such block of keys")
        found += (number_of(block, place) for place in numbers_in(places, PER_BLOCK))
    return tuple(found)


def ranges_of(numbers: Iterable[int]) -> str:
    """`3,5-9,12`: numbers in order, those that follow each other as one range."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and runs[-1][1] + 1 == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def numbers_in(text: str, below: int) -> list[int]:
    """The numbers that `ranges_of` wrote, or ValueError for what it never writes. Each is lower than `below`."""
    found: list[int] = []
    for run in text.split(",") if text else ():
        written = _RUN.fullmatch(run)
        if written is None:
            raise ValueError("that is no number, and no range of them")
        start, stop = int(written[1]), int(written[2] or written[1])
        if not start <= stop < below or (found and start <= found[-1]):
            raise ValueError("the numbers are not in order")
        found += range(start, stop + 1)
    return found
