"""Attempts that read, decide and write, made again while somebody else writes first."""

import pytest

from interlock.domain.errors import Conflict, NotAllowed
from interlock.services.again import ROUNDS, again

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("firsts", "made"), [(0, 1), (3, 4), (ROUNDS - 1, ROUNDS), (ROUNDS, ROUNDS)])
async def test_an_attempt_is_made_again_until_nobody_was_first(firsts: int, made: int) -> None:
    """As often as somebody else was first and once more, but no more than fifty times; then whoever asks is told."""
    attempts: list[int] = []

    @again
    async def attempt(number: int) -> int:
        attempts.append(number)
        if len(attempts) <= firsts:
            raise Conflict("somebody was first", kind="action", key="a")
        return number

    if firsts < ROUNDS:
        assert await attempt(7) == 7
    else:
        with pytest.raises(Conflict):
            await attempt(7)
    assert attempts == [7] * made


async def test_what_is_not_allowed_is_not_tried_again() -> None:
    """Any other error is the answer."""
    attempts: list[int] = []

    @again
    async def attempt() -> None:
        attempts.append(1)
        raise NotAllowed("no")

    with pytest.raises(NotAllowed):
        await attempt()
    assert len(attempts) == 1
