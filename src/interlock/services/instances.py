"""Which running instances there are, as far as anybody here can know: those that were recognised from outside are kept, of
local ones the actions of late tell."""

from typing import Final

import msgspec

from interlock.domain.ids import AgentName
from interlock.domain.instance import Instance
from interlock.ports.store import ActionQuery, Store
from interlock.services.orders import StandingOrders

LOOKED_AT: Final = 1_000
"""So many of the last actions are looked at."""
MOST: Final = 10_000


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One instance, as one agent."""

    instance: str
    agent: AgentName
    attested: str
    credential: str
    """The `jti` of the last that is known."""
    enrolled_at: int | None = None
    """When it was let in; None of a local one."""
    expires_at: int | None = None
    """Until when its last credential counts; None of a local one."""
    acted_at: int | None = None
    """When it last proposed something, among the last actions."""
    actions: int = 0
    """How many of those are its."""
    stopped: bool = False
    """Whether a brake is on it: `interlock stop instance:...`."""


class Instances:
    """Tells of instances."""

    def __init__(self, store: Store, orders: StandingOrders) -> None:
        self._store = store
        self._orders = orders

    async def seen(self) -> list[Seen]:
        """Each instance as each agent, the one that acted or came last first."""
        control = (await self._orders.refresh()).control
        stopped = {each.name for each in control.stops if each.scope == "instance"}
        found: dict[tuple[str, AgentName], Seen] = {}
        for made in await self._store.all(Instance, limit=MOST):
            found[made.instance, made.agent] = Seen(
                instance=made.instance,
                agent=made.agent,
                attested=made.attested,
                credential=made.credential,
                enrolled_at=made.enrolled_at,
                expires_at=made.expires_at,
            )
        for action in reversed(await self._store.actions(ActionQuery(limit=LOOKED_AT))):
            caller = action.caller
            if caller is None:
                continue
            place = (caller.instance, action.agent)
            known = found.get(place) or Seen(
                instance=caller.instance, agent=action.agent, attested=caller.attested, credential=caller.credential
            )
            found[place] = msgspec.structs.replace(
                known, credential=caller.credential, acted_at=action.proposed_at, actions=known.actions + 1
            )
        told = [msgspec.structs.replace(each, stopped=each.instance in stopped) for each in found.values()]
        return sorted(told, key=lambda each: max(each.acted_at or 0, each.enrolled_at or 0), reverse=True)
