"""Tools that only a program far away has: the effect runs there, under the server's gate, once; what nobody reports is found
out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

import interlock
from interlock.domain.action import Action
from interlock.domain.claimed import Report
from interlock.domain.errors import IllegalMove, NotAllowed
from interlock.domain.ids import ActionId, ContractName
from interlock.domain.proposal import Proposal
from interlock.sdk.carrying_out import Carrying
from interlock.sdk.connection import Connection
from tests.remote.own import FILES
from tests.remote.road import How
from tests.remote.test_lost import FATES
from tests.remote.world import Reached, reached


class Hand:
    """A program's own tool, and what it did."""

    def __init__(self) -> None:
        self.did: list[tuple[str, int, int]] = []
        """Key, attempt and what."""

    def put(self, call: interlock.Call, n: int) -> dict[str, Any]:
        """Do it."""
        self.did.append((call.idempotency_key, call.attempt, n))
        return {"n": n, "note": "fine"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Reached]:
    """A server whose agent has tools of its program's own."""
    with reached(tmp_path, margin="2s", files=FILES) as made:
        yield made


def program(site: Reached, hand: Hand, *names: str) -> interlock.Client:
    """One that has them."""
    client = site.open()
    for name in names or ("own.blind", "own.keyed", "own.conditional"):
        client.offer(name, hand.put)
    return client


def stored(site: Reached, action_id: str) -> Action:
    """As the server has it."""
    found = site.there(site.plane.means.store.get(Action, action_id))
    assert found is not None
    return found


@pytest.mark.proves("remote.own_tools")
@pytest.mark.parametrize("name", ["own.blind", "own.keyed", "own.conditional"])
def test_a_programs_own_tool_runs_in_the_program(site: Reached, name: str) -> None:
    """It is proposed, decided and recorded at the server, and called once, in the program, with what was agreed to."""
    hand = Hand()
    with program(site, hand) as client, client.task("ag", purpose="test") as task:
        done = task.propose(name, n=3, idempotency_key="order-7")
        again = task.propose(name, n=3, idempotency_key="order-7")

    assert isinstance(done, interlock.Done)
    assert isinstance(again, interlock.Done)
    assert done.result == {"n": 3, "note": "fine"}
    assert hand.did == [("order-7", 1, 3)]
    action = stored(site, done.action_id)
    assert (action.state, action.place, action.owner, action.attempt) == ("done", name, None, 1)


@pytest.mark.proves("remote.own_tools")
@pytest.mark.parametrize("fate", FATES, ids="-".join)
def test_what_is_lost_between_is_called_once(tmp_path: Path, fate: tuple[How, ...]) -> None:
    """Whichever of the claim's and the report's requests and answers is lost or doubled: one call, one outcome."""
    hand = Hand()
    with reached(tmp_path, margin="20s", files=FILES) as site:
        site.road.will("/claim", *fate)
        site.road.will("/report", *fate)
        with program(site, hand) as client, client.task("ag", purpose="test") as task:
            done = task.propose("own.keyed", n=3)

    assert isinstance(done, interlock.Done)
    assert len(hand.did) == 1


@pytest.mark.proves("remote.own_tools")
def test_it_waits_for_people_and_runs_once_they_agreed(site: Reached) -> None:
    """What is held is not claimed; its ticket, waited for in the program, runs it there once somebody agreed."""
    hand = Hand()
    with program(site, hand) as client, client.task("ag", purpose="test", on_behalf_of="user:ana") as task:
        held = task.propose("own.blind", n=300)
        assert isinstance(held, interlock.Held)
        assert isinstance(held.ticket.wait(timeout_ms=200), interlock.Held)
        assert hand.did == []
        site.person(lambda rita: rita.approve(held.action_id))
        done = held.ticket.wait(timeout_ms=20_000)

    assert isinstance(done, interlock.Done)
    assert [n for _, _, n in hand.did] == [300]


@pytest.mark.proves("remote.own_tools")
def test_what_was_stopped_meanwhile_is_not_handed_out(site: Reached) -> None:
    """Everything that may stop it is asked once more when it is claimed: a brake that was pulled after people agreed holds."""
    hand = Hand()
    with program(site, hand) as client, client.task("ag", purpose="test", on_behalf_of="user:ana") as task:
        held = task.propose("own.blind", n=300)
        assert isinstance(held, interlock.Held)
        site.person(lambda rita: rita.approve(held.action_id))
        site.there(site.plane.braking.stop("agent", "ag", by="rita", why="a test"))
        still = held.ticket.wait(timeout_ms=1_500)

    assert not isinstance(still, interlock.Done)
    assert hand.did == []


