"""A server over a real workspace on a socket of this machine, in a thread of its own, and programs that reach it by HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import interlock
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.serving import front
from interlock.bootstrap.site import definition, read_site, settled
from interlock.domain.ids import AgentName, Person
from interlock.services.plane import ControlPlane
from interlock.web.live import Hub
from interlock.worker import Worker
from tests.remote.road import Road
from tests.workspaces import Place, forget, workspace

T = TypeVar("T")
IDENTITY = "identity: {attest: [local, bootstrap]}\n"
SERVER = "server: {rate: 100000}\n"
SETTINGS = IDENTITY + SERVER
serving: Any = import_module("interlock.api.serving")


class Reached:
    """A server, and the road to it."""

    def __init__(self, place: Place, plane: ControlPlane) -> None:
        self.place, self.plane = place, plane
        self.loop = asyncio.new_event_loop()
        self.address = ""
        """At the end of the road."""
        self.road = Road(0)
        self._begun = threading.Event()
        self._ending = asyncio.Event()

    def there(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it where the server is."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def secret(self, agent: str = "ag") -> str:
        """What a program of `agent` is recognised by, once."""
        return self.there(self.plane.inviting.offer(AgentName(agent), by=Person("rita")))[0]

    def open(self, agent: str = "ag", **more: Any) -> interlock.Client:
        """A program's client."""
        return interlock.open(self.address, attest="bootstrap", evidence=self.secret(agent), **more)

    def work(self) -> None:
        """What is due is done."""
        self.there(_worked(self.plane))

    def person(self, said: Callable[[interlock.Desk], T]) -> T:
        """What rita says, where the workspace is."""
        with interlock.open(self.place.folder) as client:
            return said(client.person("rita"))

    def run(self) -> None:
        """Serve until told to end, in this thread."""
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._served())

    def wait(self) -> None:
        """Until it answers."""
        assert self._begun.wait(20)

    def end(self) -> None:
        """No more of it."""
        self.loop.call_soon_threadsafe(self._ending.set)

    async def _served(self) -> None:
        hosting = settled(self.place.folder).settings.hosting
        hub = Hub(self.plane, most=hosting.live_most)
        app = front(self.plane, hosting, hub)
        found: asyncio.Future[str] = self.loop.create_future()
        news = asyncio.ensure_future(hub.run())
        server = asyncio.ensure_future(serving.serve(app, "127.0.0.1", 0, found.set_result, ending=app.end))
        self.road.to = int((await found).rstrip("/").rpartition(":")[2])
        self.address = f"http://127.0.0.1:{await self.road.open()}"
        self._begun.set()
        await self._ending.wait()
        self.road.close()
        await _over(server, news)
        await self.plane.close()
        await _over(*(asyncio.all_tasks() - {asyncio.current_task()}))


async def _over(*tasks: Awaitable[Any]) -> None:
    for each in tasks:
        asyncio.ensure_future(each).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _worked(plane: ControlPlane) -> None:
    await Worker(plane).run(until_idle=True)


@contextmanager
def reached(
    folder: Path, *, identity: str = IDENTITY, margin: str = "1s", files: tuple[tuple[str, str], ...] = ()
) -> Iterator[Reached]:
    """The server over the workspace of `tests.workspaces`, in force."""
    place = workspace(folder)
    said = (folder / "interlock.yaml").read_text().replace("lease_margin: 1s", f"lease_margin: {margin}")
    place.write("interlock.yaml", said + identity + SERVER)
    for name, text in files:
        place.write(name, text)
    plane = connect(folder, begin=True)
    asyncio.run(plane.registry.apply(definition(read_site(folder)), by="test"))
    site = Reached(place, plane)
    thread = threading.Thread(target=site.run, name="server", daemon=True)
    thread.start()
    site.wait()
    try:
        yield site
    finally:
        site.end()
        thread.join(20)
        site.loop.close()
        forget(place)
