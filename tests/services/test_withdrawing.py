"""What was asked for is taken back while it waits, and never once it began."""

import pytest

from interlock.domain.ids import Person
from interlock.services.withdrawing import WITHDRAWN
from tests.services.shop import Shop

pytestmark = pytest.mark.anyio


@pytest.mark.proves("action.withdrawn")
async def test_what_waits_is_voided_and_gives_back_its_budget() -> None:
    """Withdrawn while people are asked, it ends as voided, on record, with nothing reserved, and nobody can agree to it."""
    shop = await Shop().open()
    action = await shop.propose(await shop.task(), key="a", n=50)
    assert action.state == "held"
    after = await shop.plane.withdrawing.withdraw(action.id)
    assert (after.state, after.reasons) == ("voided", (WITHDRAWN,))
    assert await shop.reserved() == 0
    assert (await shop.store.entries_of(action.id))[-1].phase == "voided"
    assert (await shop.plane.withdrawing.withdraw(action.id)).revision == after.revision
    await shop.finish(rounds=2)
    assert not shop.effects


@pytest.mark.proves("action.withdrawn")
async def test_what_began_goes_on() -> None:
    """Done, or agreed to and done by a worker, it is as it was: no word takes an effect back but an undo."""
    shop = await Shop().open()
    task = await shop.task()
    done = await shop.propose(task, key="a", n=1)
    agreed = await shop.propose(task, key="b", n=50)
    await shop.plane.approvals.approve(agreed.id, Person("rita"))
    await shop.finish(rounds=1)
    for each in (done, agreed):
        assert (await shop.plane.withdrawing.withdraw(each.id)).state == "done"


@pytest.mark.proves("action.withdrawn")
async def test_what_was_agreed_to_and_not_begun_is_voided() -> None:
    """Between a person's yes and the dispatch it can still be taken back."""
    shop = await Shop().open()
    action = await shop.propose(await shop.task(), key="a", n=50)
    await shop.plane.approvals.approve(action.id, Person("rita"))
    assert (await shop.plane.withdrawing.withdraw(action.id)).state == "voided"
    await shop.finish(rounds=2)
    assert not shop.effects
