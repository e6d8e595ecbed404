"""Servers as people look at them. Nothing here reaches one, or changes anything."""

from interlock.domain.errors import NotFound
from interlock.domain.names import instead
from interlock.domain.server_seen import SeenServer, seen_server
from interlock.domain.upstream import Server
from interlock.ports.upstream import Upstreams
from interlock.services.drifts import Drifts
from interlock.services.orders import StandingOrders


class Servers:
    """Reads what is known of them here: by the workspace of this process, the orders in force and what processes saw."""

    def __init__(self, *, upstreams: Upstreams | None, drifts: Drifts, orders: StandingOrders) -> None:
        self._upstreams = upstreams
        self._drifts = drifts
        self._orders = orders

    async def all(self) -> list[SeenServer]:
        """Those that the workspace names, in order."""
        return (
            []
            if self._upstreams is None
            else [await self._seen(each, self._upstreams) for each in self._upstreams.servers()]
        )

    async def get(self, name: str) -> SeenServer:
        """One of them. Raises NotFound."""
        servers = () if self._upstreams is None else self._upstreams.servers()
        found = next((each for each in servers if each.name == name), None)
        if found is None or self._upstreams is None:
            raise NotFound(
                f"the workspace names no server `{name[:64]}`",
                next_step=instead(name, [each.name for each in servers], "see `interlock server list`"),
            )
        return await self._seen(found, self._upstreams)

    async def _seen(self, server: Server, upstreams: Upstreams) -> SeenServer:
        orders = await self._orders.current()
        return seen_server(
            server,
            upstreams.pinned(server.name),
            orders.contracts.values(),
            await self._drifts.of(server.name),
            await self._drifts.sighting(server.name),
        )
