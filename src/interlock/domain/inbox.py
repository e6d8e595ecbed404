"""What waits for people, as a list: the most urgent first, and of what ends in the same minute the riskiest."""

import re
from typing import Final

import msgspec

from interlock.domain.contract import RISKS, Risk
from interlock.domain.cursor import no_cursor
from interlock.domain.duration import MINUTE
from interlock.domain.ids import ActionId, AgentName, ContractName, Person, TaskId
from interlock.domain.record import Withheld

_CURSOR: Final = re.compile(r"([0-9]{1,16})\.([0-9A-Za-z-]{1,64})")


class InboxRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One held action, in one line."""

    action: ActionId
    contract: ContractName
    agent: AgentName
    task: TaskId
    risk: Risk
    line: str
    """What it is: the contract and its arguments. Written by an agent: data, never markup."""
    reason: str = ""
    """Why people are asked, in the policy's words."""
    deadline: int
    """UTC ms."""
    overdue: bool = False
    """Whether that is over, and the question stays open all the same."""
    proposed_at: int
    needs: tuple[str, ...]
    """The roles that still have to agree."""
    agreed: int
    wanted: int
    """How many words there are of how many, over all requirements."""
    mine: bool = False
    """Whether this person may decide on it now."""
    handed: bool = False
    """Whether somebody handed it to this person."""
    initiator: str = ""
    withheld: Withheld = ""


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows, in their order."""

    rows: tuple[InboxRow, ...]
    waiting: int
    """How many actions are held in all, whatever was asked for."""
    person: Person | None = None
    next: str = ""
    """The cursor of the next page, or nothing where this is the last."""
    warning: str = ""
    """What the person should be told about how they decide."""


def urgency(row: InboxRow) -> tuple[int, int, str]:
    """What the rows of a page are sorted by: the minute of the deadline, then the greater risk, then the older."""
    return row.deadline // MINUTE, -RISKS.index(row.risk), row.action


def place_text(place: tuple[int, ActionId]) -> str:
    """A place among what waits, a deadline and an id, as the cursor of the next page."""
    return f"{place[0]}.{place[1]}"


def place_of(cursor: str) -> tuple[int, ActionId] | None:
    """The place that a cursor names; None where there is none. Raises ContractError."""
    if not cursor:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise no_cursor()
    return int(found[1]), ActionId(found[2])
