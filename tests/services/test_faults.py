"""Every write fails, once stored and once not, in every story; a worker of another process makes good what is left."""

import contextlib

import pytest
from tests.services.shop import CLASSES, STORIES, Shop, disagreements

from interlock.adapters.memory import Fault
from interlock.domain.errors import StoreError

pytestmark = pytest.mark.anyio


async def writes(name: str, kind: str) -> int:
    """How many writes the story needs when nothing fails."""
    shop = await Shop(kind).open()
    before = shop.store.faults.writes
    await STORIES[name](shop)
    return shop.store.faults.writes - before


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.proves("store.fault_pairs", "action.exactly_once", "budget.exact", "log.agrees")
async def test_each_write_that_fails(name: str, kind: str, fault: Fault) -> None:
    """Whichever write fails, and whether or not it was stored: the caller sees a StoreError or nothing, the effect is
    there once or not at all and never claimed without being there, and store, log, budgets and world agree."""
    total = await writes(name, kind)
    assert total > 1
    for nth in range(1, total + 1):
        shop = await Shop(kind).open()
        shop.store.faults.at[shop.store.faults.writes + nth] = fault
        with contextlib.suppress(StoreError):
            await STORIES[name](shop)
        await shop.finish(shop.another("survivor"), rounds=12)
        assert (nth, await disagreements(shop)) == (nth, [])


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", STORIES)
async def test_the_stories_end_well_without_faults(name: str, kind: str) -> None:
    """Without any fault nothing disagrees, and nothing is unknown unless the class is bound to end so."""
    shop = await Shop(kind).open()
    await STORIES[name](shop)
    await shop.finish()

    assert await disagreements(shop) == []
    blind = {("retry", "conditional"), ("retry", "blind"), ("silent", "blind")}
    assert ("unknown" in {each.state for each in await shop.actions()}) == ((name, kind) in blind)
