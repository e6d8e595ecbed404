"""What waits for people's word, the most urgent first."""

from typing import Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import agreed
from interlock.domain.contract import Contract, Risk
from interlock.domain.control import Control
from interlock.domain.entitlement import entitled, handed_to
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.inbox import InboxPage, InboxRow, place_of, place_text, urgency
from interlock.domain.line import line_of
from interlock.ports.store import ActionQuery, Store
from interlock.services.attention import told_of_pace
from interlock.services.orders import Orders, StandingOrders

MOST: Final = 200


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
        """Held actions by deadline; on each page, of those that end in the same minute the riskier first. `mine`: only those
        that `person` may decide on now. `cursor` is `next` of the page before: rows that came or went meanwhile are neither
        repeated nor skipped. At most 200 rows."""
        orders = await self._orders.refresh()
        limit = max(1, min(limit, MOST))
        query = ActionQuery(
            waiting=True,
            contract=contract,
            contracts=() if risk is None else _of_risk(risk, orders),
            agent=agent,
            roles=() if not mine or person is None else tuple(sorted(orders.control.roles(person))),
            after=place_of(cursor),
            limit=limit + 1,
        )
        nothing = (risk is not None and not query.contracts) or (mine and not query.roles)
        rows, more = ([], False) if nothing else await self._rows(query, person, mine, limit, orders)
        return InboxPage(
            rows=tuple(sorted(rows, key=urgency)),
            waiting=await self._store.count(ActionQuery(waiting=True)),
            person=person,
            warning=await told_of_pace(self._store, person, orders.control.routing.attention),
            next=place_text(max((row.deadline, row.action) for row in rows)) if more else "",
        )

    async def _rows(
        self, query: ActionQuery, person: Person | None, mine: bool, limit: int, orders: Orders
    ) -> tuple[list[InboxRow], bool]:
        """Rows for one page, and whether there may be more."""
        rows: list[InboxRow] = []
        while found := await self._store.actions(query):
            for action in found:
                row = row_of(action, await self._orders.contract(action.contract_digest), person, orders.control)
                if mine and not row.mine:
                    continue
                if len(rows) == limit:
                    return rows, True
                rows.append(row)
            last = found[-1]
            if len(found) < query.limit or last.hold is None:
                break
            query = msgspec.structs.replace(query, after=(last.deadline or 0, last.id))
        return rows, False


def _of_risk(risk: Risk, orders: Orders) -> tuple[ContractName, ...]:
    return tuple(name for name, each in orders.contracts.items() if each.risk == risk)


def row_of(action: Action, contract: Contract, person: Person | None, control: Control) -> InboxRow:
    """A held action as `person` has it in the list."""
    asked = action.hold
    reasons = action.decision.reasons if action.decision is not None else ()
    return InboxRow(
        action=action.id,
        contract=action.contract,
        agent=action.agent,
        task=action.task,
        risk=contract.risk,
        line=line_of(action, contract),
        reason=reasons[0] if reasons else "",
        deadline=action.deadline or action.due_at or action.proposed_at,
        overdue=asked is not None and asked.overdue,
        proposed_at=action.proposed_at,
        needs=action.asks,
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
