"""Uses that Interlock asks itself: each write that fails, and whoever is cancelled, leaves nothing half said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from interlock.adapters.memory import Fault
from interlock.domain.budget import Budget
from interlock.domain.errors import ContractError, StoreError
from interlock.domain.ids import Digest
from interlock.domain.proposal import Proposal
from interlock.domain.relayed import Question, Relayed, Reply, Route
from interlock.domain.task import Task
from interlock.domain.use import MODEL_USE, Asked, TokenCount, Use
from interlock.embedded import Embedded, Outside
from interlock.relay.metering import Metering
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio
REPLY = Reply(counted="provider", status=200, model="m-1", digest="d" * 64, size=3)
RELAYED = Relayed(
    route=Route(asked="m", provider="p", sent="m", request="r"), question=Question(digest=Digest("q" * 64), size=9)
)
ASKED = Asked(model="m", tokens=TokenCount(input=60, output=40), relayed=RELAYED)
TOOK = TokenCount(input=10, output=5)


async def made() -> tuple[World, Metering, Task]:
    """A world with a budget, and a task in it."""
    world = World()
    await world.apply(contract(), agent_budgets={"tokens": 1000})
    connection = Connection(Embedded(world.plane), Home(), lambda _: None, world.identity())
    return world, Metering(connection, world.plane.uses), await world.task()


async def stood(world: World) -> tuple[int, int]:
    """What is reserved and spent."""
    (found,) = [each for each in await world.store.all(Budget) if each.unit == "tokens"]
    return found.reserved, found.spent


@pytest.mark.proves("relay.metered")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_settling_fails_and_is_done_again_once(fault: Fault) -> None:
    """Whether it was stored or not when it failed: it is settled once, with its reply."""
    world, metering, task = await made()
    use = await metering.begin(task, ASKED)
    world.store.faults.at[world.store.faults.writes + 1] = fault
    await metering.settle(use, TOOK, REPLY)
    (found,) = await world.store.all(Use)

    assert (found.state, found.used, found.route) == ("settled", TOOK, RELAYED.route)
    assert found.reply is not None
    assert (found.reply.model, found.reply.digest) == ("m-1", "")
    assert await stood(world) == (0, 15)


@pytest.mark.proves("relay.metered")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_what_cannot_be_begun_is_not_asked(fault: Fault) -> None:
    """It raises; what was stored all the same is given up in time, and what was not takes nothing."""
    world, metering, task = await made()
    world.store.faults.at[world.store.faults.writes + 1] = fault
    try:
        await metering.begin(task, ASKED)
    except StoreError:
        assert await stood(world) == ((100, 0) if fault == "stored" else (0, 0))
    else:
        assert fault == "stored"


@pytest.mark.proves("relay.left")
async def test_whoever_is_cancelled_gives_back_what_was_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of beginning: what was reserved goes back. In the middle of settling: it is settled."""
    world, metering, task = await made()
    begun, going = asyncio.Event(), asyncio.Event()
    plain = world.plane.uses.begin, world.plane.uses.settle

    async def begin(proposal: Proposal) -> Use:
        begun.set()
        await going.wait()
        return await plain[0](proposal)

    async def settle(*args: Any, **how: Any) -> Use:
        begun.set()
        await going.wait()
        return await plain[1](*args, **how)

    monkeypatch.setattr(world.plane.uses, "begin", begin)
    asking = asyncio.ensure_future(metering.begin(task, ASKED))
    await begun.wait()
    asking.cancel()
    await asyncio.sleep(0)
    going.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    (first,) = await world.store.all(Use)
    assert (first.state, first.used, await stood(world)) == ("settled", TokenCount(input=0, output=0), (0, 0))

    second = await metering.begin(task, ASKED)
    begun.clear()
    going.clear()
    monkeypatch.setattr(world.plane.uses, "settle", settle)
    settling = asyncio.ensure_future(metering.settle(second, TOOK, REPLY))
    await begun.wait()
    settling.cancel()
    await asyncio.sleep(0)
    going.set()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert await stood(world) == (0, 15)


@pytest.mark.proves("relay.recorded")
async def test_no_program_outside_says_that_interlock_asked() -> None:
    """That a use was relayed, and so how many tokens it took by whose word, nobody says over HTTP."""
    world, _, task = await made()
    proposal = Proposal(task=task, contract=MODEL_USE, arguments=ASKED.arguments)

    with pytest.raises(ContractError, match="asks a model itself"):
        await Outside(world.plane).begin_use(proposal)
