"""The gateway over a workspace: the agent's side of the control plane, and the protocol that agents' clients speak."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec

from interlock.bootstrap.connecting import connect, identity_of
from interlock.domain.patience import Patience
from interlock.embedded import Embedded
from interlock.gateway.alone import serve_alone
from interlock.gateway.calls import Calls
from interlock.gateway.news import News
from interlock.gateway.offers import Offers
from interlock.gateway.work import Caller, Means, Work
from interlock.sdk.connection import AnyTool, Connection
from interlock.sdk.home import Home


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway is made of, for one client or for many."""

    calls: Calls
    news: News
    means: Means
    version: str


@asynccontextmanager
async def gateway(folder: Path, patience: Patience) -> AsyncGenerator[Gateway]:
    """The gateway of the workspace in `folder`, as one more program of its agents. Raises WorkspaceError, KeyFileError and
    StoreErrors."""
    plane = connect(folder)
    home = Home()
    try:
        means = Means(
            connection=Connection(Embedded(plane), home, _none_here, identity_of(plane)),
            orders=plane.orders,
            store=plane.means.store,
            clock=plane.means.clock,
        )
        offers = Offers(plane.orders, plane.means.clock)
        news = News(offers, plane.means.store)
        yield Gateway(calls=Calls(offers, patience, news), news=news, means=means, version=version("interlock"))
    finally:
        home.stop()
        await plane.close()


async def serve_one(folder: Path, caller: Caller, patience: Patience) -> None:
    """Serve one client over standard input and output, as `caller`, until it goes."""
    async with gateway(folder, patience) as found:
        await serve_alone(found.calls, found.news, Work(caller, found.means), found.version)


def _none_here(tool: AnyTool) -> None:
    """A gateway has no tools of its own process."""
    del tool
