"""Every write fails, once stored and once not, in every story; a worker of another process makes good what is left."""

import contextlib
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from interlock.adapters.memory import Fault, MemoryStore
from interlock.adapters.sealer import LogSealer
from interlock.domain.change import Change
from interlock.domain.errors import StoreError, StoreUnsure
from interlock.domain.ids import Person, StreamId
from interlock.domain.notice import Notice
from interlock.testing.world import permit
from tests.services.shop import ASK, CLASSES, RITA, STORIES, Shop, above_ten, disagreements

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


@pytest.mark.parametrize("name", ["allow", "approve", "modify", "reject"])
@pytest.mark.proves("store.unsure")
async def test_what_was_stored_all_the_same_is_found_out(name: str) -> None:
    """A write that failed and was stored is read back: where a person or an agent asked, they get their answer."""
    for nth in range(1, await writes(name, "keyed") + 1):
        shop = await Shop().open()
        shop.store.faults.at[shop.store.faults.writes + nth] = "stored"
        try:
            await STORIES[name](shop)
        except StoreUnsure:
            # Only a claim cannot be read back, as nobody knows yet what was claimed.
            (action,) = await shop.actions()
            assert (name in ("approve", "modify"), action.state, action.owner) == (True, "ready", "w1")


class Meddling(MemoryStore):
    """When it is not sure whether it stored, somebody else writes before anybody can read."""

    meddle: Callable[[], Awaitable[object]] | None = None

    async def commit(self, change: Change) -> tuple[Notice, ...]:
        """Commit, and let somebody else go first where that failed."""
        try:
            return await super().commit(change)
        except StoreUnsure:
            meddle, self.meddle = self.meddle, None
            if meddle is not None:
                await meddle()
            raise


def meddling(shop: Shop) -> Meddling:
    """A store on the same truth, in which somebody meddles."""
    store = Meddling(shop.store.tenant, LogSealer(shop.keys, StreamId(shop.ids.new()), shop.ids), shop.store.faults)
    store._join(shop.store._truth)
    return store


@pytest.mark.proves("store.unsure")
async def test_a_new_action_that_somebody_took_further_was_stored() -> None:
    """Stored without an answer and claimed by a worker at once: whoever proposed it is not told that nothing was stored."""
    shop = await Shop().open()
    task = await shop.task()
    store = shop.store = meddling(shop)
    shop.plane = shop.another("w2")
    await shop.plane.orders.current()
    store.meddle = lambda: shop.work(shop.calm)
    store.faults.at[store.faults.writes + 1] = "stored"

    action = await shop.propose(task, key="a", here=False)

    assert (await shop.action(action)).state == "done"


@pytest.mark.proves("store.unsure")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_what_somebody_else_wrote_over_is_not_guessed(fault: Fault) -> None:
    """An action that moved on while the store was not sure: whether our word was in it is said to be unsure."""
    shop = await Shop().open()
    await shop.apply(*shop.tools(), rules=(permit(), (msgspec.structs.replace(ASK, quorum=3), above_ten)), bundle="b2")
    action = await shop.propose(await shop.task(), key="a", n=50)
    store = shop.store = meddling(shop)
    process = shop.another("w2")
    await process.orders.current()

    async def meddle() -> None:
        for person in (Person("ria"), Person("leo")):
            await shop.calm.approvals.approve(action.id, person)

    store.meddle = meddle
    store.faults.at[store.faults.writes + 1] = fault

    with pytest.raises(StoreUnsure):
        await process.approvals.approve(action.id, RITA)
    assert (await shop.action(action)).hold is not None
