"""News for open pages: what changed, never what it changed to. A page that hears of it asks again, as anybody may.

One task waits on the store for all. A client holds no queue but the set of its topics that changed and were not told yet, so
that a reader who is slow, or does not read at all, costs no more memory than one who does.
"""

from collections.abc import AsyncGenerator, Iterable
from typing import Final, TypeAlias

import anyio
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, SkipValidation
from litestar.response import Stream

from interlock.domain.errors import StoreError
from interlock.domain.evidence import Entry
from interlock.ports.log import Log
from interlock.services.plane import ControlPlane
from interlock.services.showing import unverified
from interlock.web.parts import Asked, Who
from interlock.web.problems import BadRequest, Crowded

TOPICS: Final = frozenset({"approvals", "actions", "tasks", "brakes", "policies", "figures"})
OF_ONE: Final = "action:"
"""The topic of one action begins so; its id follows."""

WAIT_MS: Final = 5_000
"""How long one wait for news lasts at most."""
APART_S: Final = 0.5
"""How long a client hears nothing after it was told something: what happens meanwhile is told at once then."""
HEARTBEAT_S: Final = 15.0
LIFE_S: Final = 600.0
"""After which a stream ends; the page opens another, and is asked again who it is."""
MOST_TOPICS: Final = 16
MOST_EACH: Final = 16
"""Streams of one session."""
FEW: Final = 256
"""So many entries are looked at; after more of them, everything may have changed."""

_DECISIVE: Final = frozenset(
    {"decided", "approved", "rejected", "modified", "expired", "voided", "outcome", "settled", "compensation"}
)
"""After which the list of what waits for people may be another one."""
_BY_PHASE: Final = {
    "opened": "tasks",
    "closed": "tasks",
    "stopped": "brakes",
    "resumed": "brakes",
    "drill": "brakes",
    "proposed": "policies",
    "accepted": "policies",
    "published": "policies",
    "withdrawn": "policies",
    "superseded": "policies",
    "applied": "policies",
}


def topics_of(entry: Entry) -> set[str]:
    """What may look different once `entry` was recorded."""
    if entry.action is None:
        # Any other act of people may change what others may do: rare, and cheap to look at again.
        return {_BY_PHASE.get(entry.phase, "approvals"), "figures"}
    found = {"actions", OF_ONE + entry.action, "figures"}
    return found | {"approvals"} if entry.phase in _DECISIVE else found


class Client:
    """One open page."""

    def __init__(self, session: str, topics: frozenset[str]) -> None:
        self.session = session
        self.topics = topics
        self.dirty: set[str] = set()
        """What it was not told yet; never more than its topics."""
        self.news = anyio.Event()

    def touch(self, topics: Iterable[str] | None) -> None:
        """These changed; None: anything may have."""
        changed = self.topics if topics is None else self.topics.intersection(topics)
        if changed:
            self.dirty |= changed
            self.news.set()

    def take(self) -> list[str]:
        """What changed, which from now on it knows."""
        taken, self.dirty = sorted(self.dirty), set()
        self.news = anyio.Event()
        return taken


