"""A process that dies right after any step leaves what `domain/steps.py` says, and another one makes good of it."""

import pytest

from interlock.domain.steps import NAMES
from interlock.testing.parts import Crash
from tests.services.shop import CLASSES, STORIES, Shop, disagreements

pytestmark = pytest.mark.anyio


class Count:
    """Counts the steps reached and dies at one of them."""

    def __init__(self, die_at: int = 0) -> None:
        self.reached_names: list[str] = []
        self._die_at = die_at

    def reached(self, step: str) -> None:
        """Note it, and die if it is the one."""
        self.reached_names.append(step)
        if len(self.reached_names) == self._die_at:
            raise Crash(step)


async def path(name: str, kind: str) -> list[str]:
    """The steps the story goes through when nothing fails."""
    steps = Count()
    shop = await Shop(kind, steps=steps).open()
    await STORIES[name](shop)
    return steps.reached_names


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.proves("steps.crash", "action.exactly_once", "budget.exact", "log.agrees")
async def test_a_crash_after_each_step(name: str, kind: str) -> None:
    """Whatever step it dies after, forward or in an undo: nothing is doubled, nothing is lost, nothing is stuck, and what
    only a person can know is unknown."""
    steps = await path(name, kind)
    for nth, step in enumerate(steps, start=1):
        shop = await Shop(kind, steps=Count(nth)).open()
        with pytest.raises(Crash):
            await STORIES[name](shop)
        shop.clock.advance(5_000)
        await shop.finish(shop.another("survivor"), rounds=12)
        assert (nth, step, await disagreements(shop)) == (nth, step, [])
        unknown = [each for each in await shop.actions() if each.state == "unknown"]
        assert not unknown or kind in ("blind", "conditional")


@pytest.mark.proves("steps.named")
async def test_every_step_has_its_name_and_is_reached() -> None:
    """The table of steps is the code's: each is reached by some story, and none that it does not name."""
    seen = {step for name in STORIES for kind in CLASSES for step in await path(name, kind)}

    assert seen == NAMES
