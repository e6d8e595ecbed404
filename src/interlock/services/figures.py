"""What there was, in figures: an overview of a span, and how people and agents work together.

They are read from the log into sums (`ports.rollups`), which whoever serves keeps warm in the background; a page asks them as
they are, or with a `LITTLE` to read first, and says how far they have read. Only what waits now is asked of the store.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from interlock.domain.account import told
from interlock.domain.course import Sighting, seen
from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import ContractError
from interlock.domain.evidence import Entry
from interlock.domain.figure import BY, By, Measures, Overview, Row
from interlock.domain.ids import ActionId, ContractName, Person
from interlock.domain.names import instead
from interlock.ports.clock import Clock
from interlock.ports.derived import Reached
from interlock.ports.log import Log
from interlock.ports.rollups import Grain, Rollups
from interlock.ports.store import ActionQuery, Store
from interlock.services.attention import told_of_pace
from interlock.services.following import Following
from interlock.services.measuring import Marks, agent_figures, grouped, named, ruled_rows, spoken_rows, tiles
from interlock.services.orders import StandingOrders

BY_HOUR: Final = 2 * DAY
"""Up to this long a span is told hour by hour, a longer one day by day."""
LONGEST: Final = 400 * DAY
MONTH: Final = 30 * DAY


class Figures(Following[Rollups]):
    """Reads the store, the log and the sums; writes nothing but the sums."""

    def __init__(
        self, *, store: Store, log: Log, orders: StandingOrders, clock: Clock, rollups: Callable[[], Rollups]
    ) -> None:
        super().__init__(log, rollups)
        self._store = store
        self._orders = orders
        self._clock = clock

    async def overview(self, span_ms: int = DAY) -> Overview:
        """The last `span_ms`, as far as the sums have read: whole hours up to two days, whole days (UTC) beyond, this one
        included. Raises StoreError, and ContractError for a span that is none."""
        return await self._sound(lambda: self._overview(span_ms))

    async def _overview(self, span_ms: int) -> Overview:
        grain, since, until = self._span(span_ms)
        size, behind = await self._read_a_little()
        step = HOUR if grain == "hour" else DAY
        times = grouped(await self.derived.tallied(grain, "all", since_at=since, until_at=until, by_time=True))
        agents = grouped(await self.derived.tallied(grain, "agent", since_at=since, until_at=until))
        places = [times.get(str(at), Marks()) for at in range(since, until, step)]
        total = sum(places, Marks())
        rows = [agent_figures(name, marks) for name, marks in agents.items()]
        return Overview(
            since_at=since,
            until_at=until,
            step_ms=step,
            tiles=tiles(total, places),
            agents=tuple(sorted(rows, key=lambda row: (-row.proposed, row.agent))),
            blocks=dict(Counter(named(total, "by:")).most_common()),
            asks=dict(Counter(named(total, "for:")).most_common()),
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
        return await self._sound(lambda: self._measures(by, span_ms))

    async def _measures(self, by: By, span_ms: int) -> Measures:
        _, since, until = self._span(max(span_ms, BY_HOUR + 1))
        size, behind = await self._read_a_little()
        rows: Iterable[Row]
        if by == "reviewer":
            people = tuple((await self._orders.current()).control.people)
            rows = spoken_rows(await self.derived.spoken(people, since_at=since, until_at=until))
            attention = (await self._orders.current()).control.routing.attention
            rows = [
                msgspec.structs.replace(each, warning=await told_of_pace(self._store, Person(each.name), attention))
                for each in rows
            ]
        else:
            ruled = await self.derived.ruled(since_at=since, until_at=until)
            series = by if by in ("agent", "contract") else "all"
            tallied = await self.derived.tallied("day", series, since_at=since, until_at=until)
            rows = ruled_rows(by, ruled, grouped(tallied))
        return Measures(
            by=by,
            since_at=since,
            until_at=until,
            rows=tuple(sorted(rows, key=lambda row: (-row.asked, row.name))),
            size=size,
            behind=behind,
        )

    async def near(self, contract: ContractName, limit: int = 200) -> list[ActionId]:
        """Actions of `contract` that people approved, rejected or let expire, the last ones first; as far as the sums have read,
        as all that is asked here."""

        async def work() -> list[ActionId]:
            await self._read_a_little()
            return await self.derived.near(contract, limit)

        return await self._sound(work)

    async def _take(
        self, entries: Sequence[Entry], *, given: Reached, now: Reached, erased: Sequence[ActionId]
    ) -> bool:
        found: list[Sighting] = []
        for entry in entries:
            said = told(entry.index, entry.leaf)
            sighting = None if said is None else seen(said, entry.disclosures)
            if sighting is not None:
                found.append(sighting)
        return await self.derived.take(found, given=given, now=now, erased=erased)

    def _span(self, span_ms: int) -> tuple[Grain, int, int]:
        if not HOUR <= span_ms <= LONGEST:
            raise ContractError("a span is between an hour and 400 days", next_step="give one such as `24h` or `30d`")
        grain: Grain = "hour" if span_ms <= BY_HOUR else "day"
        step = HOUR if grain == "hour" else DAY
        now = self._clock.now()
        until = now - now % step + step
        return grain, until - -(-span_ms // step) * step, until
