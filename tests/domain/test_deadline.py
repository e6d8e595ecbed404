"""Until when people are asked, and who is asked next: worked out once, and only ever stricter where several policies ask."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from interlock.domain.approval import Approval, agreed, hold, reached, roles_for, walked
from interlock.domain.deadline import Overdue, Step, Terms, read_chain, read_deadline
from interlock.domain.duration import DAY, HOUR, MINUTE
from interlock.domain.ids import Digest, Person
from interlock.domain.on_call import Rota, Shift, now_on_call, passed
from interlock.domain.policy import Requirement
from interlock.domain.schedule import Frame, planned

NOW = 1_790_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = Shift(days=("mon", "tue", "wed", "thu", "fri"), begins=9 * 60, ends=17 * 60, people=(Person("rita"),))
OFFICE = Rota(zone="Europe/Berlin", shifts=(WEEKDAYS,))


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    """UTC ms of a time on the wall."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def need(policy: str = "p", role: str = "lead", **terms: object) -> Requirement:
    """One requirement, with what its policy says of the time."""
    return Requirement(role=role, quorum=1, policy=policy, terms=Terms(**terms))  # type: ignore[arg-type]  # free fields


def by_the_clock(role: str, since: int, wanted: int) -> int:
    """Nobody has hours."""
    del role
    return since + wanted


def frame(*, until: int | None = NOW + 30 * DAY, overdue: Overdue = "deny") -> Frame:
    """A day, within a long task."""
    return Frame(now=NOW, within_ms=DAY, until=until, overdue=overdue)


# -- what is written ---------------------------------------------------------------------------------------------


def test_what_a_policy_says_is_read_exactly() -> None:
    """A deadline is a duration, by the clock or on call; a chain is different roles."""
    assert read_deadline("30m") == Terms(within_ms=30 * MINUTE)
    assert read_deadline("4h on call") == Terms(within_ms=4 * HOUR, on_call=True)
    assert read_chain("lead, manager") == ("lead", "manager")


@pytest.mark.parametrize("text", ["", "0m", "on call", "30", "4h oncall", "4h on  call", "-1h", "99999999999d"])
def test_what_is_no_deadline_is_refused(text: str) -> None:
    """Nothing is guessed at."""
    with pytest.raises(ValueError, match=r"\w"):
        read_deadline(text)


@pytest.mark.parametrize("text", ["", "a,,b", "a, a", "a b", "a,b,c,d,e,f"])
def test_what_is_no_chain_is_refused(text: str) -> None:
    """An empty role, one twice, too many."""
    with pytest.raises(ValueError, match=r"\w"):
        read_chain(text)


# -- the schedule ------------------------------------------------------------------------------------------------


