"""What an agent normally touches: with which contracts, which kinds of records, when, and how much. And what departs from it.

It is learned from what was let through, counted and nothing else: no id of a record, no argument, nobody's name. Two rules
say what is unusual, and both say nothing before enough was seen:

- What is *new*: a contract, a kind of record, an hour of the day that never came up. How likely the next one is new is about
  the share of what came up once only (Good, The population frequencies of species, Biometrika 40, 1953).
- What is *far above*: more than twice the most there was. Of n past values and the next one, in any order alike, the next is
  the largest with a chance of 1 in n + 1 at most (Wilks, Annals of Mathematical Statistics 12, 1941); twice the largest is
  rarer. Hours of a day and weeks of growth are not alike in any order, which is why it is twice.

How often that is wrong of an agent its own past tells: see `backtest`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar, Final, Literal, get_args

import msgspec

from interlock.domain.duration import DAY, HOUR
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.record import Record, digest_of

Unusual = Literal["amount", "contract", "hour", "rate", "record"]
UNUSUAL: tuple[Unusual, ...] = get_args(Unusual)

MEANS: Final[Mapping[Unusual, str]] = {
    "amount": "it costs more than twice the most it did",
    "contract": "a contract it did not use",
    "hour": "a time of day at which it did not act",
    "rate": "more in one hour than twice its busiest",
    "record": "a kind of record it did not touch",
}
"""Each in words, of one action."""

FAR: Final = 2
"""So many times the most there was is far above it."""
LEAST_ACTIONS: Final = 100
"""Before so many actions no contract and no kind of record is called new."""
LEAST_DAYS: Final = 7
"""Before it acted on so many days no hour of the day is called new."""
LEAST_HOURS: Final = 20
"""Before it acted in so many hours nothing is far above: the next would be the busiest once in 21 by chance alone."""
LEAST_USES: Final = 20
"""The same of the uses of a contract, for what they cost."""
HOURS: Final = 24


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One action, as far as it is counted."""

    contract: ContractName
    kinds: Collection[str] = ()
    """Of the records that it touches."""
    amounts: Mapping[str, int] = {}
    """What it costs, by unit."""
    at: int
    """When it was proposed, UTC ms."""
    normal: bool = True
    """Whether it was let through. What was kept back counts to how fast the agent is, and makes nothing normal."""


