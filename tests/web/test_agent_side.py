"""Agents' programs over HTTP: what a proof opens, and what nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from interlock.domain.errors import InterlockError, NotAllowed
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.sdk.became import Whose
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.sdk.identity import Identity, shows
from interlock.testing.adapters import InstanceKey, SystemClock, SystemIds
from tests.web.remote import Remote
from tests.web.world import Served, served

pytestmark = pytest.mark.anyio
AG = AgentName("ag")
PUT = ContractName("box.put")


class Program:
    """An agent's program on another machine, recognised by a bootstrap token."""

    def __init__(self, site: Served, secret: str) -> None:
        self.remote = Remote(site.anonymous)
        self.home = Home()
        identity = Identity(self.remote, InstanceKey(), SystemClock(), SystemIds(), shows("bootstrap", secret))
        self.connection = Connection(self.remote, self.home, lambda _: None, identity)

    async def task(self) -> Task:
        """An open task of its agent's."""
        return await self.connection.opened(Opening(agent=AG, purpose="from afar", initiator="user:customer"))


@asynccontextmanager
async def programs(folder: Path, count: int = 1) -> AsyncGenerator[tuple[Served, list[Program]]]:
    """The server, and programs that reach it by nothing but HTTP."""
    async with served(folder, settings="identity: {attest: [local, bootstrap]}\n") as site:
        made = []
        for _ in range(count):
            secret, _token = await site.plane.inviting.offer(AG, by=Person("rita"))
            made.append(Program(site, secret))
        yield site, made
        for each in made:
            each.home.stop()


async def test_an_agent_acts_from_afar(tmp_path: Path) -> None:
    """A program enrols, opens a task, proposes, waits while people decide, has its proof and closes: all over HTTP, once."""
    async with programs(tmp_path) as (site, (program,)):
        task = await program.task()
        low = await program.connection.propose(Proposal(task=task, contract=PUT, arguments={"n": 1}))
        high = await program.connection.propose(Proposal(task=task, contract=PUT, arguments={"n": 500}))
        rita = site.client_of("rita")
        view = (await rita.get(f"/v1/approvals/{high.id}")).json()["view"]
        await rita.post(f"/v1/approvals/{high.id}/approve", json={"view": view})
        done = await program.connection._became._waited(high.id, Whose(AG, task.id), 10_000)
        proof = await program.connection.proof(high.id, "ag", anchored=False)
        await program.connection.closed(task, "")
        after = await program.connection.propose(Proposal(task=task, contract=PUT, arguments={"n": 2}))

    assert (low.state, high.state, done.state) == ("done", "held", "done")
    assert site.place.effects() == ["put 1", "put 500"]
    assert proof.phase == "outcome"
    assert after.state in ("refused", "denied")


@pytest.mark.proves("server.proof_alone")
async def test_nobody_else_reads_waits_closes_or_acts(tmp_path: Path) -> None:
    """Another instance of the same agent, with a proof of its own, gets nothing of a task that it does not hold."""
    async with programs(tmp_path, 2) as (site, (mine, other)):
        task = await mine.task()
        held = await mine.connection.propose(Proposal(task=task, contract=PUT, arguments={"n": 500}))
        other.connection._became.known.update(mine.connection._became.known)
        outcome = await other.connection.propose(Proposal(task=task, contract=PUT, arguments={"n": 3}))
        refused: list[InterlockError] = []
        for work in (
            lambda: other.connection._became._waited(held.id, Whose(AG, task.id), 0),
            lambda: other.connection.proof(held.id, "ag", anchored=False),
            lambda: other.connection.closed(task, ""),
        ):
            with pytest.raises(InterlockError) as error:
                await work()
            refused.append(error.value)

    assert outcome.state == "refused"
    assert {each.code for each in refused} <= {"not_allowed", "not_found"}
    assert site.place.effects() == []


@pytest.mark.proves("server.proof_alone")
async def test_a_stolen_call_is_good_for_nothing(tmp_path: Path) -> None:
    """What was overheard of a call counts no second time, for no other action, and with no other argument."""
    async with programs(tmp_path) as (site, (program,)):
        task = await program.task()
        await program.connection.propose(Proposal(task=task, contract=PUT, arguments={"n": 1}))
        path, body = program.remote.last
        stolen = (body, body | {"arguments": {"n": 2}}, body | {"contract": "box.take"}, body | {"task": "x"})
        answers: list[dict[str, Any]] = [
            (await site.anonymous.post(f"/v1/agent/{path}", json=each)).json() for each in stolen
        ]

    assert [each.get("state", each.get("code")) for each in answers][:3] == ["refused"] * 3
    assert answers[3]["code"] == "not_found"
    assert site.place.effects() == ["put 1"]


async def test_being_here_is_no_word_from_afar(tmp_path: Path) -> None:
    """Where programs on the server's own machine need nothing but to be there, one that comes over HTTP is not recognised."""
    async with served(tmp_path) as site:
        remote = Remote(site.anonymous)
        identity = Identity(remote, InstanceKey(), SystemClock(), SystemIds(), shows("local", ""))
        home = Home()
        connection = Connection(remote, home, lambda _: None, identity)
        with pytest.raises(NotAllowed):
            await connection.opened(Opening(agent=AG, purpose="x", initiator=""))
        home.stop()


@pytest.mark.proves("server.proof_alone")
async def test_no_session_stands_for_a_proof(tmp_path: Path) -> None:
    """Whoever is signed in, with every permission, gets nothing of the agents' side without a proof; nor does a body say what
    only the gate may."""
    async with programs(tmp_path) as (site, (program,)):
        task = await program.task()
        rita = site.client_of("rita")
        empty = {"credential": "", "proof": ""}
        closed = await rita.post(f"/v1/agent/tasks/{task.id}/close", json={"shown": empty})
        acted = await rita.post(
            "/v1/agent/actions", json={"shown": empty, "task": task.id, "contract": "box.put", "arguments": {"n": 1}}
        )
        claimed = await rita.post(
            "/v1/agent/actions",
            json={"shown": empty | {"outside": False}, "task": task.id, "contract": "box.put", "arguments": {"n": 1}},
        )
        instance = await rita.post(
            "/v1/agent/actions",
            json={"shown": empty, "task": task.id, "contract": "box.put", "arguments": {"n": 1}, "instance": "x"},
        )

    assert closed.status_code == 403
    assert acted.json()["state"] == "refused"
    assert (claimed.status_code, instance.status_code) == (400, 400)
    assert site.place.effects() == []


async def test_waiting_ends_by_itself(tmp_path: Path) -> None:
    """A request that waits is answered when its time is over, and none waits longer than a request may."""
    async with programs(tmp_path) as (site, (program,)):
        task = await program.task()
        held = await program.connection.propose(Proposal(task=task, contract=PUT, arguments={"n": 500}))
        async with asyncio.timeout(5):
            early = await program.connection._became._waited(held.id, Whose(AG, task.id), 50)
        body = program.remote.last[1] | {"timeout_ms": 3_600_000}
        long = await site.anonymous.post(f"/v1/agent/actions/{held.id}/wait", json=body)

    assert early.state == "held"
    assert long.status_code == 400