def test_without_the_function_it_is_pending(site: Reached) -> None:
    """A program that does not have the tool is told that it waits, and no worker fails it for that."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        waits = task.propose("own.blind", n=3)
        site.work()
        still = waits.ticket.wait(timeout_ms=300) if isinstance(waits, interlock.Pending) else None

    assert isinstance(waits, interlock.Pending)
    assert isinstance(still, interlock.Pending)


@pytest.mark.proves("remote.own_tools")
def test_only_who_holds_the_task_may_claim(site: Reached) -> None:
    """Another instance of the same agent, with a proof of its own, is given no call and may report nothing."""
    hand = Hand()
    with site.open() as mine, site.open() as other, mine.task("ag", purpose="test") as task:
        waits = task.propose("own.blind", n=3)
        connection = other._connection

        async def stolen() -> None:
            action = stored(site, waits.action_id)
            carrying = Carrying(connection.plane, connection.identity, Offers(hand))
            with pytest.raises(NotAllowed):
                await carrying.out(action)
            with pytest.raises(NotAllowed):
                await carrying._reported(action, Report(fence=1, came="landed", result={"n": 1}))

        asyncio.run(stolen())
        assert isinstance(waits, interlock.Pending)
    assert hand.did == []
    assert stored(site, waits.action_id).state == "ready"


class Offers:
    """Has every tool."""

    def __init__(self, hand: Hand) -> None:
        self.hand = hand

    def has(self, name: str, key: str) -> bool:
        """Yes."""
        del name, key
        return True

    async def call(self, name: str, arguments: dict[str, Any], call: interlock.Call, timeout_ms: int) -> Any:
        """Do it."""
        del name, timeout_ms
        return interlock.Landed(self.hand.put(call, arguments["n"]))


class Dying(Offers):
    """A program that is gone in the middle of its call."""

    async def call(self, name: str, arguments: dict[str, Any], call: interlock.Call, timeout_ms: int) -> Any:
        """Do it, and never come back."""
        del name, timeout_ms
        self.hand.put(call, arguments["n"])
        raise InterruptedError


def left_behind(client: interlock.Client, task: Any, name: str, own: Offers, key: str) -> tuple[ActionId, Carrying]:
    """An action whose call was made, and whose program said nothing."""
    connection: Connection = client._connection

    async def died() -> tuple[ActionId, Carrying]:
        presented = await connection.identity.presented(
            Proposal(task=task.task, contract=ContractName(name), arguments={"n": 3}, idempotency_key=key)
        )
        action = await connection.plane.propose(presented)
        carrying = Carrying(connection.plane, connection.identity, own)
        with pytest.raises(InterruptedError):
            await carrying.out(action)
        return action.id, carrying

    return connection.home.block(died)


class Slept:
    """The way to the server on a machine that sleeps once a claim is answered: its own time stands still, the one on the wall
    goes on."""

    def __init__(self, connection: Connection, ms: int) -> None:
        self._there, self._identity, self._ms = connection.plane, connection.identity, ms
        self._clock = connection.identity._clock
        self._behind = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._there, name)

    async def claim(self, *given: Any) -> Any:
        """What is claimed, and then sleep."""
        found = await self._there.claim(*given)
        self._identity._clock, self._behind = self, self._ms
        return found

    def now(self) -> int:
        """On the wall."""
        return self._clock.now() + self._behind

    async def sleep(self, ms: int) -> None:
        """As always."""
        await self._clock.sleep(ms)


@pytest.mark.proves("remote.own_crash")
def test_a_machine_that_slept_over_its_lease_begins_nothing(site: Reached) -> None:
    """The time that a lease has passes while a laptop is shut, though the clock of its processes stands still then."""
    hand = Hand()
    with site.open() as client, client.task("ag", purpose="test") as task:
        waits = task.propose("own.blind", n=3)
        connection = client._connection

        async def slept() -> Action:
            carrying = Carrying(Slept(connection, 10_000), connection.identity, Offers(hand))
            return await carrying.out(stored(site, waits.action_id))

        after = connection.home.block(slept)
    assert hand.did == []
    assert after.state == "failed"


@pytest.mark.proves("remote.own_crash")
def test_what_nobody_reports_is_found_out_by_its_class(site: Reached) -> None:
    """Once the lease ran out, a blind call is unknown and never made again; a late word on it is refused, and stands in the
    log."""
    hand = Hand()
    with program(site, hand) as client, client.task("ag", purpose="test") as task:
        name, carrying = left_behind(client, task, "own.blind", Dying(hand), "order-7")
        assert stored(site, name).state == "dispatching"
        time.sleep(3.2)
        site.work()
        lost = stored(site, name)
        before = len(site.there(site.plane.means.log.entries_of(name)))

        async def late() -> None:
            with pytest.raises(IllegalMove, match="is over"):
                await carrying._reported(lost, Report(fence=lost.dispatched_fence, came="landed", result={"n": 3}))

        client._connection.home.block(late)
        again = task.propose("own.blind", n=3, idempotency_key="order-7")
        after = len(site.there(site.plane.means.log.entries_of(name)))

    assert lost.state == "unknown"
    assert isinstance(again, interlock.Unknown)
    assert after == before + 1
    assert len(hand.did) == 1
    report = site.there(site.plane.audit.verify())
    assert not report.findings, report.findings


@pytest.mark.proves("remote.own_crash")
def test_a_keyed_call_is_made_again_under_its_key_by_its_program_alone(site: Reached) -> None:
    """A keyed call that nobody reported is unknown to everybody; the program that has the tool repeats it with the same key."""
    hand = Hand()
    with program(site, hand) as client, client.task("ag", purpose="test") as task:
        name, _ = left_behind(client, task, "own.keyed", Dying(hand), "order-7")
        time.sleep(3.2)
        site.work()
        lost = stored(site, name)
        time.sleep(0.2)
        done = task.propose("own.keyed", n=3, idempotency_key="order-7")

    assert (lost.state, lost.place) == ("unknown", "own.keyed")
    assert isinstance(done, interlock.Done)
    assert [(key, attempt) for key, attempt, _ in hand.did] == [("order-7", 1), ("order-7", 2)]
    report = site.there(site.plane.audit.verify())
    assert not report.findings, report.findings


def test_a_tool_that_breaks_is_what_it_is_at_the_server(site: Reached) -> None:
    """A promise that nothing happened fails it; any other exception leaves a blind one unknown, and has a keyed one tried
    again."""
    calls: list[int] = []

    def drops(n: int) -> None:
        raise interlock.NoEffect("no room")

    def breaks(n: int) -> None:
        calls.append(n)
        raise RuntimeError("cable cut")

    with site.open() as client, client.task("ag", purpose="test") as task:
        client.offer("own.blind", drops)
        failed = task.propose("own.blind", n=1)
        client.offer("own.blind", breaks)
        unknown = task.propose("own.blind", n=2)
        client.offer("own.keyed", breaks)
        tried = task.propose("own.keyed", n=3)

    assert isinstance(failed, interlock.Failed)
    assert "no room" in str(failed)
    assert isinstance(unknown, interlock.Unknown)
    assert isinstance(tried, interlock.Unknown)
    assert calls == [2, 3, 3, 3, 3, 3]


def test_what_it_returns_is_held_against_the_contract_and_filtered(site: Reached) -> None:
    """The server looks at a program's result as at any: another form is noted, a secret masked, what is too large not
    recorded."""
    secret = "AKIAIOSFODNN7EXAMPLE"  # noqa: S105  an example, of AWS's own
    with site.open() as client, client.task("ag", purpose="test") as task:
        client.offer("own.blind", lambda n: {"n": n, "note": f"key {secret}"})
        masked = task.propose("own.blind", n=1)
        client.offer("own.blind", lambda n: {"n": f"many: {n}"})
        misfit = task.propose("own.blind", n=2)
        client.offer("own.blind", lambda n: {"n": n, "note": "x" * 2_000_000})
        large = task.propose("own.blind", n=3)

    assert isinstance(masked, interlock.Done)
    assert secret not in str(masked.result)
    assert isinstance(misfit, interlock.Done)
    assert misfit.note
    assert isinstance(large, interlock.Done)
    assert "unrecordable" in str(large.result)


def test_asynchronous_tools_run_on_the_programs_loop(site: Reached) -> None:
    """Several at once in an asynchronous program, each its own call, on the loop of the program."""
    loops: set[int] = set()

    async def put(n: int) -> dict[str, int]:
        loops.add(id(asyncio.get_running_loop()))
        await anyio.sleep(0.01)
        return {"n": n}

    async def main() -> tuple[list[interlock.Outcome], int]:
        async with site.open() as client, client.task("ag", purpose="test") as task:
            client.offer("own.keyed", put)
            found = await asyncio.gather(*(task.propose("own.keyed", n=n) for n in range(5)))
            return found, id(asyncio.get_running_loop())

    found, here = asyncio.run(main())
    assert [each.result for each in found if isinstance(each, interlock.Done)] == [{"n": n} for n in range(5)]
    assert loops == {here}
