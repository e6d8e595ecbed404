"""A whole control plane in memory, with the clock, the policies, the outside world and the store's faults in hand."""

from functools import partial

import msgspec

from interlock.adapters.issuing import InstanceKey, KeyIssuer
from interlock.adapters.keys import Keys, fresh
from interlock.adapters.memory import Faults, MemoryStore
from interlock.adapters.parsing import LaterSql
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.adapters.sqlite.rollups import SqliteRollups
from interlock.domain.access_token import Resource
from interlock.domain.action import Action
from interlock.domain.agent import Agent, Approvals, Owners, Runtime, Stage
from interlock.domain.attesting import Attestation
from interlock.domain.budget import Budget
from interlock.domain.canonical import JsonValue
from interlock.domain.channel import Channel
from interlock.domain.contract import Contract, Keyed, NoReversal, PythonTarget, Reversal, checked
from interlock.domain.duration import DAY
from interlock.domain.ids import AgentName, ContractName, Person, StreamId, Tenant, WorkerId
from interlock.domain.policy import Policy
from interlock.domain.proposal import Proposal
from interlock.domain.publishing import Publishing
from interlock.domain.rate import Rate
from interlock.domain.record import Record
from interlock.domain.rights import Rights
from interlock.domain.routing import Routing
from interlock.domain.settlement import Timing
from interlock.domain.task import Opening, Task
from interlock.domain.vigilance import Watch
from interlock.embedded import Embedded
from interlock.ports.access_tokens import AccessTokens
from interlock.ports.attestor import Attestor
from interlock.ports.notifier import Notifier
from interlock.ports.steps import Steps
from interlock.ports.store import ActionQuery
from interlock.sdk.identity import Identity, Shows
from interlock.services.editions import Definition
from interlock.services.means import Means
from interlock.services.plane import ControlPlane, plane
from interlock.testing.parts import (
    CountedIds,
    ListedPrices,
    ManualClock,
    Predicate,
    PredicatePolicies,
    QuickPasswords,
    ScriptedEffectors,
    SilentSteps,
    UnsafeOpenDoor,
)

OWNERS = Owners(decision="rita", policy="ria", data="reviewer", engineering="ana")
PEOPLE = {Person("rita"): ("reviewer",), Person("ria"): ("reviewer", "lead"), Person("ana"): ("reviewer",)}
TIMING = Timing(lease_margin_ms=1_000, skew_ms=100)


def permit(name: str = "all") -> tuple[Policy, Predicate]:
    """A policy that permits everything."""
    return Policy(id=f"permit.{name}", effect="permit", owner="pia"), lambda _: True


def contract(name: str = "thing.put", **changes: object) -> Contract:
    """A contract with one integer argument `n`; a low-risk, keyed write undone by `thing.take`, unless changed."""
    base = Contract(
        name=ContractName(name),
        input_schema={
            "type": "object",
            "properties": {"n": {"type": "integer", "minimum": 0}},
            "required": ["n"],
            "additionalProperties": False,
        },
        effect="write",
        idempotency=Keyed(),
        risk="low",
        reversal=Reversal(contract=ContractName("thing.take"), arguments={"n": "$args.n"}),
        target=PythonTarget(target=f"world:{name}"),
        timeout_ms=500,
    )
    return checked(msgspec.structs.replace(base, **changes))


TAKE = contract("thing.take", reversal=NoReversal(why="it is itself an undo"))


