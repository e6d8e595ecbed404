"""Figures: what they count, that they are what counting everything anew gives, and what they forget."""

import asyncio
import pickle
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.sqlite.rollups import SqliteRollups
from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.course import (
    STEPS,
    Course,
    Sighting,
    Word,
    after,
    duration_class,
    marks,
    most_ms,
    percentile,
)
from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import ContractError
from interlock.domain.figure import FEW, Figure, amount, interval, ratio
from interlock.domain.ids import ActionId, ContractName, Person
from interlock.domain.policy import Policy
from interlock.domain.proposal import Proposal
from interlock.ports.derived import Reached
from interlock.ports.rollups import Grain, Series
from interlock.services.figures import Figures
from interlock.services.warming import Warming
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

BEGIN = 1_800_000_000_000 - 1_800_000_000_000 % DAY


def figure(figures: Sequence[Figure], name: str) -> Figure:
    """The one of that name."""
    return next(each for each in figures if each.name == name)


# -- rules ------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**12))
def test_a_class_of_durations_is_narrow(ms: int) -> None:
    """The longest duration of a class is not below any in it, and at most 9.1 % above."""
    assert ms <= most_ms(duration_class(ms)) <= max(ms * 2 ** (1 / STEPS) + 1, 1)


def test_a_percentile_is_that_of_its_class() -> None:
    """So many durations lie within the percentile; of none there is none."""
    classes = Counter(duration_class(ms) for ms in range(1, 1001))

    assert 950 <= (percentile(classes, 0.95) or 0) <= 1024
    assert percentile({}, 0.5) is None


@given(st.integers(0, 2000), st.integers(1, 2000))
def test_what_was_counted_lies_in_its_interval(hits: int, of: int) -> None:
    """The interval holds the ratio, lies between 0 and 1000, and is narrower the more there are."""
    hits = min(hits, of)
    low, high = interval(hits, of)

    assert 0 <= low <= 1000 * hits / of <= high <= 1000
    wider = interval(hits, of), interval(hits * 10, of * 10)
    assert wider[0][1] - wider[0][0] >= wider[1][1] - wider[1][0] - 1


def test_the_interval_is_wilsons() -> None:
    """As in the tables: 0 of 10 lies below 27.8 %, 5 of 10 between 23.7 and 76.3 %, 81 of 263 between 25.5 and 36.6 %."""
    assert interval(0, 10) == (0, 278)
    assert interval(5, 10) == (236, 764)
    assert interval(81, 263) == (255, 367)


def test_a_figure_is_called_unhealthy_only_where_it_surely_is() -> None:
    """Outside with its whole interval: low or high; only with its value: unclear; of few: few; of none: none."""
    name = "error_after_approval"  # healthy up to 2 %

    assert ratio(name, 0, 200).standing == "healthy"
    assert ratio(name, 5, 200).standing == "unclear"
    assert ratio(name, 30, 200).standing == "high"
    assert ratio("approved_unchanged", 30, 200).standing == "low"
    assert ratio(name, 0, FEW - 1).standing == "few"
    assert ratio(name, 0, 0).standing == "none"
    assert amount("time_to_resolution_p50", "ms", 10**9, 50).standing == "high"
    assert ratio("policy_blocks", 1, 100).standing == ""


# -- sums -------------------------------------------------------------------------------------------------------------


