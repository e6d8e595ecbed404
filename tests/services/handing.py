"""Processes that hand tasks to each other, over a real gate."""

import msgspec

from interlock.adapters.keys import SigningKey, fresh
from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.handover import Handover, read_handover
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.jwk import thumbprint
from interlock.domain.possession import Call, prove
from interlock.domain.presented import Presented, called
from interlock.domain.proposal import Proposal
from interlock.domain.selector import Selector
from interlock.domain.spiffe import plane_id
from interlock.domain.task import Task
from interlock.embedded import Embedded
from interlock.sdk.connection import Connection
from interlock.sdk.handing import Handing, Tokens, Wanted
from interlock.sdk.home import Home
from interlock.sdk.identity import Identity
from interlock.services.plane import ControlPlane
from interlock.testing.world import World, contract

DOMAIN = "t.interlock.internal"
PUT = contract()
UP_TO_FIVE: Wanted = {"thing.put": {"n": {"constraint_type": "range", "min": 0, "max": 5}}}


class Key:
    """The key of an instance, with which a test may sign what no SDK would."""

    def __init__(self, name: str) -> None:
        self.signing: SigningKey = fresh(name)

    @property
    def public(self) -> bytes:
        """See `Possession.public`."""
        return self.signing.verifier.public

    @property
    def thumbprint(self) -> str:
        """By which its holder is known."""
        return thumbprint(self.public)

    def sign(self, message: bytes) -> bytes:
        """See `Possession.sign`."""
        return self.signing.sign(message)


class Program:
    """One process of the agent `ag`, with its own key."""

    def __init__(self, world: World, name: str, process: ControlPlane | None = None) -> None:
        self.world = world
        self.key = Key(name)
        self.process = process or world.another(name)
        self.plane = Embedded(self.process)
        self.identity = Identity(self.plane, self.key, world.clock, world.ids)
        self.connection = Connection(self.plane, Home(), lambda _: None, self.identity)

    async def invitation(self) -> str:
        """What it shows to whoever hands it a task."""
        return await self.identity.credential(World.agent)

    async def hand(
        self,
        task: Task,
        to: "Program",
        tools: Wanted = UP_TO_FIVE,
        *,
        tokens: Tokens | None = None,
        opened: bool = True,
        budgets: dict[str, int] | None = None,
        lasts_ms: int | None = None,
        purpose: str = "a part of it",
        agent: str = "ag",
        data: Selector | None = None,
    ) -> str:
        """The text that hands on a part of `task`."""
        wanted = Handing(
            agent=AgentName(agent),
            to=await to.invitation(),
            purpose=purpose,
            tools=tools,
            data=data,
            budgets=budgets or {},
            lasts_ms=lasts_ms,
            prohibited=(),
            plan="",
        )
        return await (tokens or Tokens(self.plane, self.identity, task)).handed(wanted, opened=opened)

    async def propose(
        self,
        task: Task,
        tokens: Tokens | None = None,
        name: str = "thing.put",
        *,
        here: bool = True,
        **arguments: JsonValue,
    ) -> Action:
        """Propose as this process does."""
        proposal = Proposal(task=task, contract=ContractName(name), arguments=arguments or {"n": 1}, here=here)
        return await self.connection.propose(proposal, tokens)

    async def present(
        self,
        task: Task,
        chain: tuple[str, ...],
        *,
        token: str = "",
        key: Key | None = None,
        proof: str = "",
        **arguments: JsonValue,
    ) -> Action:
        """Propose with any chain, and a proof that names `token` by `key`."""
        key, said = key or self.key, arguments or {"n": 1}
        call = called(task.id, "thing.put", said, None, audience=plane_id(DOMAIN), token=token)
        presented = Presented(credential=await self.invitation(), proof=proof or self.proof(call, key), chain=chain)
        proposal = Proposal(task=task, contract=ContractName("thing.put"), arguments=said, presented=presented)
        return await self.process.gate.propose(proposal)

    def proof(self, call: Call, key: Key | None = None) -> str:
        """A proof of `call`."""
        key = key or self.key
        now = self.world.clock.now()
        return prove(call, jti=self.world.ids.new(), now=now, public=key.public, sign=key.sign)


async def ready() -> tuple[World, Program, Program, Task]:
    """A world whose gate asks who calls, two programs, and a task of the first."""
    world = World(proven=True)
    await world.apply(PUT, contract("thing.drop"))
    parent, child = Program(world, "parent"), Program(world, "child")
    return world, parent, child, await world.task(budgets={"calls": 10})


def chain_of(text: str) -> tuple[str, ...]:
    """The tokens in a text that hands on a task."""
    return read_handover(text)[0].chain


def with_chain(text: str, chain: tuple[str, ...]) -> str:
    """The text with other tokens."""
    handover: Handover = read_handover(text)[0]
    return msgspec.structs.replace(handover, chain=chain).text
