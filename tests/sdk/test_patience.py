"""When a call is made again, how long it waits before that, and when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from interlock.domain.errors import InterlockError, NotAllowed, StoreBusy, StoreFull, Unanswered, Unreachable
from interlock.domain.problem import AFTER
from interlock.domain.refusals import TooMany
from interlock.sdk.patience import Patience


class Hands:
    """A clock that is moved by waiting, and no chance."""

    def __init__(self) -> None:
        self.at = 0
        self.waits: list[int] = []

    def now(self) -> int:
        """As far as was waited."""
        return self.at

    async def sleep(self, ms: int) -> None:
        """Wait."""
        self.at += ms
        self.waits.append(ms)

    def nonce(self) -> str:
        """Nothing."""
        return "0" * 32

    def new(self) -> str:
        """Nothing."""
        return ""


def tried(errors: Sequence[InterlockError], *, repeatable: bool = True, takes_ms: int = 0) -> tuple[object, list[int]]:
    """What comes of a call that fails so before it succeeds, and how long was waited in between."""
    hands, left = Hands(), list(errors)

    async def attempt() -> str:
        hands.at += takes_ms
        if left:
            raise left.pop(0)
        return "done"

    try:
        return asyncio.run(Patience().over(attempt, hands, hands, repeatable=repeatable)), hands.waits
    except InterlockError as error:
        return error, hands.waits


def test_what_passes_is_waited_for_ever_longer() -> None:
    """Each wait is twice the one before, and after five attempts the last error is raised."""
    last = Unreachable("5")
    assert tried([Unreachable("1"), Unanswered("2"), StoreBusy("3")]) == ("done", [100, 200, 400])
    assert tried([*(Unreachable(str(n)) for n in range(4)), last]) == (last, [100, 200, 400, 800])


def test_what_does_not_pass_is_not_repeated() -> None:
    """A no, a full disk or a certificate that nobody trusts is said at once."""
    for error in (NotAllowed("no"), StoreFull("full"), Unreachable("who", passing=False)):
        assert tried([error]) == (error, [])


def test_as_long_as_we_are_told() -> None:
    """What the answer says of when to come back counts, also where that is longer than all patience: then it is raised."""
    soon, late = TooMany(2), TooMany(60)
    soon.members[AFTER], late.members[AFTER] = 2, 60
    assert tried([soon]) == ("done", [2000])
    assert tried([late]) == (late, [])


@pytest.mark.proves("remote.once")
def test_what_counts_once_is_repeated_only_where_nothing_was_asked() -> None:
    """A call that must not be made twice is made again after it reached nobody, and not after its answer was lost."""
    lost = Unanswered("lost")
    assert tried([Unreachable("nobody")], repeatable=False) == ("done", [100])
    assert tried([lost], repeatable=False) == (lost, [])


def test_patience_ends() -> None:
    """After half a minute no other attempt begins."""
    lost = Unanswered("slow")
    assert tried([lost], takes_ms=31_000) == (lost, [])
