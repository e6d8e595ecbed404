"""The whole server over a real workspace in a folder, asked in this process.

async with served(tmp_path) as site:
    rita = site.client_of("rita")
    answer = await rita.get("/v1/approvals")
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
from litestar.connection import ASGIConnection
from litestar.middleware import DefineMiddleware

import interlock
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.serving import front
from interlock.bootstrap.site import definition, read_site, settled
from interlock.domain.access import permissions_of
from interlock.domain.actor import Actor
from interlock.domain.ids import Person
from interlock.domain.people import roles_of
from interlock.services.plane import ControlPlane
from interlock.web.access import TOKEN_HEADER, Access
from interlock.web.front import Front
from interlock.web.limits import Limits
from interlock.web.live import Hub
from interlock.worker import Worker
from tests.workspaces import Place, forget, workspace

ORIGIN = "http://localhost:8600"
SAYS = "x-test-person"
FORM = "a form of a test's"


class UnsafeByHeader(Access):
    """Believes a header: for tests of what comes after somebody was recognised."""

    async def recognise(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor | None:
        """The person in the header, with the roles in force; without one whoever is really signed in."""
        name = connection.headers.get(SAYS)
        if name is None:
            return await super().recognise(connection)
        plane: ControlPlane = connection.app.state.plane
        roles = roles_of(name, (await plane.orders.current()).control)
        session = connection.headers.get("x-test-session", f"of-{name}")
        return Actor(
            person=Person(name),
            roles=roles,
            permissions=permissions_of(roles),
            by="session",
            session=session,
            csrf=FORM,
        )


class Served:
    """A server, its workspace and whoever asks it."""

    def __init__(self, place: Place, plane: ControlPlane, app: Front, hub: Hub, stack: AsyncExitStack) -> None:
        self.place, self.plane, self.app, self.hub = place, plane, app, hub
        self._stack = stack
        self.anonymous = self._client({})

    def client_of(self, person: str) -> httpx.AsyncClient:
        """A browser in which `person` is signed in."""
        return self._client({SAYS: person, "origin": ORIGIN, TOKEN_HEADER: FORM})

    async def propose(
        self, n: int = 500, *, initiator: str = "user:customer", agent: str = "ag", wait_ms: int = 0
    ) -> str:
        """Have an agent of another process propose `box.put`; above 100 it is held. Gives the action's id."""

        arguments: dict[str, Any] = {"n": n} | ({"wait_ms": wait_ms} if wait_ms else {})

        def propose() -> str:
            with (
                interlock.open(self.place.folder) as client,
                client.task(agent=agent, purpose="to be tested", on_behalf_of=initiator) as task,
            ):
                return task.propose("box.put", **arguments).action_id

        return await anyio.to_thread.run_sync(propose)

    async def work(self) -> None:
        """What is due is done."""
        await Worker(self.plane).run(until_idle=True)

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        made = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app, raise_app_exceptions=True), base_url=ORIGIN, headers=headers
        )
        self._stack.push_async_callback(made.aclose)
        return made


@asynccontextmanager
async def served(
    folder: Path,
    *,
    people: str = "",
    settings: str = "",
    files: Iterable[tuple[str, str]] = (),
    apply: bool = True,
    limits: Limits | None = None,
) -> AsyncGenerator[Served]:
    """The server over the workspace of `tests.workspaces`, in force. `people` is another people.yaml, `settings` are further
    lines of interlock.yaml."""
    place = workspace(folder)
    if settings:
        place.write("interlock.yaml", (folder / "interlock.yaml").read_text() + settings)
    if people:
        place.write("people.yaml", people)
    for name, text in files:
        place.write(name, text)
    plane = connect(folder, begin=True)
    try:
        if apply:
            await plane.registry.apply(definition(read_site(folder)), by="test")
        async with AsyncExitStack() as stack:
            hosting = settled(folder).settings.hosting
            hub = Hub(plane, most=hosting.live_most)
            app = front(plane, hosting, hub, access=DefineMiddleware(UnsafeByHeader), limits=limits)
            async with anyio.create_task_group() as group:
                group.start_soon(hub.run)
                yield Served(place, plane, app, hub, stack)
                group.cancel_scope.cancel()
    finally:
        await plane.means.store.close()
        forget(place)
