"""After doubt: what a machine may do, by class, attempt and time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.action import Action
from interlock.domain.contract import Blind, Conditional, Contract, Keyed, Lookup, PythonTarget
from interlock.domain.settlement import (
    MAX_ATTEMPTS,
    Ask,
    Fail,
    Lose,
    Retry,
    Timing,
    after_no,
    after_refusal,
    backoff_ms,
    settle,
)
from interlock.testing.world import contract
from tests.domain.actions import action

ASK = PythonTarget(target="world:ask")
TIMING = Timing(lease_margin_ms=1_000, skew_ms=100)
EVERY = [
    contract(idempotency=Keyed(retention_ms=100_000)),
    contract(idempotency=Keyed(retention_ms=100_000), lookup=ASK),
    contract(idempotency=Conditional()),
    contract(idempotency=Conditional(), lookup=ASK),
    contract(idempotency=Lookup(quarantine_ms=700), lookup=ASK),
    contract(idempotency=Blind()),
    contract(idempotency=Blind(), lookup=ASK),
    contract(effect="read", reversal=None, idempotency=Blind()),
]
CONTRACTS = st.sampled_from(EVERY)
TIMES = st.integers(0, 300_000)


def tried(of: Contract, attempt: int, first: int = 0, last: int = 0) -> Action:
    """An action that was attempted."""
    return action(
        of, state="dispatching", attempt=attempt, first_dispatched_at=first or 1, dispatched_at=last or first or 1
    )


@pytest.mark.proves("settlement.never_blind", "execution.blind_once")
@given(CONTRACTS, st.integers(1, 9), TIMES)
def test_what_cannot_be_repeated_is_not_repeated(of: Contract, attempt: int, now: int) -> None:
    """A blind write is never retried, a lookup one only asked, and after five attempts nothing is retried."""
    step = settle(tried(of, attempt), of, now, TIMING)
    if isinstance(step, Retry):
        assert attempt < MAX_ATTEMPTS
        assert not of.acts or isinstance(of.idempotency, Keyed | Conditional)
        assert step.at > now
        assert not step.fresh


@pytest.mark.proves("settlement.asks_first")
@given(CONTRACTS, st.integers(1, 9), TIMES)
def test_what_can_be_asked_is_never_lost(of: Contract, attempt: int, now: int) -> None:
    """Whatever has a lookup is asked before it is left to a person, and a read is never lost."""
    step = settle(tried(of, attempt), of, now, TIMING)
    if isinstance(step, Lose):
        assert of.lookup is None
        assert of.acts


@pytest.mark.proves("execution.quarantine")
@given(CONTRACTS, st.integers(1, 9), TIMES, TIMES)
def test_nobody_is_asked_while_something_can_land(of: Contract, attempt: int, last: int, now: int) -> None:
    """The lookup is asked no earlier than timeout, lease, skew and quarantine after the last attempt began."""
    step = settle(tried(of, attempt, 1, last), of, now, TIMING)
    if isinstance(step, Ask):
        extra = of.idempotency.quarantine_ms if isinstance(of.idempotency, Lookup) else 0
        assert step.at == max(last, 1) + of.timeout_ms + TIMING.lease(of) + TIMING.skew_ms + extra
        assert TIMING.lease(of) > of.timeout_ms


@pytest.mark.proves("execution.retention")
@given(st.integers(1, 200_000), st.integers(1, MAX_ATTEMPTS - 1), TIMES, TIMES)
def test_no_repeat_can_land_after_the_key_is_forgotten(retention: int, attempt: int, first: int, now: int) -> None:
    """A retry that is allowed is over, lease, timeout and skew included, before the target drops the key."""
    of = contract(idempotency=Keyed(retention_ms=retention))
    step = settle(tried(of, attempt, first, first), of, now, TIMING)
    if isinstance(step, Retry):
        assert step.at + TIMING.lease(of) + TIMING.skew_ms < (first or 1) + retention


@pytest.mark.proves("execution.quarantine")
@given(CONTRACTS, st.integers(1, 9), TIMES, TIMES)
def test_a_no_counts_only_when_it_is_quiet(of: Contract, attempt: int, last: int, now: int) -> None:
    """Before that a no is asked again; afterwards it ends the action or permits one more first effect."""
    asked = tried(of, attempt, 1, last)
    step = after_no(asked, of, now, TIMING)
    if now < TIMING.quiet_at(asked, of):
        assert step == Ask(TIMING.quiet_at(asked, of))
    elif attempt >= MAX_ATTEMPTS or isinstance(of.idempotency, Blind):
        assert isinstance(step, Fail)
    else:
        assert step == Retry(now, fresh=True)


@pytest.mark.proves("execution.refusal_of_a_repeat")
@given(CONTRACTS, st.integers(1, 9), TIMES)
def test_a_refusal_speaks_for_its_own_attempt(of: Contract, attempt: int, now: int) -> None:
    """The first refusal is the end; that of a repeat is not, where the first attempt may have landed."""
    step = after_refusal(tried(of, attempt), of, "no", now, TIMING)
    repeats = of.acts and isinstance(of.idempotency, Keyed | Conditional)
    assert isinstance(step, Fail) == (attempt == 1 or not repeats)


@given(st.integers(0, 40))
def test_backoff_grows_and_is_bounded(attempt: int) -> None:
    """Never shorter than before, never longer than ten seconds."""
    assert 100 <= backoff_ms(attempt) <= backoff_ms(attempt + 1) <= 10_000