class Baseline(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What one agent normally touches, as it was learned from its actions of some time."""

    kind: ClassVar[str] = "baseline"

    agent: AgentName
    since_at: int
    """From when on, UTC ms."""
    until_at: int
    """This not included."""
    contracts: dict[ContractName, int] = {}
    """How often each was used."""
    records: dict[str, int] = {}
    """How many actions touched records of each kind."""
    hours: tuple[int, ...] = (0,) * HOURS
    """For each hour of the day, UTC, on how many days it acted in it."""
    days: int = 0
    """On how many days it acted."""
    busy: int = 0
    """In how many hours it acted."""
    busiest: int = 0
    """How many actions it proposed in the busiest of them, let through or not."""
    amounts: dict[ContractName, dict[str, int]] = {}
    """The most that a use of each contract cost, by unit."""

    @property
    def key(self) -> str:
        """Filed by digest: what people agreed to never changes."""
        return self.digest

    @property
    def digest(self) -> Digest:
        """SHA-256 over the canonical form of everything but `revision`."""
        return digest_of(self)

    @property
    def actions(self) -> int:
        """How many it was learned from."""
        return sum(self.contracts.values())

    def unready(self) -> dict[Unusual, str]:
        """What it says nothing about, as too little was seen; and how little, in words."""
        found: dict[Unusual, str] = {}
        if self.actions < LEAST_ACTIONS:
            found["contract"] = found["record"] = f"{self.actions} of {LEAST_ACTIONS} actions"
        if self.days < LEAST_DAYS:
            found["hour"] = f"{self.days} of {LEAST_DAYS} days"
        if self.busy < LEAST_HOURS:
            found["rate"] = f"{self.busy} of {LEAST_HOURS} hours in which it acted"
        if not any(self.contracts[name] >= LEAST_USES for name in self.amounts):
            uses = max((self.contracts[name] for name in self.amounts), default=0)
            found["amount"] = f"{uses} of {LEAST_USES} uses of a contract that costs something"
        return {name: found[name] for name in UNUSUAL if name in found}

    def new(self) -> dict[Unusual, int]:
        """How likely the next action is with a contract, or touches a kind of record, that is new: per mille, by Good's
        estimate."""
        total = max(self.actions, 1)
        singles: dict[Unusual, int] = {
            "contract": sum(count == 1 for count in self.contracts.values()),
            "record": sum(count == 1 for count in self.records.values()),
        }
        return {name: 1000 * count // total for name, count in singles.items()}

    def unusual(self, action: Observation, in_hour: int) -> tuple[Unusual, ...]:
        """In what `action` departs from it, which is the agent's `in_hour`th in its hour of the calendar."""
        found: list[Unusual] = []
        if self._costs_far_more(action):
            found.append("amount")
        ready = self.actions >= LEAST_ACTIONS
        if ready and action.contract not in self.contracts:
            found.append("contract")
        if self.days >= LEAST_DAYS and not self._is_awake(action.at // HOUR % HOURS):
            found.append("hour")
        if self.busy >= LEAST_HOURS and in_hour > FAR * self.busiest:
            found.append("rate")
        if ready and any(kind not in self.records for kind in action.kinds):
            found.append("record")
        return tuple(found)

    def _is_awake(self, hour: int) -> bool:
        """Whether it acts at that time of day, or in the hour before or after: who is an hour late is not unusual."""
        return any(self.hours[(hour + beside) % HOURS] for beside in (-1, 0, 1))

    def _costs_far_more(self, action: Observation) -> bool:
        if not action.amounts or self.contracts.get(action.contract, 0) < LEAST_USES:
            return False
        most = self.amounts.get(action.contract, {})
        return any(amount > FAR * most.get(unit, 0) for unit, amount in action.amounts.items())


def rushes(baseline: Baseline, actions: Iterable[Observation]) -> dict[int, int]:
    """The hours of the calendar, by when they began (UTC ms), in which an agent proposed far more than in its busiest: how
    many. Of all processes together, which each process by itself does not see."""
    if baseline.busy < LEAST_HOURS:
        return {}
    paces = Counter(each.at // HOUR for each in actions)
    return {hour * HOUR: count for hour, count in sorted(paces.items()) if count > FAR * baseline.busiest}


def learned(agent: AgentName, actions: Iterable[Observation], *, since_at: int, until_at: int) -> Baseline:
    """The baseline of `agent` from its actions between these times, in any order."""
    contracts, records, paces = Counter[ContractName](), Counter[str](), Counter[int]()
    amounts: dict[ContractName, dict[str, int]] = {}
    awake: set[int] = set()
    for each in actions:
        paces[each.at // HOUR] += 1
        if not each.normal:
            continue
        awake.add(each.at // HOUR)
        contracts[each.contract] += 1
        records.update(set(each.kinds))
        for unit, amount in each.amounts.items():
            most = amounts.setdefault(each.contract, {})
            most[unit] = max(most.get(unit, 0), amount)
    return Baseline(
        agent=agent,
        since_at=since_at,
        until_at=until_at,
        contracts=dict(sorted(contracts.items())),
        records=dict(sorted(records.items())),
        hours=tuple(sum(each % HOURS == hour for each in awake) for hour in range(HOURS)),
        days=len({each * HOUR // DAY for each in awake}),
        busy=len(paces),
        busiest=max(paces.values(), default=0),
        amounts={name: dict(sorted(most.items())) for name, most in sorted(amounts.items())},
    )


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """What would have been flagged of the newer half of some actions, had the older half been what is normal."""

    actions: int
    """Of the newer half, those that were let through: whatever is flagged of them is flagged wrongly, unless they ought not to
    have been."""
    flagged: int
    by: dict[Unusual, int]
    """How many for each reason; one action may have several."""
    unready: dict[Unusual, str]
    """What the older half says nothing about: see `Baseline.unready`."""


def backtest(agent: AgentName, actions: Sequence[Observation]) -> Backtest:
    """How often what is learned from the older half of `actions` flags what was let through of the newer half."""
    ordered = sorted(actions, key=lambda each: each.at)
    half = len(ordered) // 2
    baseline = learned(agent, ordered[:half], since_at=0, until_at=0)
    by, paces, asked, flagged = Counter[Unusual](), Counter[int](), 0, 0
    paces.update(each.at // HOUR for each in ordered[:half])
    for each in ordered[half:]:
        paces[each.at // HOUR] += 1
        if each.normal:
            found = baseline.unusual(each, paces[each.at // HOUR])
            asked, flagged = asked + 1, flagged + bool(found)
            by.update(found)
    return Backtest(
        actions=asked,
        flagged=flagged,
        by={name: by[name] for name in UNUSUAL if by[name]},
        unready=baseline.unready(),
    )
