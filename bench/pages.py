"""Pages over very many actions: server time of inbox, list, story and overview, votes a second, memory under load.

INTERLOCK_BENCH_ACTIONS (100,000) and INTERLOCK_BENCH_WAITING (10,000) say how many; INTERLOCK_BENCH_FOLDER keeps what was
filled for the next time; INTERLOCK_BENCH_LOAD_S (10) says how long pages are asked for, to see what memory does.
"""

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import apsw
import httpx

from bench.crowded import VOTERS, Crowd, lay_out
from bench.measure import percentile, show
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.serving import front
from interlock.bootstrap.site import hosting_for, settled
from interlock.domain.action import Action
from interlock.domain.card import Question, Word
from interlock.domain.duration import DAY
from interlock.domain.ids import ActionId, Person
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane
from interlock.web.live import Hub

ACTIONS: Final = int(os.environ.get("INTERLOCK_BENCH_ACTIONS", "100000"))
WAITING: Final = int(os.environ.get("INTERLOCK_BENCH_WAITING", "10000"))
LOAD_S: Final = float(os.environ.get("INTERLOCK_BENCH_LOAD_S", "10"))
TIMES: Final = 100
VOTES: Final = 400
BOUND_MS: Final = 100
FILLED: Final = "filled"
Work = Callable[[int], Awaitable[object]]


async def run() -> None:
    """Fill, or open what was filled; ask; print."""
    kept = os.environ.get("INTERLOCK_BENCH_FOLDER", "")
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        folder = Path(kept or made)
        if _begun(folder):
            crowd = Crowd(folder)
            began = time.perf_counter()
            await crowd.fill(actions=ACTIONS, waiting=WAITING)
            await crowd.plane.close()
            (folder / FILLED).write_text(f"{ACTIONS} {WAITING} {time.perf_counter() - began:.0f}")
        plane = connect(folder)
        try:
            await _asked(plane, folder)
        finally:
            await plane.close()


def _begun(folder: Path) -> bool:
    """Lay the workspace out, unless it was filled before."""
    if (folder / FILLED).exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    lay_out(folder)
    return True


async def _asked(plane: ControlPlane, folder: Path) -> None:
    await plane.warming.once()
    size = (folder / FILLED).read_text().split()
    store = plane.means.store
    held = [each.id for each in await store.actions(ActionQuery(waiting=True, limit=VOTES + TIMES))]
    done = [each.id for each in await store.actions(ActionQuery(states=("done",), limit=TIMES))]
    rows = [
        ("inbox, first page", lambda _: plane.inbox.page(person=Person("rita")), _bare_inbox),
        ("inbox, what I may decide", lambda _: plane.inbox.page(person=Person("rita"), mine=True), _bare_inbox),
        ("one held action, whole", lambda n: plane.dossiers.of(held[n % TIMES], Person("rita")), None),
        ("actions, newest", lambda _: store.actions(ActionQuery(limit=51)), _bare_newest),
        ("actions of an agent in a state", lambda n: plane.searching.lately(_question(n)), None),
        ("one action's entries", lambda n: plane.means.log.entries_of(done[n % TIMES]), _bare_entries(done)),
        ("overview of a day", lambda _: plane.figures.overview(), None),
        ("overview of a month", lambda _: plane.figures.overview(30 * DAY), None),
        ("measures of a month", lambda _: plane.figures.measures(), None),
        ("measures of a month by agent", lambda _: plane.figures.measures("agent"), None),
        ("measures of a month by reviewer", lambda _: plane.figures.measures("reviewer"), None),
    ]
    path = settled(folder).settings.store
    found: list[tuple[str, ...]] = []
    for name, work, bare in rows:
        cpu, wall = await _timed(work)
        beside = "" if bare is None else f"{(await _timed(_of(path, bare)))[0]:.2f}"
        found.append((name, f"{cpu:.1f}", f"{wall:.1f}", f"{BOUND_MS}", beside, ""))
    async with AsyncExitStack() as stack:
        client = await _browser(plane, folder, stack)
        for name, url in (
            ("page: overview", "/"),
            ("page: approvals", "/approvals"),
            ("page: one held action", f"/approvals/{held[0]}"),
            ("page: actions", "/actions"),
            ("page: one action", f"/actions/{done[0]}"),
            ("page: measures", "/measures"),
            ("API: approvals", "/v1/approvals"),
            ("API: actions", "/v1/actions"),
        ):
            first = await client.get(url)
            if first.status_code == 404:
                continue
            cpu, wall = await _timed(_fetching(client, url))
            found.append((name, f"{cpu:.1f}", f"{wall:.1f}", f"{BOUND_MS}", "", f"{len(first.content) / 1024:.0f}"))
        before = _resident()
        asked = await _load(client, held)
        grown = _resident() - before
    votes = await _votes(plane, held[TIMES:])
    show(
        f"{int(size[0]):,} actions, {int(size[1]):,} wait",
        ("p95 of the server's time, ms", "CPU", "wall", "bound", "bare SQLite, CPU", "KiB"),
        found,
        f"filled in {size[2]} s; {votes:,.0f} votes/s in one process; {asked:,} pages in {LOAD_S:.0f} s of load left "
        f"{before / 1024:,.0f} MiB of memory {grown / 1024:+.1f} MiB larger",
    )


