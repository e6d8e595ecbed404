"""A served workspace in which everything that an agent can write is hostile text."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.bootstrap.connecting import identity_of
from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from tests.web.world import Served, served

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202eeman\u0007{{7*7}}"
MARKS = ("<script>alert", "<img src=x", "\u202e", "\u0007")
"""What of it must stand in no page as it is."""
PEOPLE = """\
rita: [reviewer, policy_author]
olga: [operator]
vera: [viewer]
aude: [auditor]
ada: [admin]
ana: [reviewer]
ria: [reviewer, lead]
"""


class Busy:
    """A server behind which agents were at work."""

    def __init__(self, site: Served, task: Task, inner: Task) -> None:
        self.site, self.task, self.inner = site, task, inner
        self.done: Action
        self.held: Action
        self.denied: Action
        self.refused: Action

    async def get(self, path: str, person: str = "rita", status: int = 200) -> str:
        """A page, which must hold nothing of what is hostile as it is."""
        answer = await self.site.client_of(person).get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-600:])
        for mark in MARKS:
            assert mark not in answer.text, (path, mark)
        return answer.text


@asynccontextmanager
async def busy(folder: Path) -> AsyncGenerator[Busy]:
    """One action that was done, one that people are asked about, one denied, one of no contract: each says the worst it can."""
    async with served(folder, people=PEOPLE) as site:
        embedded = Embedded(site.plane)
        opening = Opening(agent=AgentName("ag"), purpose=EVIL, initiator=f"user:{EVIL}")
        task = await site.plane.tasks.open(opening)
        inner = await site.plane.tasks.open(Opening(agent=AgentName("ag"), purpose=f"inner {EVIL}", parent=task))
        made = Busy(site, task, inner)
        identity = identity_of(site.plane)

        async def propose(contract: str, where: Task, **arguments: JsonValue) -> Action:
            proposal = Proposal(
                task=where, contract=ContractName(contract), arguments=dict(arguments), justification=EVIL
            )
            return await embedded.propose(await identity.presented(proposal))

        made.done = await propose("box.put", inner, n=5, word=EVIL)
        made.held = await propose("box.put", task, n=500, word=EVIL)
        made.denied = await propose("box.put", task, n=5_000, word=EVIL)
        made.refused = await propose(EVIL, task, word=EVIL)
        yield made
