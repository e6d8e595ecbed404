"""What there was, in figures: an overview of a span, and how people and agents work together.

They are read from the log into sums (`ports.rollups`), which whoever serves keeps warm in the background; a page asks them as
they are, or with a `LITTLE` to read first, and says how far they have read. Only what waits now is asked of the store.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from interlock.domain.account import told
from interlock.domain.course import Sighting, percentile, seen
from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import ContractError
from interlock.domain.evidence import Entry
from interlock.domain.figure import (
    BY,
    AgentFigures,
    By,
    Figure,
    Measures,
    Overview,
    Row,
    amount,
    per,
    ratio,
)
from interlock.domain.ids import ActionId, AgentName, ContractName
from interlock.domain.names import instead
from interlock.ports.clock import Clock
from interlock.ports.derived import Reached
from interlock.ports.log import Log
from interlock.ports.rollups import Grain, Rollups, Ruled, Spoken, Tallied
from interlock.ports.store import ActionQuery, Store
from interlock.services.following import Progress, caught_up, nearly_caught_up
from interlock.services.orders import StandingOrders

BY_HOUR: Final = 2 * DAY
"""Up to this long a span is told hour by hour, a longer one day by day."""
LONGEST: Final = 400 * DAY
MONTH: Final = 30 * DAY
Marks = Counter[str]


class Figures:
    """Reads the store, the log and the sums; writes nothing but the sums."""

    def __init__(
        self, *, store: Store, log: Log, orders: StandingOrders, clock: Clock, rollups: Callable[[], Rollups]
    ) -> None:
        self._store = store
        self._log = log
        self._orders = orders
        self._clock = clock
        self._open = rollups
        self._opened: Rollups | None = None

    async def catch_up(self, progress: Progress | None = None, *, gently: bool = False) -> int:
        """Bring the sums to the log's head, and give the size of the log there; `gently` where others are served meanwhile."""
        return await caught_up(self._log, self._rollups, self._take, progress, gently=gently)

    async def overview(self, span_ms: int = DAY) -> Overview:
        """The last `span_ms`, as far as the sums have read: whole hours up to two days, whole days (UTC) beyond, this one
        included. Raises StoreError, and ContractError for a span that is none."""
        grain, since, until = self._span(span_ms)
        size, behind = await self._read()
        step = HOUR if grain == "hour" else DAY
        times = _grouped(await self._rollups.tallied(grain, "all", since_at=since, until_at=until, by_time=True))
        agents = _grouped(await self._rollups.tallied(grain, "agent", since_at=since, until_at=until))
        places = [times.get(str(at), Marks()) for at in range(since, until, step)]
        total = sum(places, Marks())
        rows = [_agent(name, marks) for name, marks in agents.items()]
        return Overview(
            since_at=since,
            until_at=until,
            step_ms=step,
            tiles=_tiles(total, places),
            agents=tuple(sorted(rows, key=lambda row: (-row.proposed, row.agent))),
            blocks=dict(Counter(_named(total, "by:")).most_common()),
            asks=dict(Counter(_named(total, "for:")).most_common()),
            waiting=await self._store.count(ActionQuery(waiting=True)),
            unknown=await self._store.count(ActionQuery(states=("unknown",))),
            size=size,
            behind=behind,
        )

    async def measures(self, by: By = "all", span_ms: int = MONTH) -> Measures:
        """How people ruled on what they were asked, over the last `span_ms` (whole days, UTC), as far as the sums have read.
        Raises StoreError, and ContractError for what they are not kept by."""
        if by not in BY:
            raise ContractError(f"measures are not kept by `{by}`", next_step=instead(by, BY, ""))
        _, since, until = self._span(max(span_ms, BY_HOUR + 1))
        size, behind = await self._read()
        rows: Iterable[Row]
        if by == "reviewer":
            people = tuple((await self._orders.current()).control.people)
            rows = _spoken(await self._rollups.spoken(people, since_at=since, until_at=until))
        else:
            ruled = await self._rollups.ruled(since_at=since, until_at=until)
            series = by if by in ("agent", "contract") else "all"
            tallied = await self._rollups.tallied("day", series, since_at=since, until_at=until)
            rows = _ruled(by, ruled, _grouped(tallied))
        return Measures(
            by=by,
            since_at=since,
            until_at=until,
            rows=tuple(sorted(rows, key=lambda row: (-row.asked, row.name))),
            size=size,
            behind=behind,
        )

    async def near(self, contract: ContractName, policies: Sequence[str] = (), limit: int = 200) -> list[ActionId]:
        """Actions of `contract` that people approved, rejected or let expire, the last ones first; only those for which the same
        policies asked, where any are named. As far as the sums have read, as all that is
        asked here."""
        await self._read()
        return await self._rollups.near(contract, policies, limit)

    async def forget(self, actions: Sequence[ActionId]) -> None:
        """No longer say who spoke on these."""
        await self._rollups.forget(actions)

    async def begin_again(self) -> None:
        """Throw away what was read, damaged or not."""
        await self._rollups.clear()

    async def close(self) -> None:
        """Let go of the sums, if they were opened. Idempotent."""
        if self._opened is not None:
            await self._opened.close()

    @property
    def _rollups(self) -> Rollups:
        """Opened when they are first needed: most who have a control plane ask for no figures."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    async def _take(
        self, entries: Sequence[Entry], *, given: Reached, now: Reached, erased: Sequence[ActionId]
    ) -> bool:
        found: list[Sighting] = []
        for entry in entries:
            said = told(entry.index, entry.leaf)
            sighting = None if said is None else seen(said, entry.disclosures)
            if sighting is not None:
                found.append(sighting)
        return await self._rollups.take(found, given=given, now=now, erased=erased)

    async def _read(self) -> tuple[int, int]:
        """How many entries are read, and how many are not."""
        return await nearly_caught_up(self._log, self._rollups, self._take)

    def _span(self, span_ms: int) -> tuple[Grain, int, int]:
        if not HOUR <= span_ms <= LONGEST:
            raise ContractError("a span is between an hour and 400 days", next_step="give one such as `24h` or `30d`")
        grain: Grain = "hour" if span_ms <= BY_HOUR else "day"
        step = HOUR if grain == "hour" else DAY
        now = self._clock.now()
        until = now - now % step + step
        return grain, until - -(-span_ms // step) * step, until


def _grouped(tallied: Iterable[Tallied]) -> dict[str, Marks]:
    found: dict[str, Marks] = {}
    for each in tallied:
        found.setdefault(each.group, Marks())[each.what] += each.n
    return found


def _named(marks: Marks, prefix: str) -> dict[str, int]:
    return {what.removeprefix(prefix): n for what, n in marks.items() if what.startswith(prefix) and n}


def _p95(marks: Marks) -> int | None:
    return percentile({int(number): n for number, n in _named(marks, "took:").items()}, 0.95)


def _tiles(total: Marks, places: Sequence[Marks]) -> tuple[Figure, ...]:
    def series(of: Callable[[Marks], int | None]) -> tuple[int | None, ...]:
        return tuple(of(marks) for marks in places)

    def share(part: str, whole: str) -> tuple[int | None, ...]:
        return series(lambda marks: per(1000 * marks[part], marks[whole]))

    took = sum(_named(total, "took:").values())
    return (
        amount("tasks", "count", total["tasks"], total["tasks"], series(lambda marks: marks["tasks"])),
        ratio("task_error", total["bad"], total["tasks"], share("bad", "tasks")),
        ratio("escalation", total["asked"], total["proposed"], share("asked", "proposed")),
        ratio("policy_blocks", total["in:denied"], total["proposed"], share("in:denied", "proposed")),
        amount("p95_latency", "ms", _p95(total), took, series(_p95)),
        amount(
            "cost_per_task",
            "usd_micro",
            per(total["cost"], total["tasks"]),
            total["tasks"],
            series(lambda marks: per(marks["cost"], marks["tasks"])),
        ),
    )


def _agent(name: str, marks: Marks) -> AgentFigures:
    return AgentFigures(
        agent=AgentName(name),
        tasks=marks["tasks"],
        bad=marks["bad"],
        proposed=marks["proposed"],
        done=marks["in:done"],
        failed=marks["in:failed"],
        unknown=marks["in:unknown"],
        denied=marks["in:denied"],
        refused=marks["in:refused"],
        asked=marks["asked"],
        undone=marks["in:undone"],
        p95_ms=_p95(marks),
        cost=marks["cost"],
    )


def _ruled(by: By, ruled: Iterable[Ruled], proposed: dict[str, Marks]) -> Iterable[Row]:
    groups: dict[str, list[Ruled]] = {} if by != "all" else {"": []}
    for each in ruled:
        names = {"agent": (each.agent,), "contract": (each.contract,), "policy": each.policies}.get(by, ("",))
        for name in names:
            groups.setdefault(name, []).append(each)
    everything = proposed.get("", Marks())
    for name, found in groups.items():
        # A policy's share is of all that was proposed: it is asked about everything.
        marks = everything if by in ("all", "policy") else proposed.get(name, Marks())
        asked = marks[f"for:{name}"] if by == "policy" else marks["asked"]
        yield Row(
            name=name,
            asked=sum(each.n for each in found),
            waiting=sum(each.n for each in found if not each.ruling),
            figures=(ratio("escalation", asked, marks["proposed"]), *_ruled_figures(found)),
        )


def _ruled_figures(found: Sequence[Ruled]) -> tuple[Figure, ...]:
    def n(fits: Callable[[Ruled], bool]) -> int:
        return sum(each.n for each in found if fits(each))

    approved = n(lambda each: each.ruling == "approved")
    by_people = approved + n(lambda each: each.ruling == "rejected")
    over = n(lambda each: each.ruling in ("approved", "rejected", "expired"))
    waited = Counter[int]()
    for each in found:
        if each.waited is not None and each.ruling in ("approved", "rejected", "expired"):
            waited[each.waited] += each.n
    return (
        ratio("approved_unchanged", n(lambda each: each.ruling == "approved" and not each.modified), by_people),
        amount("time_to_resolution_p50", "ms", percentile(waited, 0.5), over),
        amount("time_to_resolution_p95", "ms", percentile(waited, 0.95), over),
        ratio("error_after_approval", n(lambda each: each.error), approved),
        ratio("asked_in_vain", n(lambda each: each.in_vain), by_people),
        ratio("expired", n(lambda each: each.ruling == "expired"), over),
    )


def _spoken(spoken: Iterable[Spoken]) -> Iterable[Row]:
    groups: dict[str, list[Spoken]] = {}
    for each in spoken:
        groups.setdefault(each.person, []).append(each)
    for person, found in groups.items():
        waited = Counter[int]()
        for each in found:
            waited[each.waited] += each.n
        said = sum(each.n for each in found)
        yes = sum(each.n for each in found if each.verdict != "reject")
        unchanged = sum(each.n for each in found if each.verdict == "approve")
        wrong = sum(each.n for each in found if each.error and each.verdict != "reject")
        yield Row(
            name=person,
            asked=said,
            waiting=0,
            figures=(
                ratio("approved_unchanged", unchanged, said),
                amount("time_to_resolution_p50", "ms", percentile(waited, 0.5), said),
                amount("time_to_resolution_p95", "ms", percentile(waited, 0.95), said),
                ratio("error_after_approval", wrong, yes),
            ),
        )
