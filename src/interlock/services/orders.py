"""The standing orders as services use them: the control record with everything it names, loaded and ready to ask.

Cached for as long as the control record keeps its revision. Nobody polls it: every commit that leans on it says so
(`given`), and a conflict is the news that it changed.
"""

from collections.abc import Mapping

import msgspec

from interlock.domain.acting import Acting
from interlock.domain.agent import Agent
from interlock.domain.answering import gone
from interlock.domain.baseline import Baseline
from interlock.domain.brakes import BEGINS
from interlock.domain.breaker import PROBE_MARGIN_MS, Breaker, breaker_key, probing, target_of
from interlock.domain.bundle import Bundle
from interlock.domain.chain import Chain
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.control import HOLDS, BrakeWords, Control, Stop, StopMode
from interlock.domain.errors import Conflict, IntegrityError, NotFound, PolicyError
from interlock.domain.grant import Grant
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest
from interlock.domain.policy import Engine
from interlock.domain.predicate import Behaviour
from interlock.domain.presented import Caller
from interlock.domain.record import Record
from interlock.domain.release import Release
from interlock.domain.revocation import (
    REVOKED,
    Mark,
    Revocation,
    caller_marks,
    marks,
    refusal,
    revoked,
    task_marks,
)
from interlock.domain.rights import Lending, Rights
from interlock.domain.stating import behaviour_of
from interlock.domain.task import Task
from interlock.ports.policies import Judge, Policies
from interlock.ports.store import R, Store
from interlock.services.saving import save


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, at one revision of the control record."""

    control: Control
    agents: Mapping[AgentName, Agent]
    contracts: Mapping[ContractName, Contract]
    releases: Mapping[Digest, Release]
    baselines: Mapping[AgentName, Baseline] = {}
    """What is normal of an agent, where that is in force."""
    judge: Judge | None
    """None where no bundle is in force, or the one in force cannot be loaded: everything is denied."""
    judge_problem: str = ""
    unanswered: Mapping[AgentName, str] = {}
    """The agents some of whose owners are nobody any more, and which, in words."""
    lending: Lending | None = None

    def rights_of(self, initiator: str) -> Grant | None:
        """What `initiator` may lend; None where nothing is said of that at all: then whatever the agent may do."""
        return None if self.lending is None else self.lending.of(initiator)


class StandingOrders:
    """Loads orders and keeps them until told that they changed."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies
        self._orders: Orders | None = None
        self._immutable: dict[tuple[str, str], Record] = {}
        self._behaviours: dict[Digest, Behaviour] = {}
        self._judges: dict[tuple[Digest, Engine], Judge] = {}

    async def current(self) -> Orders:
        """The orders as last seen. A commit that leans on outdated ones fails with Conflict; then `refresh`."""
        return self._orders or await self.refresh()

    async def refresh(self) -> Orders:
        """Read the control record again, and whatever it names that is not known yet."""
        control = await self._store.get(Control, "control") or Control()
        if self._orders is not None and self._orders.control.revision == control.revision:
            return self._orders
        agents = {name: await self.stored(Agent, each.agent) for name, each in control.agents.items()}
        releases = {each.release: await self.stored(Release, each.release) for each in control.agents.values()}
        contracts = {name: await self.stored(Contract, digest) for name, digest in control.contracts.items()}
        baselines = {name: await self.stored(Baseline, each) for name, each in control.baselines.items()}
        judge, problem = await self._judge(control)
        rights = await self.stored(Rights, control.rights) if control.rights else None
        owned = ((name, gone(agent.owners, control.people)) for name, agent in agents.items())
        self._orders = Orders(
            control=control,
            agents=agents,
            contracts=contracts,
            releases=releases,
            baselines=baselines,
            judge=judge,
            judge_problem=problem,
            unanswered={name: words for name, words in owned if words},
            lending=None if rights is None else Lending(rights, control.people),
        )
        return self._orders

    async def words(self, stop: Stop) -> tuple[str, str]:
        """Why a brake was pulled, and by whom: empty once that was erased. Read anew each time, so that it is gone then."""
        found = await self._store.get(BrakeWords, stop.words) if stop.words else None
        return (stop.why, stop.by) if found is None else (found.why, found.by)

    async def stopped(self, stop: Stop) -> str:
        """The reason of a refusal by a brake."""
        why = (await self.words(stop))[0]
        return f"{BEGINS[stop.mode]}{why or f'{stop.scope} {stop.name}'.strip()}"

    async def revoked(
        self, orders: Orders, task: Task, caller: Caller | None = None, chain: Chain | None = None
    ) -> Revocation | None:
        """What takes this task, or a task around it, or whoever calls in it, or a token shown; or None."""
        revocations = orders.control.revocations
        if not revocations:
            return None
        beside = (frozenset[Mark]() if caller is None else caller_marks(caller)) | (
            frozenset[Mark]() if chain is None else marks(chain)
        )
        found = revoked(revocations, task_marks(task) | beside, task.epoch)
        for name in () if found is not None else task.ancestors:
            around = await self._store.get(Task, name)
            found = None if around is None else revoked(revocations, task_marks(around), around.epoch)
            if found is not None:
                break
        return found

    async def taken(self, revocation: Revocation) -> str:
        """The reason of what a revocation refuses or voids."""
        found = await self._store.get(BrakeWords, revocation.words) if revocation.words else None
        return REVOKED + ((found.why if found is not None else "") or refusal(revocation))

    async def acting(self, orders: Orders, task: Task, contract: Contract | None, instance: str = "") -> Acting:
        """Who uses `contract` in `task`, as brakes name it; None: whatever it may use."""
        # A cohort is who is in it by the files in force, whatever a task was opened under. Of an agent that is in force no
        # more its release still says.
        file = orders.agents.get(task.agent) or await self.agent((await self.release(task.release)).agent_digest)
        return Acting(
            agent=task.agent,
            release=task.release,
            contract=contract.name if contract is not None else ContractName(""),
            tags=frozenset(file.tags),
            instance=instance,
            tasks=(*task.ancestors, task.id),
            initiator=task.initiator,
            target=target_of(contract) if contract is not None else "",
        )

    async def brake(
        self,
        orders: Orders,
        task: Task,
        contract: Contract,
        now: int,
        *,
        action: ActionId | None = None,
        instance: str = "",
        modes: frozenset[StopMode] = HOLDS,
        settling: bool = False,
    ) -> Stop | None:
        """The brake of `modes` that holds this task's use of `contract` at `now`, or None. See `Control.stopped`.

        Where a circuit breaker is half open `action` becomes its probe if no other is; without one nothing is let through.
        """
        if not orders.control.stops:
            return None
        acting = await self.acting(orders, task, contract, instance)
        stop = orders.control.stopped(acting, now, modes=modes, settling=settling)
        if stop is not None:
            return stop
        for each in orders.control.tripped(acting):
            if action is None or not await self._let_through(each, action, contract, now):
                return each
        return None

    async def _let_through(self, stop: Stop, action: ActionId, contract: Contract, now: int) -> bool:
        """Whether `action` is the probe of the breaker that pulled `stop`, in the store: of all processes one gets there."""
        row = await self._store.get(Breaker, breaker_key(stop.scope, stop.name))
        if row is None:
            return True
        after = probing(row, action, now, contract.timeout_ms + PROBE_MARGIN_MS)
        if after is None or after == row:
            return after is not None
        try:
            await save(self._store, Change(puts=(after,)))
        except Conflict:
            return False
        return True

    async def contract(self, digest: Digest) -> Contract:
        """The stored contract of that digest."""
        return await self.stored(Contract, digest)

    async def release(self, digest: Digest) -> Release:
        """The stored release of that digest, in force or not."""
        return await self.stored(Release, digest)

    async def agent(self, digest: Digest) -> Agent:
        """The stored agent file of that digest."""
        return await self.stored(Agent, digest)

    async def behaviour(self, digest: Digest) -> Behaviour:
        """What the agent of that release was, part by part, as evidence tells it."""
        known = self._behaviours.get(digest)
        if known is None:
            release = await self.release(digest)
            known = self._behaviours[digest] = behaviour_of(release, await self.agent(release.agent_digest))
        return known

    async def stored(self, kind: type[R], digest: Digest) -> R:
        """An immutable record, read once. Raises NotFound, or IntegrityError if it is not what its digest says."""
        known = self._immutable.get((kind.kind, digest))
        if isinstance(known, kind):
            return known
        found = await self._store.get(kind, digest)
        if found is None:
            raise NotFound(f"there is no {kind.kind} `{digest[:12]}`", next_step="run `interlock apply`")
        if found.key != digest:
            raise IntegrityError(f"the stored {kind.kind} `{digest[:12]}` was altered")
        self._immutable[kind.kind, digest] = found
        return found

    async def bundle(self) -> Bundle:
        """The policies in force, as they are now. Raises NotFound where there are none."""
        control = (await self.refresh()).control
        if not control.bundle:
            raise NotFound("no policies are in force", next_step="put some in force: `interlock apply`")
        return await self.stored(Bundle, control.bundle)

    async def _judge(self, control: Control) -> tuple[Judge | None, str]:
        if not control.bundle:
            return None, "no policy bundle is in force"
        # An engine that is not in force is forgotten: put back after an alarm, it begins anew, as it does in a new process.
        self._judges = {key: judge for key, judge in self._judges.items() if key[1] == control.engine}
        wanted = (control.bundle, control.engine)
        known = self._judges.get(wanted)
        if known is None:
            try:
                known = self._policies.load(await self.stored(Bundle, control.bundle), control.engine)
            except (PolicyError, NotFound, IntegrityError) as error:
                return None, error.detail
            self._judges[wanted] = known
        return known, ""
