"""Who is on call when: a weekly rota for a role, in the zone of the people in it.

support_lead:
  zone: Europe/Berlin
  shifts:
    - {days: mon-fri, from: "09:00", to: "17:00", people: [rita, ben]}
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import date as date_type
from typing import Final, Literal, get_args

import msgspec

from interlock.domain.ids import Person

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = get_args(Day)
FARTHEST: Final = 366
"""How many days are looked ahead for hours on call. A rota is weekly, so whoever has none by then has none."""
_MS: Final = timedelta(milliseconds=1)


class Shift(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same hours on some days of the week. One whose end is not after its beginning ends on the day after."""

    days: tuple[Day, ...]
    begins: int
    """Minutes after midnight, by the clock on the wall."""
    ends: int
    people: tuple[Person, ...] = ()
    """Who of the role; empty: everybody in it."""


class Rota(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The week of one role."""

    zone: str = "UTC"
    """A name of the IANA time zone database."""
    shifts: tuple[Shift, ...]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One shift on one day."""

    begins_at: int
    """UTC ms; so is `ends_at`."""
    ends_at: int
    people: tuple[Person, ...]


def now_on_call(rota: Rota, zone: tzinfo, now: int) -> tuple[Stretch, ...]:
    """The shifts that run at `now` (UTC ms)."""
    return tuple(each for each in _stretches(rota, zone, now, days=1) if each.begins_at <= now < each.ends_at)


def next_on_call(rota: Rota, zone: tzinfo, now: int) -> Stretch | None:
    """The shift that begins next after `now` (UTC ms), or None where there is none."""
    # A shift of each weekday comes within a week; the day more is for clocks that are changed.
    return next((each for each in _stretches(rota, zone, now, days=8) if each.begins_at > now), None)


def passed(rota: Rota, zone: tzinfo, since: int, wanted: int) -> int:
    """When `wanted` milliseconds of hours on call have passed since `since` (UTC ms). Hours in which two shifts run count
    once. A rota without any hours counts all of them: a deadline that never came would be none."""
    left, reached = wanted, since
    for each in _stretches(rota, zone, since, days=FARTHEST):
        begins = max(each.begins_at, reached)
        if each.ends_at <= begins:
            continue
        if each.ends_at - begins >= left:
            return begins + left
        left -= each.ends_at - begins
        reached = each.ends_at
    return since + wanted if reached == since else reached + left


def _stretches(rota: Rota, zone: tzinfo, since: int, *, days: int) -> Iterator[Stretch]:
    """The shifts of the day before `since` and of so many days from it on, in the order in which they begin."""
    first = datetime.fromtimestamp(since // 1000, tz=UTC).astimezone(zone).date() - timedelta(days=1)
    for count in range(days + 2):
        date = first + timedelta(days=count)
        today = [shift for shift in rota.shifts if DAYS[date.weekday()] in shift.days]
        found = [
            Stretch(begins_at=_at(date, each.begins, zone), ends_at=_at(date, _until(each), zone), people=each.people)
            for each in today
        ]
        yield from sorted(found, key=lambda each: (each.begins_at, each.ends_at))


def _until(shift: Shift) -> int:
    return shift.ends if shift.ends > shift.begins else shift.ends + 24 * 60


def _at(date: date_type, minutes: int, zone: tzinfo) -> int:
    """UTC ms of a time on the wall. One that a change of the clock leaves out is the moment of the change or after it."""
    midnight = datetime.fromisoformat(f"{date}T00:00:00")
    wall = (midnight + timedelta(minutes=minutes)).replace(tzinfo=zone)
    return (wall.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // _MS
