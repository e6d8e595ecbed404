"""Whoever asks a server over HTTP, to be measured: an agent's program, and a person in a browser."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from bench.crowded import lay_out
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.site import definition, read_site
from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.sdk.identity import Identity, shows
from interlock.services.plane import ControlPlane
from interlock.testing.adapters import InstanceKey, SystemClock, SystemIds
from interlock.web.access import TOKEN_HEADER, form_token
from tests.web.remote import Remote

PASSWORD: Final = "measured by the hour, and by nobody else"  # noqa: S105  of people who exist for an hour
SETTINGS: Final = "identity: {attest: [local, bootstrap]}\nserver: {rate: 100000}\n"


class Program:
    """An agent's program on another machine, recognised by a bootstrap token."""

    def __init__(self, client: httpx.AsyncClient, secret: str, agent: AgentName) -> None:
        self.remote, self._agent = Remote(client), agent
        self.identity = Identity(self.remote, InstanceKey(), SystemClock(), SystemIds(), shows("bootstrap", secret))
        self.connection = Connection(self.remote, Home(), lambda _: None, self.identity)

    async def opened(self) -> Task:
        """An open task."""
        return await self.connection.opened(
            Opening(agent=self._agent, purpose="to fill the shelves", initiator="user:customer")
        )

    async def closed(self, task: Task) -> None:
        """No more of it."""
        await self.connection.closed(task, "")

    async def asked(self, task: Task, contract: str, arguments: dict[str, JsonValue]) -> Proposal:
        """A call that is ready to be sent."""
        proposal = Proposal(task=task, contract=ContractName(contract), arguments=arguments)
        return await self.identity.presented(proposal)

    async def act(self, task: Task, contract: str, arguments: dict[str, JsonValue]) -> Action:
        """Propose an action."""
        return await self.connection.propose(Proposal(task=task, contract=ContractName(contract), arguments=arguments))


@asynccontextmanager
async def workspace(folder: Path) -> AsyncGenerator[ControlPlane]:
    """A workspace in force in `folder`, and this process's own hands on it."""
    lay_out(folder, settings=SETTINGS)
    plane = connect(folder, begin=True)
    try:
        await plane.registry.apply(definition(read_site(folder)), by="bench")
        yield plane
    finally:
        await plane.close()


async def program(plane: ControlPlane, client: httpx.AsyncClient, agent: str) -> Program:
    """One more instance of `agent`."""
    secret, _ = await plane.inviting.offer(AgentName(agent), by=Person("rita"))
    return Program(client, secret, AgentName(agent))


async def browser(plane: ControlPlane, client: httpx.AsyncClient, person: str) -> None:
    """Sign `person` in, in the browser that `client` is, and give them a password."""
    token, _ = await plane.signing_in.offer(Person(person), by="bench")
    signed = await plane.signing_in.by_link(token)
    await plane.signing_in.set_password(Person(person), PASSWORD, session=signed.session)
    _is(client, signed.token)


async def sign_in(client: httpx.AsyncClient, person: str) -> None:
    """By the password."""
    client.cookies.clear()
    answer = await client.post("/sign-in", data={"name": person, "password": PASSWORD, "next": "/"})
    if answer.status_code != 303:
        raise RuntimeError(f"{person} was not let in: {answer.status_code}")
    _is(client, str(answer.cookies["interlock"]))


def _is(client: httpx.AsyncClient, token: str) -> None:
    client.cookies.clear()
    client.cookies.set("interlock", token)
    client.headers[TOKEN_HEADER] = form_token(token)


async def vote(client: httpx.AsyncClient, action: str) -> None:
    """Look at one that waits, and approve it."""
    shown = await client.get(f"/v1/approvals/{action}")
    answer = await client.post(f"/v1/approvals/{action}/approve", json={"view": shown.json()["view"], "note": "fine"})
    if answer.status_code != 200:
        raise RuntimeError(f"the vote did not count: {answer.status_code} {answer.text[:300]}")


async def listen(client: httpx.AsyncClient, seconds: float) -> int:
    """A page that is open for so long. How many times it was told something."""
    told = 0
    try:
        async with asyncio.timeout(seconds), client.stream("GET", "/live", timeout=None) as answer:
            if answer.status_code != 200:
                raise RuntimeError(f"no stream: {answer.status_code}")
            async for line in answer.aiter_lines():
                told += line == "event: changed"
    except TimeoutError:
        pass
    return told


def client_of(address: str) -> httpx.AsyncClient:
    """Somebody's connection, from a page of the server's."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.AsyncClient(base_url=address, headers={"origin": address}, limits=limits, timeout=60)
