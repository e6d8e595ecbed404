"""What waits for people, as a list: the most urgent first, and of what ends in the same minute the riskiest."""

import msgspec

from interlock.domain.contract import RISKS, Risk
from interlock.domain.duration import MINUTE
from interlock.domain.ids import ActionId, AgentName, ContractName, Person, TaskId
from interlock.domain.record import Withheld


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


def urgency(row: InboxRow) -> tuple[int, int, str]:
    """What the rows of a page are sorted by: the minute of the deadline, then the greater risk, then the older."""
    return row.deadline // MINUTE, -RISKS.index(row.risk), row.action
