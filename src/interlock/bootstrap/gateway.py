"""The gateway over a workspace: the agent's side of the control plane, and the protocol that agents' clients speak.

One client on this machine needs nothing of what serves many over HTTP: that is in `house`.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec
from mcp.server.subscriptions import InMemorySubscriptionBus

from interlock.bootstrap.connecting import identity_of, lending
from interlock.bootstrap.site import settled
from interlock.domain.errors import WorkspaceError
from interlock.domain.patience import Wish
from interlock.domain.task import Opening
from interlock.embedded import Embedded
from interlock.gateway.alone import serve_alone
from interlock.gateway.beside import BesideTools
from interlock.gateway.calls import Calls
from interlock.gateway.ears import Ears
from interlock.gateway.meant import Meant
from interlock.gateway.news import News
from interlock.gateway.offers import Offers
from interlock.gateway.pending import UnderWay
from interlock.gateway.upstream import Accepted
from interlock.gateway.work import Caller, Means, Work
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.sdk.tool import AnyTool
from interlock.services.plane import ControlPlane


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway is made of, for one client or for many."""

    calls: Calls
    beside: BesideTools
    news: News
    meant: Meant
    means: Means
    plane: ControlPlane
    version: str


@asynccontextmanager
async def gateway(folder: Path, wish: Wish) -> AsyncGenerator[Gateway]:
    """The gateway of the workspace in `folder`, as one more program of its agents. Raises WorkspaceError, KeyFileError and
    StoreErrors."""
    patience = settled(folder).settings.patience.asked(*wish)
    plane, lend = lending(folder)
    home, upstreams = Home(), plane.means.upstreams
    try:
        if upstreams is None:
            raise WorkspaceError("servers cannot be reached from here", next_step="open the gateway on a folder")
        bus = InMemorySubscriptionBus()
        under_way = UnderWay(plane.withdrawing)
        means = Means(
            connection=Connection(Embedded(plane), home, _none_here, identity_of(plane), lend),
            orders=plane.orders,
            store=plane.means.store,
            clock=plane.means.clock,
            upstreams=upstreams,
            ears=lambda work: Ears(work, bus, patience.wait_ms),
        )
        offers = Offers(plane.orders, plane.means.clock, Accepted(upstreams))
        news = News(offers, plane.means.store, bus)
        yield Gateway(
            calls=Calls(offers, patience, news, under_way, plane.means.public_url),
            beside=BesideTools(upstreams, offers, under_way, patience.wait_ms),
            news=news,
            meant=Meant(offers, upstreams),
            means=means,
            plane=plane,
            version=version("interlock"),
        )
    finally:
        home.stop()
        await plane.close()


async def serve_one(folder: Path, opening: Opening, wish: Wish) -> None:
    """Serve one client over standard input and output, in tasks that are begun with `opening`, until it goes."""
    async with gateway(folder, wish) as found:
        work = Work(Caller(agent=opening.agent, opening=lambda: opening), found.means)
        await serve_alone(found.calls, found.beside, found.news, work, found.version)


def _none_here(tool: AnyTool) -> None:
    """A gateway has no tools of its own process."""
    del tool