def test_each_role_has_the_deadline_and_then_silence_is_a_no() -> None:
    """Reminded at half and at four fifths of its time; then the next, and at the end of the last it is over."""
    asked = planned([need(within_ms=30 * MINUTE, escalate=("boss",))], frame(), by_the_clock)

    told = [((step.at - NOW) // MINUTE, step.what, step.role) for step in asked.steps]
    assert told == [
        (15, "remind", "lead"),
        (24, "remind", "lead"),
        (30, "escalate", "boss"),
        (45, "remind", "boss"),
        (54, "remind", "boss"),
    ]
    assert asked.expires_at == NOW + 60 * MINUTE


def test_what_may_be_parked_stays_open_until_its_task_ends() -> None:
    """Late, and not over. An undo, which outlives its task, waits thirty days at most."""
    parked = planned([need(within_ms=HOUR, overdue="park")], frame(), by_the_clock)
    undo = planned([need(within_ms=HOUR, overdue="park")], frame(until=None), by_the_clock)

    assert parked.steps[-1] == Step(at=NOW + HOUR, what="overdue")
    assert (parked.expires_at, undo.expires_at) == (NOW + 30 * DAY, NOW + 30 * DAY)


def test_one_policy_that_says_no_is_enough() -> None:
    """Of several that ask, each must say `park`; and the workspace speaks only where a policy does not."""
    mixed = planned([need("p", overdue="park"), need("q", overdue="deny")], frame(overdue="park"), by_the_clock)
    ours = planned([need("p")], frame(overdue="park"), by_the_clock)

    assert all(step.what != "overdue" for step in mixed.steps)
    assert ours.steps[-1].what == "overdue"


def test_no_reminder_where_there_is_no_time_for_one() -> None:
    """Of a deadline of two minutes nobody is reminded a few seconds before it is over."""
    assert planned([need(within_ms=90_000)], frame(), by_the_clock).steps == ()


TERMS = some.builds(
    need,
    policy=some.sampled_from("pqr"),
    within_ms=some.integers(0, 3 * DAY),
    escalate=some.lists(some.sampled_from("abcde"), max_size=5, unique=True).map(tuple),
    overdue=some.sampled_from(["", "deny", "park"]),
)


@given(needs=some.lists(TERMS, min_size=1, max_size=4), lasts=some.integers(1, 40 * DAY))
def test_another_policy_only_ever_makes_it_stricter(needs: list[Requirement], lasts: int) -> None:
    """Everything comes in order, before the end, within the task; asking with one more never gives more time."""
    bounds = frame(until=NOW + lasts)
    asked = planned(needs, bounds, by_the_clock)
    fewer = planned(needs[:-1] or needs, bounds, by_the_clock)

    assert [step.at for step in asked.steps] == sorted(step.at for step in asked.steps)
    assert all(NOW < step.at < asked.expires_at for step in asked.steps)
    assert asked.expires_at <= fewer.expires_at <= NOW + lasts


# -- walking it --------------------------------------------------------------------------------------------------


def test_a_wider_circle_keeps_the_words_there_are_and_never_counts_one_person_twice() -> None:
    """The chain is bound from the first on. Whoever it goes on to counts from then on, once, and not who asked for it."""
    asking = planned([need(within_ms=30 * MINUTE, escalate=("boss",))], frame(), by_the_clock)
    digest = Digest("0" * 64)
    asked = hold(
        action=digest, contract=digest, release=digest, bundle=digest, requirements=(need(escalate=("boss",)),),
        expires_at=asking.expires_at, view=digest, steps=asking.steps,
    )  # fmt: skip
    later = walked(asked, NOW + 31 * MINUTE)

    assert (later.binding, later.walked, reached(asked, later)) == (asked.binding, 3, "escalated")
    assert roles_for(asked, asked.requirements[0]) == {"lead"}
    assert roles_for(later, later.requirements[0]) == {"lead", "boss"}
    assert walked(later, NOW) == later
    words = [
        Approval(person=Person(name), roles=roles, verdict="approve", binding=asked.binding, decided_at=NOW)
        for name, roles in {"bo": ("boss",), "ana": ("boss", "lead"), "cy": ("cook",)}.items()
    ]
    spoken = msgspec.structs.replace(later, approvals=(*words, words[0]))
    assert agreed(spoken, spoken.requirements[0], initiator="user:ana") == 1
    assert agreed(spoken, spoken.requirements[0], initiator="user:eve") == 2


# -- hours on call -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "hours", "then"),
    [
        ("2026-11-20T10:00", 4, "2026-11-20T14:00"),
        ("2026-11-20T15:00", 4, "2026-11-23T11:00"),
        ("2026-11-21T03:00", 4, "2026-11-23T13:00"),
        ("2026-03-27T16:00", 2, "2026-03-30T10:00"),
    ],
)
def test_only_the_hours_of_the_week_count(since: str, hours: int, then: str) -> None:
    """A Friday afternoon goes on on Monday morning, also where the clocks change on Sunday."""
    assert passed(OFFICE, BERLIN, at(since), hours * HOUR) == at(then)


def test_who_is_on_call_now() -> None:
    """By the clock on their wall; a shift over midnight belongs to the day it began."""
    night = Rota(shifts=(Shift(days=("sat",), begins=22 * 60, ends=6 * 60, people=(Person("ben"),)),))

    assert [each.people for each in now_on_call(OFFICE, BERLIN, at("2026-11-20T16:59"))] == [("rita",)]
    assert now_on_call(OFFICE, BERLIN, at("2026-11-20T17:00")) == ()
    assert [each.people for each in now_on_call(night, UTC, at("2026-11-22T05:00", ZoneInfo("UTC")))] == [("ben",)]
    assert now_on_call(night, UTC, at("2026-11-22T07:00", ZoneInfo("UTC"))) == ()


SHIFTS = some.builds(
    Shift,
    days=some.lists(some.sampled_from(["mon", "wed", "sun"]), unique=True, max_size=3).map(tuple),
    begins=some.integers(0, 1439),
    ends=some.integers(0, 1439),
)


@given(
    shifts=some.lists(SHIFTS, max_size=3), since=some.integers(0, 400 * DAY // MINUTE), wanted=some.integers(1, 5_000)
)
def test_hours_on_call_pass_no_faster_than_the_clock(shifts: list[Shift], since: int, wanted: int) -> None:
    """Counted minute by minute: so many of them, and not one more, are on call before the moment that is given."""
    rota, began = Rota(shifts=tuple(shifts)), NOW // MINUTE * MINUTE + since * MINUTE
    then = passed(rota, UTC, began, min(wanted, 120) * MINUTE)

    assert then >= began + min(wanted, 120) * MINUTE
    if then - began <= 10 * DAY and any(shift.days for shift in shifts):
        minutes = sum(bool(now_on_call(rota, UTC, at)) for at in range(began, then, MINUTE))
        assert minutes == min(wanted, 120)
