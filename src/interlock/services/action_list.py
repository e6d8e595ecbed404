"""Lists of actions, newest first, for a page: by what the store has an index of, or by what only the log's index knows.

Who agreed, on whose behalf, which policy and which record stand in the index over the log alone; it may be some entries behind
the store, and the page says up to which entry it has read.
"""

from typing import Final, NamedTuple

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.cursor import before_of
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, TaskId
from interlock.domain.line import line_of
from interlock.domain.record import Withheld
from interlock.domain.searched import STATES, question
from interlock.ports.store import INDEXED, ActionQuery
from interlock.services.plane import ControlPlane

MOST: Final = 200


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions; everything that is given must fit. Empty: no matter which."""

    agent: str = ""
    contract: str = ""
    states: tuple[str, ...] = ()
    task: str = ""
    release: str = ""
    policy: str = ""
    """Of the policies that decided it."""
    approver: str = ""
    initiator: str = ""
    touching: tuple[str, ...] = ()
    """Records, as `kind:id`."""
    unusual: str = ""
    since_at: int | None = None
    until_at: int | None = None

    @property
    def by_the_log(self) -> bool:
        """Whether only the index over the log can tell, or can without looking at every action there is: the store has none by
        agent, contract or how an action ended, only by task and by what is open."""
        if self.policy or self.approver or self.initiator or self.touching or self.unusual:
            return True
        narrowed = bool(self.agent or self.contract or self.release or self.states)
        return narrowed and not self.task and not (self.states and INDEXED.issuperset(self.states))


class ActionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list."""

    action: ActionId
    task: TaskId
    agent: AgentName
    contract: ContractName
    risk: str
    state: State
    line: str
    """What it is, on one line."""
    proposed_at: int
    initiator: str
    reasons: tuple[str, ...]
    deadline: int | None
    withheld: Withheld


class ActionPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows."""

    rows: tuple[ActionRow, ...]
    next: ActionId | None
    """The cursor of the next page; None on the last."""
    size: int | None
    """Up to how many entries of the log was searched; None where the store was asked, which is never behind."""


class Page(NamedTuple):
    """Some actions, and what else there is."""

    actions: list[Action]
    more: bool
    size: int | None
    """See `ActionPage.size`."""


async def listed(plane: ControlPlane, sought: Sought, *, before: str = "", limit: int = 50) -> ActionPage:
    """One page of the actions that are meant. Raises ContractError for a state, a record or a cursor that there cannot be."""
    found = await actions_of(plane, sought, before=before, limit=limit)
    rows = [await _row(plane, each) for each in found.actions]
    return ActionPage(rows=tuple(rows), next=rows[-1].action if found.more and rows else None, size=found.size)


async def actions_of(plane: ControlPlane, sought: Sought, *, before: str = "", limit: int = 50) -> Page:
    """The actions that are meant, at most 200. Raises ContractError as `listed` does."""
    start = before_of(before, "/before")
    for each in sought.states:
        if each not in STATES:
            raise ContractError(f"there is no state `{each[:64]}`", path="/state", next_step=", ".join(STATES))
    limit = max(1, min(limit, MOST))
    if not sought.by_the_log:
        return await _of_the_store(plane, sought, start or ActionId(""), limit)
    asked = question(
        agent=sought.agent,
        contract=sought.contract,
        policy=sought.policy,
        approver=sought.approver,
        initiator=sought.initiator,
        touching=sought.touching,
        task=sought.task,
        release=sought.release,
        unusual=sought.unusual,
        states=sought.states,
        since_at=sought.since_at,
        until_at=sought.until_at,
        before=start,
        limit=limit,
    )
    found = await plane.searching.actions(asked)
    return Page(found.actions, found.more, found.size)


async def _of_the_store(plane: ControlPlane, sought: Sought, before: ActionId, limit: int) -> Page:
    until = _first_id(sought.until_at) if sought.until_at is not None else ActionId("")
    places = [each for each in (before, until) if each]
    query = ActionQuery(
        agent=AgentName(sought.agent) if sought.agent else None,
        contract=ContractName(sought.contract) if sought.contract else None,
        states=tuple(each for each in STATES if each in sought.states),
        task=TaskId(sought.task) if sought.task else None,
        release=Digest(sought.release) if sought.release else None,
        before=min(places) if places else None,
        limit=limit + 1,
    )
    found = await plane.means.store.actions(query)
    # Ids sort by time, so the first that is older ends the list.
    recent = [each for each in found if sought.since_at is None or each.proposed_at >= sought.since_at]
    return Page(recent[:limit], len(recent) > limit, None)


def _first_id(at: int) -> ActionId:
    """What no id of that millisecond sorts before: they are UUIDv7, which begin with their time."""
    text = f"{min(at, 2**48 - 1):012x}"
    return ActionId(f"{text[:8]}-{text[8:]}")


async def _row(plane: ControlPlane, action: Action) -> ActionRow:
    try:
        contract = await plane.orders.contract(action.contract_digest)
    except NotFound:
        # Refused, since there was no such contract; or of a store that was cut down. A list shows it all the same.
        contract = None
    return ActionRow(
        action=action.id,
        task=action.task,
        agent=action.agent,
        contract=action.contract,
        risk="" if contract is None else contract.risk,
        state=action.state,
        line=line_of(action, contract),
        proposed_at=action.proposed_at,
        initiator=action.initiator,
        reasons=action.reasons,
        deadline=action.deadline,
        withheld=action.withheld,
    )
