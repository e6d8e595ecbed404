"""Rates: never more calls than allowed in any span, and what is kept to know that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.duration import MINUTE, SECOND
from interlock.domain.errors import RateExceeded
from interlock.domain.rate import Count, Rate, Recent, Stretch, counted

NOON = 1_800_000_000_000
GAPS = st.lists(st.integers(0, 400), min_size=1, max_size=120)
"""Milliseconds between calls."""


def called(rate: Rate, gaps: list[int]) -> tuple[list[int], list[tuple[int, int]], Recent]:
    """When calls were let through; those that were not, with when there would be room; and what is kept at the end."""
    recent, at = Recent(scope="tag:web"), NOON
    passed, refused = list[int](), list[tuple[int, int]]()
    for gap in gaps:
        at += gap
        try:
            recent = counted(recent, Count(scope="tag:web", rate=rate, at=at))
            passed.append(at)
        except RateExceeded as error:
            refused.append((at, error.again_at))
    return passed, refused, recent


@pytest.mark.proves("rate.exact")
@given(st.integers(1, 60), st.integers(1, 3_000), GAPS)
def test_no_span_holds_more_calls_than_the_rate(calls: int, per_ms: int, gaps: list[int]) -> None:
    """Wherever a span of that length begins, as many were let through in it as may be, or fewer."""
    passed, _, recent = called(Rate(calls=calls, per_ms=per_ms), gaps)

    for at in passed:
        assert sum(at <= each < at + per_ms for each in passed) <= calls
    assert len(recent.stretches) <= 18


@pytest.mark.proves("rate.exact")
@given(st.integers(1, 16), st.integers(1, 3_000), GAPS)
def test_few_calls_are_counted_each_by_itself(calls: int, per_ms: int, gaps: list[int]) -> None:
    """Up to sixteen calls a span, none is refused that could have been let through."""
    passed, refused, _ = called(Rate(calls=calls, per_ms=per_ms), gaps)

    for at, again in refused:
        before = [each for each in passed if each <= at]
        assert sum(each > at - per_ms for each in before) == calls
        assert again == sorted(before)[-calls] + per_ms


@pytest.mark.proves("rate.exact")
@given(st.integers(17, 60), st.integers(32, 3_000), GAPS)
def test_many_calls_wait_a_sixteenth_longer_at_most(calls: int, per_ms: int, gaps: list[int]) -> None:
    """Of more calls a span, one that is refused had no room with a sixteenth of the span added to it."""
    passed, refused, _ = called(Rate(calls=calls, per_ms=per_ms), gaps)

    for at, again in refused:
        assert sum(at - per_ms - per_ms // 16 < each <= at for each in passed) >= calls
        assert at < again <= at + per_ms


@pytest.mark.proves("rate.told")
def test_a_refusal_says_the_limit_and_when_there_is_room() -> None:
    """In whole seconds, rounded up, from when the call was made."""
    rate = Rate(calls=1, per_ms=MINUTE)
    recent = counted(Recent(scope="contract:mail.send"), Count(scope="contract:mail.send", rate=rate, at=NOON))

    with pytest.raises(RateExceeded) as caught:
        counted(recent, Count(scope="contract:mail.send", rate=rate, at=NOON + 100))

    assert caught.value.detail == (
        "contract:mail.send may make 1 call in 1m, and has made them; there is room again in 60 s"
    )
    assert caught.value.again_at == NOON + MINUTE


def test_of_several_clocks_the_one_that_is_ahead_counts() -> None:
    """A clock that is behind makes no room: its calls count as made with the latest one."""
    rate = Rate(calls=2, per_ms=SECOND)
    ahead = Recent(scope="tenant", stretches=(Stretch(NOON + 5_000, NOON + 5_000, 1),))
    second = counted(ahead, Count(scope="tenant", rate=rate, at=NOON))

    with pytest.raises(RateExceeded):
        counted(second, Count(scope="tenant", rate=rate, at=NOON + 5_999))
    assert counted(second, Count(scope="tenant", rate=rate, at=NOON + 6_000)).stretches[-1].last == NOON + 6_000


@pytest.mark.parametrize(("calls", "per_ms"), [(0, 1), (-1, 1), (1, 0)])
def test_what_is_no_rate_says_why(calls: int, per_ms: int) -> None:
    """No calls, or no time, is none."""
    assert Rate(calls=calls, per_ms=per_ms).problem()
