"""After a crash or an ambiguous error: what may be done, by the contract's idempotency class.

A pure function of the action, the contract and the time. It never guesses: whatever it cannot know becomes
`Lose`, which makes the action visibly `unknown`.
"""

import msgspec

from interlock.domain.action import Action
from interlock.domain.contract import Blind, Conditional, Contract, Keyed, Lookup

MAX_ATTEMPTS = 5
"""Attempts at one effect before a person is asked."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The installation's own times, in ms."""

    lease_margin_ms: int = 5_000
    """A lease outlives the tool's timeout by this, so that recording the outcome fits in."""
    skew_ms: int = 1_000
    """How far apart we let two clocks of one installation be."""

    def lease(self, contract: Contract) -> int:
        """How long a lease on one call of `contract` lasts. Never shorter than its timeout."""
        return contract.timeout_ms + self.lease_margin_ms

    def quiet_at(self, action: Action, contract: Contract) -> int:
        """When the last attempt can no longer land: timeout, lease and skew are over, and the contract's quarantine."""
        extra = contract.idempotency.quarantine_ms if isinstance(contract.idempotency, Lookup) else 0
        started = action.dispatched_at or 0
        return started + contract.timeout_ms + self.lease(contract) + self.skew_ms + extra


class Retry(msgspec.Struct, frozen=True):
    """Call again, with the same key or precondition, not before `at`."""

    at: int
    fresh: bool = False
    """Nothing happened so far, as is now known: this is a first effect, and whatever may stop one may stop it."""


class Ask(msgspec.Struct, frozen=True):
    """Ask the contract's lookup, not before `at`: until then a *no* would prove nothing."""

    at: int


class Fail(msgspec.Struct, frozen=True):
    """It did not happen, cannot happen any more, and is not tried again by itself."""

    why: str


class Lose(msgspec.Struct, frozen=True):
    """Nothing may be done by a machine: a person settles it."""

    why: str


NextStep = Retry | Ask | Fail | Lose


def backoff_ms(attempt: int) -> int:
    """How long to wait before attempt number `attempt` + 1: 0.1 s, 0.2 s, 0.4 s ... at most 10 s."""
    return min(100 << max(attempt - 1, 0), 10_000)


def settle(action: Action, contract: Contract, now: int, timing: Timing) -> NextStep:
    """What to do about `action`, whose last attempt may or may not have landed.

    The class decides. `keyed`: the target drops our repeat while it keeps the key, so retry within its retention.
    `conditional`: a second landing fails its precondition, so retry; see `after_precondition`. `lookup`: wait until nothing
    can land any more, then ask. `blind`: lose. A read has no effect to double. Whatever has a lookup is asked before it is lost.
    """
    retry_at = now + backoff_ms(action.attempt)
    if action.attempt >= MAX_ATTEMPTS:
        return unrepeated(action, contract, timing, f"{action.attempt} attempts did not settle it")
    if not contract.acts:
        return Retry(retry_at)
    match contract.idempotency:
        case Keyed(retention_ms=retention):
            first = action.first_dispatched_at or now
            if retry_at + timing.lease(contract) + timing.skew_ms >= first + retention:
                return _ask_or_lose(action, contract, timing, "the target no longer keeps our key")
            return Retry(retry_at)
        case Conditional():
            return Retry(retry_at)
        case Lookup():
            return Ask(timing.quiet_at(action, contract))
        case Blind():
            return _ask_or_lose(action, contract, timing, "the tool can neither be asked nor repeated")


def after_no(action: Action, contract: Contract, now: int, timing: Timing) -> NextStep:
    """What to do when the lookup said that it did not happen. Only after `quiet_at` is that an answer."""
    quiet = timing.quiet_at(action, contract)
    if now < quiet:
        return Ask(quiet)
    if action.attempt >= MAX_ATTEMPTS or isinstance(contract.idempotency, Blind):
        return Fail("the target was asked after nothing could land any more: it did not happen")
    return Retry(now, fresh=True)


def after_refusal(action: Action, contract: Contract, why: str, now: int, timing: Timing) -> NextStep:
    """What to do when the tool says that nothing happened.

    On a repeat that speaks for the repeat alone. Of a `conditional` call the precondition may have failed because our
    own first attempt landed; a `keyed` one may not even have reached the target, where the first one did.
    """
    if action.attempt > 1 and contract.acts:
        match contract.idempotency:
            case Conditional():
                why = f"a repeat was refused, perhaps because the first landed: {why}"
                return _ask_or_lose(action, contract, timing, why)
            case Keyed():
                return settle(action, contract, now, timing)
            case Lookup() | Blind():
                # Repeated only after a *no* that counts.
                pass
    return Fail(why)


def unrepeated(action: Action, contract: Contract, timing: Timing, why: str) -> Ask | Fail | Lose:
    """What to do about an action whose last attempt may or may not have landed, and that is not repeated. A read has failed."""
    return _ask_or_lose(action, contract, timing, why) if contract.acts else Fail(why)


def _ask_or_lose(action: Action, contract: Contract, timing: Timing, why: str) -> Ask | Lose:
    if contract.lookup is not None:
        return Ask(timing.quiet_at(action, contract))
    return Lose(why)
