"""News for open pages: what changed, never what it changed to. A page that hears of it asks again, as anybody may.

One task waits on the store for all. A client holds no queue but the set of its topics that changed and were not told yet, so
that a reader who is slow, or does not read at all, costs no more memory than one who does. Whether somebody may still hear is
asked again whenever what people may do could have changed, and at each heartbeat: a stream outlives no session for long.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

import anyio
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, SkipValidation
from litestar.response import Stream

from interlock.domain.errors import StoreError
from interlock.domain.evidence import Entry
from interlock.domain.refusals import BadRequest, Crowded
from interlock.ports.log import Log
from interlock.services.plane import ControlPlane
from interlock.services.showing import unverified
from interlock.web.parts import Asked, Who

TOPICS: Final = frozenset({"approvals", "actions", "tasks", "brakes", "policies", "servers", "figures"})
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
AGAIN_S: Final = 2.0
"""At most so often a stream asks again who reads it, where nobody can tell whether anything about that changed."""
FEW: Final = 256
"""So many entries are looked at; after more of them, everything may have changed."""

_DECISIVE: Final = frozenset(
    {"decided", "approved", "rejected", "modified", "expired", "voided", "outcome", "settled", "compensation"}
)
"""After which the list of what waits for people may be another one."""
_ABOUT_WORK: Final = frozenset(
    {
        "opened",
        "closed",
        "stopped",
        "resumed",
        "drill",
        "offered",
        "signed_in",
        "anchored",
        "settled",
        "drifted",
        "pinned",
    }
)
"""Of what is no action: after these everybody may do what they might before."""
_BY_PHASE: Final = {
    "opened": "tasks",
    "closed": "tasks",
    "stopped": "brakes",
    "resumed": "brakes",
    "drill": "brakes",
    "drifted": "servers",
    "pinned": "servers",
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


class Changed(NamedTuple):
    """What did, from one moment to another."""

    topics: set[str] | None
    """None: anything may have."""
    people: bool = False
    """Whether something did that may have changed what people may do."""


class Client:
    """One open page."""

    def __init__(self, session: str, topics: frozenset[str]) -> None:
        self.session = session
        self.topics = topics
        self.dirty: set[str] = set()
        """What it was not told yet; never more than its topics."""
        self.news = anyio.Event()
        self.doubted = False
        """Whether what its reader may do could have changed since that was asked last."""
        self.known_at = anyio.current_time()
        """When that was."""

    def touch(self, topics: Iterable[str] | None) -> None:
        """These changed; None: anything may have."""
        changed = self.topics if topics is None else self.topics.intersection(topics)
        if changed:
            self.dirty |= changed
            self.news.set()

    def doubt(self, *, surely: bool) -> None:
        """What people may do was changed or, unless `surely`, may have been."""
        if surely or anyio.current_time() - self.known_at >= AGAIN_S:
            self.doubted = True
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
                before, self.size = self.size, await log_size(self._log)
                # Where no page is open nobody asks what it was.
                changed = await self.between(before, self.size) if self._clients else Changed(set())
                self.tell(changed.topics, people=changed.people)
            except StoreError:
                # A store that does not answer is said where it is asked; the pages go on waiting.
                await anyio.sleep(1)
            # However fast others write, pages are not told more often than they can be drawn.
            await anyio.sleep(APART_S / 2)

    def tell(self, topics: Iterable[str] | None, *, people: bool = False) -> None:
        """These changed; None: anything may have. `people`: so has what people may do."""
        for client in self._clients:
            if people or topics is None:
                client.doubt(surely=people)
            client.touch(topics)

    async def between(self, before: int, size: int) -> Changed:
        """What changed from one size of the log to another."""
        if before == size:
            return Changed(set())
        if not 0 < before < size or size - before > FEW:
            return Changed(None)
        topics, people = set[str](), False
        for entry in await self._log.entries(before, size):
            topics |= topics_of(entry)
            people |= entry.action is None and entry.phase not in _ABOUT_WORK
        return Changed(topics, people)

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

    async def stream(
        self, session: str, topics: frozenset[str], since: int | None, *, still: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[bytes]:
        """What an open page is told, as server-sent events, for as long as its reader is `still` to hear it. It is one only from
        the first of them on: of a reader who is gone before that, nothing is left."""
        client = self.join(session, topics)
        try:
            size = self.size or await log_size(self._log)
            if since is not None:
                client.touch((await self.between(since, size)).topics)
            yield f"retry: 2000\nid: {size}\nevent: open\ndata:\n\n".encode()
            until = anyio.current_time() + LIFE_S
            while not self._ended and anyio.current_time() < until:
                with anyio.move_on_after(HEARTBEAT_S) as waited:
                    await client.news.wait()
                if (client.doubted or waited.cancelled_caught) and not await _sure(client, still):
                    return
                changed = client.take()
                if changed:
                    yield f"id: {self.size}\nevent: changed\ndata: {','.join(changed)}\n\n".encode()
                    await anyio.sleep(APART_S)
                elif not self._ended:
                    yield b": \n\n"
        finally:
            self.leave(client)


async def _sure(client: Client, still: Callable[[], Awaitable[bool]]) -> bool:
    """Ask again. A store that does not answer lets nobody hear more."""
    client.doubted, client.known_at = False, anyio.current_time()
    try:
        return await still()
    except StoreError:
        return False


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

    async def still() -> bool:
        found = await request.auth()
        return found is not None and found.session == actor.session and found.may("see")

    return Stream(
        hub.stream(actor.session, asked, since, still=still),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


ROUTES: list[HTTPRouteHandler] = [live]
