"""One process that answers people and programs, and works: API, console and worker over one control plane."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
from litestar.middleware import DefineMiddleware
from litestar.types import ControllerRouterHandler

from interlock.api.app import ROUTES as OF_THE_API
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.doctoring import examined
from interlock.bootstrap.site import hosting_for
from interlock.console.app import ROUTES as OF_THE_CONSOLE
from interlock.console.problem import problem_page
from interlock.domain.hosting import Hosting
from interlock.domain.ids import Person
from interlock.embedded import Outside
from interlock.services.doctor import Examine
from interlock.services.plane import ControlPlane
from interlock.services.welcoming import Welcome
from interlock.web.app import application
from interlock.web.front import Front
from interlock.web.health import ROUTES as OF_HEALTH
from interlock.web.limits import Limits
from interlock.web.live import ROUTES as OF_NEWS
from interlock.web.live import Hub
from interlock.web.metrics import ROUTES as OF_METRICS
from interlock.web.metrics import Meters
from interlock.worker import Worker

ALL: tuple[ControllerRouterHandler, ...] = (*OF_HEALTH, *OF_METRICS, *OF_NEWS, *OF_THE_API, *OF_THE_CONSOLE)


@asynccontextmanager
async def serving(
    folder: Path, *, host: str, work: bool, person: Person | None, welcome: Callable[[Welcome], None]
) -> AsyncGenerator[Front]:
    """The application of the workspace in `folder` and, with `work`, its worker for as long as that is used.

    `welcome` hears who may sign in by which link, see `Welcoming`: `person`, or whoever has no other way in.
    Raises WorkspaceError where others could reach `host` and the workspace does not say who ends TLS in front of it.
    """
    hosting = hosting_for(folder, host)
    plane = connect(folder)
    try:
        welcome(await plane.welcoming.welcome(person, by="interlock.serve"))
        async with anyio.create_task_group() as group:
            worker, over = Worker(plane), anyio.Event()

            async def working() -> None:
                if work:
                    await worker.run()
                over.set()

            group.start_soon(working)
            hub = Hub(plane, most=hosting.live_most)
            group.start_soon(hub.run)
            group.start_soon(plane.warming.run)
            app = front(plane, hosting, hub, examine=partial(examined, folder, plane))

            def end() -> None:
                hub.end()
                worker.end()

            app.end, app.finish = end, over.wait
            yield app
            # What is being driven still is let go of: its lease runs out, and another goes on with it.
            group.cancel_scope.cancel()
    finally:
        await plane.close()


def front(
    plane: ControlPlane,
    hosting: Hosting,
    hub: Hub,
    *,
    access: DefineMiddleware | None = None,
    examine: Examine | None = None,
    limits: Limits | None = None,
) -> Front:
    """All of it over `plane`. `access` says who asks, in place of what does so; `examine` has the installation looked at."""
    meters = Meters()
    app = application(
        plane,
        Outside(plane),
        hub,
        ALL,
        hosting=hosting,
        access=access,
        page=problem_page,
        examine=examine,
        limits=Limits(per_s=hosting.rate) if limits is None else limits,
        meters=meters,
    )
    return Front(app, hosting, end=hub.end, answered=meters.answered)