def _fetching(client: httpx.AsyncClient, url: str) -> Work:
    async def work(_: int) -> object:
        return await client.get(url)

    return work


async def _timed(work: Work) -> tuple[float, float]:
    """p95 of CPU and of wall time, ms."""
    cpu, wall = list[float](), list[float]()
    for number in range(5):
        await work(number)
    for number in range(TIMES):
        began, began_wall = time.process_time(), time.perf_counter()
        await work(number)
        cpu.append((time.process_time() - began) * 1000)
        wall.append((time.perf_counter() - began_wall) * 1000)
    return percentile(sorted(cpu), 0.95), percentile(sorted(wall), 0.95)


async def _browser(plane: ControlPlane, folder: Path, stack: AsyncExitStack) -> httpx.AsyncClient:
    """Somebody who is really signed in, by a link."""
    hosting = hosting_for(folder, "127.0.0.1")
    origin = "http://localhost:8600"
    app = front(plane, hosting, Hub(plane, most=hosting.live_most))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=origin, headers={"origin": origin})
    stack.push_async_callback(client.aclose)
    token, _ = await plane.signing_in.offer(Person("rita"), by="bench")
    answer = await client.post(f"/sign-in/link/{token}")
    if answer.status_code != 303:
        raise RuntimeError(f"the link did not sign in: {answer.status_code} {answer.text[:300]}")
    return client


async def _load(client: httpx.AsyncClient, held: list[ActionId]) -> int:
    """Ask for pages for so long, four at a time. How many were given."""
    until, asked = time.perf_counter() + LOAD_S, 0

    async def one(which: int) -> None:
        nonlocal asked
        while time.perf_counter() < until:
            url = ("/", "/approvals", f"/approvals/{held[asked % TIMES]}", "/actions")[(asked + which) % 4]
            await client.get(url)
            asked += 1

    await asyncio.gather(*(one(which) for which in range(4)))
    return asked


async def _votes(plane: ControlPlane, held: list[ActionId]) -> float:
    """Approvals a second of many people, each of whom says one word after the other."""
    left, began = list(held), time.perf_counter()

    async def one(person: str) -> None:
        for _ in range(VOTES // len(VOTERS)):
            await plane.approvals.approve(left.pop(), Person(person))

    await asyncio.gather(*(one(each) for each in VOTERS))
    ready = await plane.means.store.get(Action, held[0])
    if ready is None or ready.state == "held":
        raise RuntimeError("a vote was not counted")
    return len(held) / (time.perf_counter() - began)


def _question(number: int) -> Question:
    return Question(words=(Word("agent", f"agent{number % 12}"),), states=("denied",), limit=50)


def _resident() -> int:
    """KiB of memory now; the most there was where that is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


Bare = tuple[str, Callable[[int], tuple[str, ...]]]


def _of(path: Path, bare: Bare) -> Work:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    statement, values = bare

    async def work(number: int) -> object:
        return connection.execute(statement, values(number)).fetchall()

    return work


_bare_inbox: Bare = (
    (
        "SELECT body, sealed FROM action INDEXED BY action_waiting WHERE tenant = 1 AND deadline IS NOT NULL"
        " ORDER BY deadline, id LIMIT 51"
    ),
    lambda _: (),
)
_bare_newest: Bare = (
    "SELECT body, sealed FROM action WHERE tenant = 1 ORDER BY id DESC LIMIT 51",
    lambda _: (),
)


def _bare_entries(done: list[ActionId]) -> Bare:
    return (
        "SELECT leaf, sealed FROM entry INDEXED BY entry_action WHERE tenant = 1 AND action = ?",
        lambda number: (done[number % TIMES],),
    )