class Hub:
    """All open pages, and the one who waits for them."""

    def __init__(self, plane: ControlPlane, *, most: int) -> None:
        self._store, self._log = plane.means.store, plane.means.log
        self._most = most
        self._clients: dict[Client, None] = {}
        self._ended = False
        self.size = 0
        """How many entries the log had when it was last looked at."""

    def __len__(self) -> int:
        return len(self._clients)

    async def run(self) -> None:
        """Wait for news and pass them on, until cancelled."""
        while True:
            try:
                self.size = self.size or await log_size(self._log)
                await self._store.changed(timeout_ms=WAIT_MS)
                self.tell(await self._changed())
            except StoreError:
                # A store that does not answer is said where it is asked; the pages go on waiting.
                await anyio.sleep(1)
            # However fast others write, pages are not told more often than they can be drawn.
            await anyio.sleep(APART_S / 2)

    def tell(self, topics: Iterable[str] | None) -> None:
        """These changed; None: anything may have."""
        for client in self._clients:
            client.touch(topics)

    async def _changed(self) -> set[str] | None:
        size, before = await log_size(self._log), self.size
        self.size = size
        # Where no page is open nobody asks what it was.
        return await self.between(before, size) if self._clients else set()

    async def between(self, before: int, size: int) -> set[str] | None:
        """What changed from one size of the log to another; None: anything may have."""
        if before == size:
            return set()
        if not 0 < before < size or size - before > FEW:
            return None
        found: set[str] = set()
        for entry in await self._log.entries(before, size):
            found |= topics_of(entry)
        return found

    def must_have_room(self, session: str) -> None:
        """Raises Crowded where there are too many open pages."""
        if self._ended or len(self._clients) >= self._most:
            raise Crowded("too many pages are open at once")
        if sum(each.session == session for each in self._clients) >= MOST_EACH:
            raise Crowded("you have too many pages open at once")

    def join(self, session: str, topics: frozenset[str]) -> Client:
        """One more open page. Raises Crowded."""
        self.must_have_room(session)
        client = Client(session, topics)
        self._clients[client] = None
        return client

    def leave(self, client: Client) -> None:
        """It was closed."""
        self._clients.pop(client, None)

    def end(self) -> None:
        """The server is about to end: every stream ends, and none begins."""
        self._ended = True
        for client in self._clients:
            client.news.set()

    async def stream(self, session: str, topics: frozenset[str], since: int | None) -> AsyncGenerator[bytes]:
        """What an open page is told, as server-sent events. It is one only from the first of them on: of a reader who is gone
        before that, nothing is left."""
        client = self.join(session, topics)
        try:
            size = self.size or await log_size(self._log)
            if since is not None:
                client.touch(await self.between(since, size))
            yield f"retry: 2000\nid: {size}\nevent: open\ndata:\n\n".encode()
            until = anyio.current_time() + LIFE_S
            while not self._ended and anyio.current_time() < until:
                with anyio.move_on_after(HEARTBEAT_S):
                    await client.news.wait()
                changed = client.take()
                if changed:
                    yield f"id: {self.size}\nevent: changed\ndata: {','.join(changed)}\n\n".encode()
                    await anyio.sleep(APART_S)
                elif not self._ended:
                    yield b": \n\n"
        finally:
            self.leave(client)


async def log_size(log: Log) -> int:
    """How many entries the log has."""
    note = await log.head()
    return 0 if note is None else unverified(note).size


def wanted(words: str) -> frozenset[str]:
    """The topics that a page asks for. Raises BadRequest."""
    asked = frozenset(words.split(",")) if words else TOPICS
    for each in asked:
        name = each.removeprefix(OF_ONE)
        one = each.startswith(OF_ONE) and len(name) <= 64 and name.isascii() and name.replace("-", "").isalnum()
        if each not in TOPICS and not one:
            raise BadRequest(
                "there is no such topic", next_step=f"there are {', '.join(sorted(TOPICS))}, and action:ID"
            )
    if len(asked) > MOST_TOPICS:
        raise BadRequest(f"a page hears of at most {MOST_TOPICS} topics")
    return asked


News: TypeAlias = NamedDependency[SkipValidation[Hub]]
"""The parameter `hub`."""


async def hub_of(request: Asked) -> Hub:
    """Those who wait for news here."""
    hub: Hub = request.app.state.hub
    return hub


@get("/live", opt={"needs": "see"}, include_in_schema=False)
async def live(request: Asked, actor: Who, hub: News, topics: FromQuery[str] = "") -> Stream:
    """A stream of what changed: `event: changed`, `data: approvals,action:ID`, `id:` how many entries the log had."""
    last = request.headers.get("last-event-id", "")
    since = int(last) if last.isdecimal() and len(last) < 16 else None
    asked = wanted(topics)
    hub.must_have_room(actor.session)
    return Stream(
        hub.stream(actor.session, asked, since),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


ROUTES: list[HTTPRouteHandler] = [live]
