"""Going through what people decided, newest first."""

from collections.abc import AsyncIterator
from typing import Final

import anyio.lowlevel

from interlock.domain.correction import Correction, correction_of, teaches
from interlock.domain.ids import ActionId, AgentName, ContractName
from interlock.ports.store import ActionQuery, Store
from interlock.services.orders import StandingOrders

PAGE: Final = 500


class Correcting:
    """Reads; writes nothing."""

    def __init__(self, *, store: Store, orders: StandingOrders) -> None:
        self._store = store
        self._orders = orders

    async def corrections(
        self,
        *,
        since_at: int = 0,
        contract: ContractName | None = None,
        agent: AgentName | None = None,
        every: bool = False,
    ) -> AsyncIterator[Correction]:
        """What people decided on, of what was proposed at `since_at` (UTC ms) or later: what teaches something, or with `every`
        all of it. Nothing that was erased. Reads every action since then."""
        before: ActionId | None = None
        while True:
            query = ActionQuery(contract=contract, agent=agent, before=before, undos=False, limit=PAGE)
            page = await self._store.actions(query)
            for action in page:
                if action.proposed_at < since_at:
                    continue
                known = None if action.withheld else await self._orders.contract(action.contract_digest)
                found = None if known is None else correction_of(action, known)
                if found is not None and (every or teaches(found)):
                    yield found
            if len(page) < PAGE or page[-1].proposed_at < since_at:
                return
            before = page[-1].id
            await anyio.lowlevel.checkpoint()