class World:
    """One tenant, one agent `ag`, the contracts given, and everything under control."""

    agent = AgentName("ag")

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        steps: Steps | None = None,
        worker: str = "w1",
        proven: bool = False,
        attestation: Attestation | None = None,
        attestor: Attestor | None = None,
        access_tokens: AccessTokens | None = None,
        resource: Resource | None = None,
    ) -> None:
        self.attestation = attestation or Attestation()
        self.attestor = attestor
        self.access_tokens = access_tokens
        self.resource = resource or Resource()
        self.proven = proven
        """Whether the gate asks who calls; then `propose` shows it."""
        self.issuer = KeyIssuer(fresh("test/log/identity"), "t.interlock.internal")
        self.clock = ManualClock()
        self.ids = CountedIds()
        self.people = dict(PEOPLE)
        self.instance = ""
        """The thumbprint of the key of whoever proposes."""
        self.effectors = ScriptedEffectors()
        self.prices = ListedPrices()
        self.passwords = QuickPasswords()
        self.policies = PredicatePolicies()
        self.keys = Keys(log=fresh("test/log"), gate=fresh("test/log/gate"))
        self.store = MemoryStore(Tenant("t"), LogSealer(self.keys, StreamId(self.ids.new()), self.ids), faults=faults)
        self.watch = Watch()
        """Items known to be bad, of the processes that are made from now on."""
        self.channels: tuple[Channel, ...] = ()
        """Ways to people outside, of the processes that are made from now on."""
        self.notifiers: dict[str, Notifier] = {}
        self.plane = self.another(worker, steps)

    def another(self, worker: str, steps: Steps | None = None) -> ControlPlane:
        """Another process on the same store."""
        return plane(
            Means(
                tenant=Tenant("t"),
                worker=WorkerId(worker),
                store=self.store,
                log=self.store,
                index=partial(AuditIndex.open, None),
                rollups=partial(SqliteRollups.open, None),
                policies=self.policies,
                effectors=self.effectors,
                parser=LaterSql(),
                prices=self.prices,
                passwords=self.passwords,
                clock=self.clock,
                ids=self.ids,
                steps=steps or SilentSteps(),
                timing=TIMING,
                channels=self.channels,
                watch=self.watch,
                notifiers=self.notifiers,
                public_url="https://interlock.test",
                issuer=self.issuer,
                attestation=self.attestation,
                attestor=self.attestor,
                access_tokens=self.access_tokens,
                resource=self.resource,
                door=None if self.proven else UnsafeOpenDoor(),
            )
        )

    def identity(self, process: ControlPlane | None = None, shown: Shows | None = None) -> Identity:
        """One more running instance, which has no credential yet."""
        return Identity(Embedded(process or self.plane), InstanceKey(), self.clock, self.ids, shown or Shows())

    async def apply(
        self,
        *contracts: Contract,
        rules: tuple[tuple[Policy, Predicate], ...] = (),
        stage: Stage = "partial",
        budgets: dict[str, int] | None = None,
        agent_budgets: dict[str, int] | None = None,
        agent_soft: dict[str, int] | None = None,
        bundle: str = "b1",
        runtime: Runtime | None = None,
        owners: Owners = OWNERS,
        approvals_within_ms: int = DAY,
        publishing: Publishing | None = None,
        routing: Routing | None = None,
        tags: tuple[str, ...] = (),
        rights: Rights | None = None,
        rates: dict[str, Rate] | None = None,
    ) -> None:
        """Bring contracts (and `thing.take`) into force under `rules`, or under one that permits everything."""
        sources = self.policies.register(bundle, *(rules or (permit(),)))
        known = {each.name: each for each in (TAKE, *contracts)}
        agent = Agent(
            name=AgentName("ag"),
            purpose="test",
            owners=owners,
            approvals=Approvals(within_ms=approvals_within_ms),
            stage=stage,
            capabilities=tuple(name for name in known if name != "thing.take"),
            runtime=runtime or Runtime(may_recur=True),
            budgets=agent_budgets or {},
            soft=agent_soft or {},
            tags=tags,
        )
        definition = Definition(
            agents=(agent,),
            contracts=tuple(known.values()),
            policies=sources,
            people=dict(self.people),
            budgets=budgets or {},
            rates=rates or {},
            publishing=publishing or Publishing(),
            routing=routing or Routing(),
            rights=rights,
        )
        self._applied = definition
        await self.plane.registry.apply(definition, by="test")

    def definition(self, **changes: object) -> Definition:
        """What was applied last, with changes."""
        return msgspec.structs.replace(self._applied, **changes)

    async def task(self, initiator: str = "user:ana", **changes: object) -> Task:
        """An open task of `ag`."""
        opening = Opening(agent=AgentName("ag"), purpose="test", initiator=initiator)
        return await self.plane.tasks.open(msgspec.structs.replace(opening, **changes))

    async def propose(
        self, task: Task, name: str = "thing.put", *, key: str | None = None, here: bool = True, **arguments: JsonValue
    ) -> Action:
        """Propose and, if it may run here, run it."""
        return await self.propose_on(self.plane, task, name, key=key, here=here, **arguments)

    async def propose_on(
        self,
        process: ControlPlane,
        task: Task,
        name: str = "thing.put",
        *,
        key: str | None = None,
        here: bool = True,
        **arguments: JsonValue,
    ) -> Action:
        """The same in another process."""
        proposal = Proposal(
            task=task,
            contract=ContractName(name),
            arguments=arguments or {"n": 1},
            idempotency_key=key,
            here=here,
            instance=self.instance,
        )
        if self.proven:
            proposal = await self.identity(process).presented(proposal)
        return await Embedded(process).propose(proposal)

    async def actions(self) -> list[Action]:
        """Every action there is, oldest first."""
        return await self.store.actions(ActionQuery(oldest_first=True, limit=10_000))

    async def tasks(self) -> list[Task]:
        """Every task, newest first."""
        return await self.store.all(Task)

    async def reserved(self) -> int:
        """What is reserved on all budgets together."""
        return sum(budget.reserved for budget in await self.store.all(Budget))

    async def spent(self) -> int:
        """What is spent on all budgets together."""
        return sum(budget.spent for budget in await self.store.all(Budget))

    async def work(self, process: ControlPlane | None = None) -> list[Action]:
        """One round of a worker: claim everything due, drive it, then advance undo requests until nothing moves."""
        process = process or self.plane
        driven = [
            await process.execution.drive(each) for each in await process.execution.claim(places=("",), limit=100)
        ]
        for request in await process.compensation.running():
            await process.compensation.advance(request)
        return driven

    async def get(self, record: Record) -> Record | None:
        """A record as it is stored now."""
        return await self.store.get(type(record), record.key)

    async def action(self, action: Action) -> Action:
        """An action as it is stored now."""
        found = await self.store.get(Action, action.id)
        if found is None:
            raise AssertionError(f"{action.id} is not stored")
        return found
