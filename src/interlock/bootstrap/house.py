"""All that is spoken to with tokens over HTTP: the gateway for many clients, and models beside it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from interlock.bootstrap.gateway import gateway
from interlock.bootstrap.relaying import relay
from interlock.bootstrap.site import hosting_for
from interlock.domain.access_token import WELL_KNOWN
from interlock.domain.patience import Wish
from interlock.gateway.alone import GRACE_S
from interlock.gateway.entrance import PATH, Entrance, work_in_room
from interlock.gateway.events import Shelves
from interlock.gateway.house import House
from interlock.gateway.rooms import Rooms
from interlock.gateway.server import server_of
from interlock.relay.app import BELOW
from interlock.web.bearing import Metadata


@asynccontextmanager
async def house(folder: Path, wish: Wish, host: str) -> AsyncGenerator[House]:
    """Everything that is spoken to with tokens over HTTP, for as long as it is used.

    Raises WorkspaceError where others could reach `host` and the workspace does not say who ends TLS in front of it.
    """
    hosting = hosting_for(folder, host, gateway=True)
    async with gateway(folder, wish) as found:
        shelves = Shelves()
        rooms = Rooms(found.means, shelves)
        server = server_of(found.calls, found.beside, found.news, work_in_room, found.version)
        mcp = Entrance(server, found.plane.bearing, hosting, rooms, shelves, found.meant)
        models = relay(folder, found.plane, found.means.connection)
        whose = Metadata(found.plane.bearing.resource)

        def end() -> None:
            found.calls.end()
            mcp.end()

        async def finish() -> None:
            await found.calls.finish(GRACE_S)
            await rooms.close()
            await models.close()

        try:
            async with anyio.create_task_group() as group:
                group.start_soon(found.news.run)
                await group.start(mcp.run)
                yield House(
                    {PATH: mcp, BELOW: models, WELL_KNOWN: whose, f"{WELL_KNOWN}/*": whose}, end=end, finish=finish
                )
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await finish()
