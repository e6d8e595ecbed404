"""What waits for people's word, the most urgent first."""

from typing import Final

from interlock.domain.action import Action
from interlock.domain.approval import agreed, open_requirements
from interlock.domain.contract import Contract, Risk
from interlock.domain.control import Control
from interlock.domain.entitlement import entitled, handed_to
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.ids import ActionId, AgentName, ContractName, Person
from interlock.domain.inbox import InboxPage, InboxRow, urgency
from interlock.ports.store import ActionQuery, Store
from interlock.services.dossiers import line_of
from interlock.services.orders import StandingOrders

MOST: Final = 200
_READ: Final = 500


class Inbox:
    """Reads held actions; writes nothing."""

    def __init__(self, *, store: Store, orders: StandingOrders) -> None:
        self._store = store
        self._orders = orders

    async def page(
        self,
        *,
        person: Person | None = None,
        mine: bool = False,
        risk: Risk | None = None,
        contract: ContractName | None = None,
        agent: AgentName | None = None,
        cursor: str = "",
        limit: int = 50,
    ) -> InboxPage:
        """Held actions by deadline, then risk, then age. `mine`: only those `person` may decide on now. `cursor` is `next` of
        the page before; rows that came or went meanwhile are neither repeated nor skipped. At most 200 rows."""
        after = _place(cursor)
        query = ActionQuery(states=("held",), contract=contract, agent=agent)
        control = (await self._orders.refresh()).control
        rows: list[InboxRow] = []
        for action in await self._held(query):
            known = await self._orders.contract(action.contract_digest)
            row = row_of(action, known, person, control)
            if (
                (risk is None or row.risk == risk)
                and (not mine or row.mine)
                and (after is None or urgency(row) > after)
            ):
                rows.append(row)
        rows.sort(key=urgency)
        limit = max(1, min(limit, MOST))
        shown = tuple(rows[:limit])
        return InboxPage(
            rows=shown,
            waiting=await self._store.count(ActionQuery(states=("held",))),
            person=person,
            next=_cursor(shown[-1]) if len(rows) > limit else "",
        )

    async def _held(self, query: ActionQuery) -> list[Action]:
        found: list[Action] = []
        before: ActionId | None = None
        while True:
            page = await self._store.actions(
                ActionQuery(states=query.states, contract=query.contract, agent=query.agent, before=before, limit=_READ)
            )
            found += page
            if len(page) < _READ:
                return found
            before = page[-1].id


def row_of(action: Action, contract: Contract, person: Person | None, control: Control) -> InboxRow:
    """A held action as `person` has it in the list."""
    asked = action.hold
    missing = open_requirements(asked, initiator=action.initiator) if asked is not None else ()
    reasons = action.decision.reasons if action.decision is not None else ()
    return InboxRow(
        action=action.id,
        contract=action.contract,
        agent=action.agent,
        task=action.task,
        risk=contract.risk,
        line=line_of(action, contract),
        reason=reasons[0] if reasons else "",
        deadline=asked.expires_at if asked is not None else action.due_at or action.proposed_at,
        proposed_at=action.proposed_at,
        needs=tuple(sorted({need.role for need in missing})),
        agreed=sum(agreed(asked, need, initiator=action.initiator) for need in asked.requirements) if asked else 0,
        wanted=sum(need.quorum for need in asked.requirements) if asked else 0,
        mine=_is_mine(action, person, control),
        handed=asked is not None and person is not None and handed_to(asked, person),
        initiator=action.initiator,
        withheld=action.withheld,
    )


def _is_mine(action: Action, person: Person | None, control: Control) -> bool:
    if person is None or action.hold is None or action.withheld:
        return False
    try:
        entitled(action, action.hold, person, control)
    except NotAllowed:
        return False
    return True


def _cursor(row: InboxRow) -> str:
    deadline, risk, action = urgency(row)
    return f"{deadline}.{-risk}.{action}"


def _place(cursor: str) -> tuple[int, int, str] | None:
    if not cursor:
        return None
    deadline, _, rest = cursor.partition(".")
    risk, _, action = rest.partition(".")
    if not (deadline.isascii() and deadline.isdigit() and risk in ("0", "1", "2", "3") and action) or len(cursor) > 100:
        raise ContractError("this is no cursor of a list", path="/cursor", next_step="begin without one")
    return int(deadline), -int(risk), action
