"""Which contracts a caller is offered: those in force that its agent and its task may use now, under names that clients take."""

from collections.abc import Mapping

import msgspec

from interlock.domain.contract import Contract, InProcess
from interlock.domain.control import REFUSES
from interlock.domain.ids import ContractName
from interlock.domain.task import Task
from interlock.domain.tool_name import tool_name
from interlock.gateway.upstream import Accepted
from interlock.ports.clock import Clock
from interlock.services.orders import Orders, StandingOrders


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What there is for one task."""

    tools: Mapping[str, Contract]
    """By the name under which a client knows it, in the order of names."""


class Offers:
    """Reads the standing orders for callers. It decides nothing: what is not offered is refused by the gate all the same."""

    def __init__(self, orders: StandingOrders, clock: Clock, accepted: Accepted) -> None:
        self._orders = orders
        self._clock = clock
        self.accepted = accepted
        self._names: dict[ContractName, str] = {}
        self._named: tuple[Orders | None, dict[str, ContractName]] = (None, {})

    async def now(self) -> Orders:
        """The orders, as they are."""
        return await self._orders.refresh()

    async def contract_of(self, name: str) -> ContractName | None:
        """The contract in force that a client means by `name`, offered or not."""
        orders = await self.now()
        if self._named[0] is not orders:
            self._named = (orders, {self._name(each): each for each in orders.contracts})
        return self._named[1].get(name)

    async def of(self, task: Task) -> Offered:
        """The tools for `task`: what it may use, without what only some process can run, and without those of servers that say
        something else of them now than what was accepted."""
        usable = (await self.usable(task)).values()
        drifted = await self.accepted.drifted(usable, task.id)
        tools = {
            self._name(each.name): each
            for each in usable
            if not isinstance(each.target, InProcess) and each.name not in drifted
        }
        return Offered(tools=dict(sorted(tools.items())))

    async def usable(self, task: Task) -> dict[ContractName, Contract]:
        """What `task` may use: capabilities of its agent, in force at its release, given to it and not prohibited, of whose use
        no brake and no revocation takes everything."""
        orders, now = await self.now(), self._clock.now()
        agent = orders.agents.get(task.agent)
        found: dict[ContractName, Contract] = {}
        if agent is None or orders.control.state_of(task.agent) != "active":
            return found
        if await self._orders.revoked(orders, task) is not None:
            return found
        release = await self._orders.release(task.release)
        acting = await self._orders.acting(orders, task, None)
        for contract in (orders.contracts.get(name) for name in agent.capabilities):
            if (
                contract is None
                or contract.name not in release.contracts
                or task.refusal(contract.name, now) is not None
                or (task.tools is not None and contract.name not in task.tools.tools)
            ):
                continue
            using = msgspec.structs.replace(acting, contract=contract.name) if orders.control.stops else acting
            if orders.control.stopped(using, now, modes=REFUSES) is None:
                found[contract.name] = contract
        return found

    def _name(self, contract: ContractName) -> str:
        known = self._names.get(contract)
        if known is None:
            known = self._names[contract] = tool_name(contract)
        return known