def _lives(count: int, seed: int = 1) -> list[list[Sighting]]:
    """Actions, each as its entries tell it: denied, done at once, held and approved, modified, undone."""
    rng = random.Random(seed)  # noqa: S311  the same lives every time

    def life(n: int) -> list[Sighting]:
        began = BEGIN + rng.randrange(3 * DAY)

        def entry(seq: int, phase: str, state: str, **said: object) -> Sighting:
            whole: dict[str, object] = {
                "subject": "action",
                "id": f"a-{n}",
                "seq": seq,
                "at": began + seq * 900,
                "phase": phase,
                "state": state,
            }
            return msgspec.convert({**whole, **said}, Sighting)

        first = {
            "agent": f"ag-{rng.randrange(2)}",
            "contract": f"c-{rng.randrange(2)}",
            "release": "r",
            "task": f"t-{n // 3}",
            "sure": (None, 4, 9)[n % 3],
        }
        word = {"person": f"p-{rng.randrange(3)}", "at": began + 1800}
        held = entry(1, "decided", "held", asks=["p.ask"], policies=["p.ask"], **first)
        return rng.choice(
            [
                [entry(1, "decided", "denied", policies=["p.no"], **first)],
                [entry(1, "dispatching", "dispatching", **first), entry(2, "outcome", rng.choice(["done", "failed"]))],
                [held],
                [held, entry(2, "rejected", "rejected", word={**word, "verdict": "reject"})],
                [held, entry(2, "expired", "expired")],
                [
                    held,
                    entry(2, "approved", "ready", word={**word, "verdict": "approve"}),
                    entry(3, "dispatching", "dispatching"),
                    entry(4, "outcome", rng.choice(["done", "done", "unknown"])),
                ],
                [
                    held,
                    entry(2, "modified", "ready", word={**word, "verdict": "modify"}),
                    entry(3, "outcome", "done"),
                    entry(4, "compensation", "undoing"),
                    entry(5, "compensation", "undone"),
                ],
                [entry(1, "decided", "ready", undoes=True, **first), entry(2, "outcome", "done")],
            ]
        )

    lives = [life(n) for n in range(count)]
    opened = [
        msgspec.convert(
            {
                "subject": "task",
                "id": f"t-{n}",
                "seq": 0,
                "at": BEGIN,
                "phase": "opened",
                "state": "open",
                "agent": "ag-0",
            },
            Sighting,
        )
        for n in range(0, count // 3, 2)
    ]
    return [opened, *lives]


def _mixed(lives: list[list[Sighting]], seed: int = 1) -> list[Sighting]:
    """All entries, those of one action in their order, among those of others."""
    rng = random.Random(seed)  # noqa: S311  the same log every time
    left = [list(reversed(each)) for each in lives[1:]]
    found = list(lives[0])
    while left:
        each = rng.choice(left)
        found.append(each.pop())
        if not each:
            left.remove(each)
    return found


async def _taken(rollups: SqliteRollups, log: Sequence[Sighting], step: int) -> None:
    for start in range(0, len(log), step):
        stop = min(start + step, len(log))
        assert await rollups.take(log[start:stop], given=Reached(start, b"l" * bool(start)), now=Reached(stop, b"l"))


def _bytes(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir())


def _spoil(folder: Path, harm: bytes) -> None:
    for each in folder.iterdir():
        each.write_bytes(harm)


async def _everything(rollups: SqliteRollups) -> tuple[object, ...]:
    span = {"since_at": BEGIN - DAY, "until_at": BEGIN + 9 * DAY}
    since, until = span.values()
    grains: tuple[Grain, ...] = ("hour", "day")
    series: tuple[Series, ...] = ("agent", "contract", "release")
    return (
        *[sorted(await rollups.tallied(each, "all", by_time=True, since_at=since, until_at=until)) for each in grains],
        *[sorted(await rollups.tallied("day", each, since_at=since, until_at=until)) for each in series],
        sorted(await rollups.ruled(**span), key=repr),
        sorted(await rollups.spoken(("p-0", "p-1", "p-2"), **span)),
    )


@pytest.mark.proves("figures.exact")
async def test_sums_are_what_counting_everything_anew_gives(tmp_path: Path) -> None:
    """Whatever the order and the size of the steps: every sum is that of what each action counts for in the end."""
    lives = _lives(300)
    log = _mixed(lives)
    rollups = SqliteRollups.open(tmp_path / "x.figures")
    await _taken(rollups, log, 37)
    found = {
        each.what: each.n
        for each in await rollups.tallied("day", "all", since_at=0, until_at=BEGIN + 9 * DAY)
        if each.n
    }

    courses = list[Course]()
    for life in lives[1:]:
        course: Course | None = None
        for each in life:
            course = after(course, each)
        assert course is not None
        courses.append(course)
    wanted = sum((Counter(marks(each)) for each in courses), Counter[str]())
    tasks = {each.id for each in lives[0]}
    bad = {each.task for each in courses if each.state in ("failed", "unknown")} & tasks
    assert found == wanted | {"tasks": len(tasks), "bad": len(bad)}
    ruled = Counter[tuple[object, ...]]()
    for asked in await rollups.ruled(since_at=0, until_at=BEGIN + 9 * DAY):
        ruled[asked.agent, asked.policies, asked.ruling, asked.modified, asked.error, asked.waited] += asked.n
    waited = [None if each.waited_ms is None else duration_class(each.waited_ms) for each in courses]
    assert ruled == Counter(
        (each.agent, each.asked_by, each.ruling, each.modified, each.error, how_long)
        for each, how_long in zip(courses, waited, strict=True)
        if each.asked_at is not None
    )
    words = [(each.id, each.word.verdict) for life in lives[1:] for each in life if each.word is not None]
    wrong = {each.id for each in courses if each.error}
    spoken = Counter[tuple[str, bool]]()
    for said in await rollups.spoken((), since_at=0, until_at=BEGIN + 9 * DAY):
        spoken[said.verdict, said.error] += said.n
    assert spoken == Counter((verdict, action in wrong) for action, verdict in words)
    by_agent = Counter[str]()
    for tallied in await rollups.tallied("day", "agent", since_at=0, until_at=BEGIN + 9 * DAY):
        by_agent[tallied.what] += tallied.n
    assert +by_agent == Counter(found)

    other = SqliteRollups.open(None)
    await _taken(other, log, len(log))
    assert await _everything(other) == await _everything(rollups)
    await rollups.clear()
    await _taken(rollups, log, 101)
    assert await _everything(other) == await _everything(rollups)
    await other.close()
    await rollups.close()


@pytest.mark.proves("figures.exact")
async def test_two_processes_take_each_entry_once(tmp_path: Path) -> None:
    """Of two processes that read the same entries one adds them; a step that fails adds nothing and can be repeated."""
    log = _mixed(_lives(40))
    first, second = SqliteRollups.open(tmp_path / "x.figures"), SqliteRollups.open(tmp_path / "x.figures")
    done = Reached(len(log), b"l")
    broken = msgspec.structs.replace(_lives(1)[1][0], contract="\ud800", id="b")
    with pytest.raises(UnicodeEncodeError):
        await first.take([*log, broken], given=Reached(), now=done)
    assert await first.take(log, given=Reached(), now=done)
    assert not await second.take(log, given=Reached(), now=done)

    single = SqliteRollups.open(None)
    await _taken(single, log, 7)
    assert await _everything(first) == await _everything(second) == await _everything(single)
    for each in (first, second, single):
        await each.close()


@pytest.mark.proves("figures.persons")
async def test_who_spoke_is_no_word_of_the_file_and_is_forgotten(tmp_path: Path) -> None:
    """No person's name stands in the file; of an erased action nobody is told to have spoken, while the sums stay."""
    path = tmp_path / "x.figures"
    said = Word(person="margarethe", verdict="approve", at=BEGIN + 5)
    first = Sighting(
        subject="action", id="a", seq=1, at=BEGIN, phase="decided", state="held", asks=("p",), agent="ag", contract="c"
    )
    yes = msgspec.structs.replace(first, seq=2, phase="approved", state="ready", word=said)
    rollups = SqliteRollups.open(path)
    await rollups.take([first, yes], given=Reached(), now=Reached(2, b"l"))
    span = {"since_at": BEGIN, "until_at": BEGIN + DAY}
    before = await _everything(rollups)
    assert [each.person for each in await rollups.spoken(["margarethe"], **span)] == ["margarethe"]
    digest = rollups._digest("margarethe")
    assert b"margarethe" not in _bytes(tmp_path)
    assert digest in _bytes(tmp_path)

    await rollups.take([], given=Reached(2, b"l"), now=Reached(3, b"l"), erased=[ActionId("a")])

    assert [(each.person, each.n) for each in await rollups.spoken(["margarethe"], **span)] == [("", 1)]
    assert digest not in _bytes(tmp_path)
    assert (await _everything(rollups))[:-1] == before[:-1]
    await rollups.close()


@pytest.mark.proves("figures.precedents")
async def test_like_cases_are_found_newest_first() -> None:
    """Cases of a contract that people ruled on, the last ruling first."""
    lives = _lives(200)
    rollups = SqliteRollups.open(None)
    await _taken(rollups, _mixed(lives), 50)
    ruled = [
        (life[1].at, life[0].id)
        for life in lives[1:]
        if len(life) > 1
        and life[0].contract == "c-1"
        and life[1].phase in ("approved", "rejected", "modified", "expired")
    ]

    found = await rollups.near(ContractName("c-1"), 1000)
    assert sorted(found) == sorted(each for _, each in ruled)
    at = {action: when for when, action in ruled}
    assert all(at[one] >= at[two] for one, two in pairwise(found))
    assert await rollups.near(ContractName("c-1"), 5) == found[:5]
    assert await rollups.near(ContractName("none"), 5) == []
    await rollups.close()


# -- the whole ----------------------------------------------------------------------------------------------------------


async def _begun() -> tuple[World, Figures]:
    """A world in which people are asked about each `order.pay`."""
    world = World()
    asked = Policy(id="ask.pay", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer")
    rules = (permit(), (asked, lambda question: question.contract == "order.pay"))
    await world.apply(contract(), contract("order.pay"), rules=rules)
    return world, world.plane.figures


def test_the_overview_counts_what_there_was() -> None:
    """Six tiles, a row for the agent, what blocks and what waits; as of so many entries, none of them unread."""

    async def run() -> None:
        world, figures = await _begun()
        task = await world.task()
        for _ in range(3):
            await world.propose(task, n=1)
        await world.propose(task, "order.pay", n=2)
        await figures.catch_up()
        seen = await figures.overview()

        assert [tile.name for tile in seen.tiles] == [
            "tasks",
            "task_error",
            "escalation",
            "policy_blocks",
            "p95_latency",
            "cost_per_task",
        ]
        assert figure(seen.tiles, "tasks").value == 1
        assert (figure(seen.tiles, "escalation").value, figure(seen.tiles, "escalation").of) == (250, 4)
        assert (seen.agents[0].agent, seen.agents[0].proposed, seen.agents[0].asked) == ("ag", 4, 1)
        assert (seen.waiting, seen.behind, seen.until_at - seen.since_at) == (1, 0, DAY)
        assert all(len(tile.series) == 24 for tile in seen.tiles)
        for n in range(110):
            await world.propose(task, n=n)
        later = await figures.overview()
        assert later.behind > 200
        assert later.tiles == seen.tiles
        with pytest.raises(ContractError):
            await figures.overview(HOUR - 1)

    asyncio.run(run())


@pytest.mark.proves("figures.sure")
async def test_how_sure_an_agent_was_is_held_against_what_became_of_it() -> None:
    """By tenths, of what people ruled on: right is what was approved as it was and was not taken back. What they did not rule on
    counts in none, nor does that of which the agent did not say how sure it is."""
    world, figures = await _begun()
    task = await world.task()
    held: list[Action] = []
    for n, sure in enumerate((950, 1000, 950, 900, 650, 0, None, 950)):
        arguments: dict[str, JsonValue] = {"n": n}
        contract_ = ContractName("order.pay")
        held.append(
            await world.plane.gate.propose(
                Proposal(task=task, contract=contract_, arguments=arguments, confidence=sure)
            )
        )
    rita = Person("rita")
    for each in (*held[:3], held[5], held[6]):
        await world.plane.approvals.approve(each.id, rita)
    await world.plane.approvals.reject(held[3].id, rita, note="no")
    await world.plane.approvals.modify(held[4].id, rita, {"n": 99})
    await world.work()
    await world.plane.compensation.undo("action", held[2].id, by=rita, why="wrong one")
    await world.work()
    await figures.catch_up()

    for by in ("all", "agent", "contract"):
        (row,) = (await figures.measures(by)).rows
        found = [(each.least, each.most, each.right.value, each.right.of) for each in row.confidence]
        assert found == [(0, 100, 1000, 1), (600, 700, 0, 1), (900, 1000, 500, 4)], by
    (row,) = (await figures.measures("policy")).rows
    assert row.confidence == ()


def test_measures_tell_how_people_ruled() -> None:
    """By contract, policy, agent and reviewer: how often unchanged, how long it took, what went wrong afterwards."""

    async def run() -> None:
        world, figures = await _begun()
        task = await world.task()
        held: list[Action] = [await world.propose(task, "order.pay", n=n) for n in range(8)]
        for each in held[:5]:
            world.clock.advance(60_000)
            await world.plane.approvals.approve(each.id, Person("rita"))
        await world.plane.approvals.modify(held[5].id, Person("rita"), {"n": 99})
        await world.plane.approvals.reject(held[6].id, Person("rita"), note="no")
        await world.work()
        await figures.catch_up()

        for by in ("all", "agent", "contract", "policy"):
            told = await figures.measures(by)
            (row,) = told.rows
            assert (row.asked, row.waiting) == (8, 1), by
            assert (figure(row.figures, "approved_unchanged").value, figure(row.figures, "approved_unchanged").of) == (
                714,
                7,
            )
            assert figure(row.figures, "error_after_approval").value == 0
            assert figure(row.figures, "escalation").value == 1000
            assert (figure(row.figures, "time_to_resolution_p50").value or 0) >= 240_000
        (reviewer,) = (await figures.measures("reviewer")).rows
        assert (reviewer.name, reviewer.asked) == ("rita", 7)
        assert figure(reviewer.figures, "approved_unchanged").of == 7

    asyncio.run(run())


@pytest.mark.proves("figures.warm")
@pytest.mark.parametrize("harm", [b"", b"rubbish" * 2000])
def test_figures_are_read_beside_whoever_asks(tmp_path: Path, harm: bytes) -> None:
    """Whoever keeps them warm reads on by itself, also where the file is damaged under it; nobody who asks waits for that or is
    refused, and others get their turn all the while."""

    async def run() -> None:
        world, _ = await _begun()
        path = tmp_path / "x.figures"
        figures = Figures(
            store=world.store, log=world.store, orders=world.plane.orders, clock=world.clock, rollups=lambda: rollups
        )
        rollups = SqliteRollups.open(path)
        warming = Warming(store=world.store, searching=world.plane.searching, figures=figures)
        task = await world.task()
        for n in range(120):
            await world.propose(task, n=n)
        assert (await figures.overview()).tiles[0].value == 0
        assert (await figures.overview()).behind > 200
        turns = 0

        async def turning() -> None:
            nonlocal turns
            while True:
                turns += 1
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(turning)
            if harm:
                await rollups.take([], given=Reached(), now=Reached(1, b"l"))
                _spoil(tmp_path, harm)
            assert await warming.once()
            group.cancel_scope.cancel()
        assert turns > 5
        seen = await figures.overview()
        assert (figure(seen.tiles, "tasks").value, seen.agents[0].proposed, seen.behind) == (1, 120, 0)
        if harm:
            _spoil(tmp_path, harm)
            assert (await figures.overview()).behind == seen.size  # whoever asks gets an answer, with nothing read yet
            assert await warming.once()
            assert (await figures.overview()).agents == seen.agents
        await figures.close()
        await world.plane.close()

    asyncio.run(run())


KILLED = """
import asyncio, pickle, sys
from pathlib import Path
from interlock.adapters.sqlite.rollups import SqliteRollups
from interlock.ports.derived import Reached

async def main():
    rollups, log = SqliteRollups.open(Path(sys.argv[1])), pickle.loads(Path(sys.argv[2]).read_bytes())
    reached = await rollups.reached()
    while reached.next < len(log):
        now = Reached(min(reached.next + 3, len(log)), b"l")
        assert await rollups.take(log[reached.next : now.next], given=reached, now=now)
        reached = now
        print(now.next, flush=True)
        await asyncio.sleep(0.001)

asyncio.run(main())
"""


def _kill_after(lines: int, path: Path, log: Path) -> None:
    """Read in another process, and kill it after so many steps."""
    child = subprocess.Popen([sys.executable, "-c", KILLED, path, log], stdout=subprocess.PIPE)
    assert child.stdout is not None
    for _ in range(lines):
        child.stdout.readline()
    child.kill()
    child.wait()
    child.stdout.close()


@pytest.mark.proves("figures.exact")
async def test_a_process_that_is_killed_while_it_reads_loses_nothing(tmp_path: Path) -> None:
    """Killed with SIGKILL in the middle, again and again: what the next one reads on to is what one alone would have read."""
    log = _mixed(_lives(150))
    path, file = tmp_path / "x.figures", tmp_path / "log"
    await anyio.Path(file).write_bytes(pickle.dumps(log))
    for lines in (5, 40):
        await anyio.to_thread.run_sync(_kill_after, lines, path, file)
    rollups, alone = SqliteRollups.open(path), SqliteRollups.open(None)
    reached = await rollups.reached()
    assert 0 < reached.next < len(log)
    assert await rollups.take(log[reached.next :], given=reached, now=Reached(len(log), b"l"))
    await _taken(alone, log, 50)

    assert await _everything(rollups) == await _everything(alone)
    await rollups.close()
    await alone.close()
