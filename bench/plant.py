"""An installation to measure: real store, real keys, real policies, a tool that costs nothing."""

import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.adapters.sqlite.rollups import SqliteRollups
from interlock.domain.agent import Agent, Owners, Runtime
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess, Keyed, NoReversal, Reversal, checked
from interlock.domain.ids import AgentName, ContractName, Person, StreamId, Tenant, WorkerId
from interlock.domain.proposal import Proposal
from interlock.domain.settlement import Timing
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from interlock.sdk.identity import Identity
from interlock.sdk.signature import plain_result, values_of
from interlock.services.editions import Definition
from interlock.services.means import Means
from interlock.services.plane import ControlPlane, plane
from interlock.testing.adapters import (
    AllEffectors,
    CedarPolicies,
    Functions,
    HttpEffectors,
    InProcessEffectors,
    InstanceKey,
    KeyFolder,
    KeyIssuer,
    LaterPasswords,
    LaterPrices,
    LaterSql,
    LogSealer,
    PythonEffectors,
    SqliteStore,
    SqliteVault,
    SystemClock,
    SystemIds,
    identity_key,
)
from interlock.testing.parts import SilentSteps

SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"sku": {"type": "string", "maxLength": 40}, "minor": {"type": "integer", "minimum": 0}},
    "required": ["sku", "minor"],
    "additionalProperties": False,
}
POLICIES = {
    "bench.cedar": """
@id("may") @owner("bench")
permit(principal in Agent::"bench", action in [Action::"price.set", Action::"price.restore"], resource);

@id("floor") @owner("bench") @outcome("deny") @reason("a price is never nothing")
forbid(principal, action == Action::"price.set", resource) when { context.args.minor < 1 };

@id("dear") @owner("bench") @outcome("require_approval") @approver("reviewer") @reason("dear")
forbid(principal, action == Action::"price.set", resource) when { context.args.minor > 1000000 };

@id("night") @owner("bench") @outcome("deny") @reason("no prices without a purpose")
forbid(principal, action in Action::"effect:write", resource) when { context.task.purpose == "" };

@id("deep") @owner("bench") @outcome("escalate") @approver("reviewer") @reason("too deep")
forbid(principal, action in Action::"any", resource) when { context.task.depth > 2 };
"""
}


async def set_price(sku: str, minor: int) -> dict[str, int]:
    """The tool: nothing but an answer."""
    del sku
    return {"was": minor}


def contracts() -> tuple[Contract, ...]:
    """`price.set`, undone by `price.restore`."""
    base = Contract(
        name=ContractName("price.set"),
        input_schema=SCHEMA,
        effect="write",
        risk="medium",
        idempotency=Keyed(),
        reversal=Reversal(
            contract=ContractName("price.restore"), arguments={"sku": "$args.sku", "minor": "$result.was"}
        ),
        target=InProcess(name="price.set"),
    )
    undo = msgspec.structs.replace(
        base,
        name=ContractName("price.restore"),
        reversal=NoReversal(why="it is an undo"),
        target=InProcess(name="price.restore"),
    )
    return checked(base), checked(undo)


def definition() -> Definition:
    """Everything in force: one agent, two contracts, five policies."""
    agent = Agent(
        name=AgentName("bench"),
        purpose="to be measured",
        owners=Owners(decision="rita", policy="rita", data="rita", engineering="rita"),
        stage="partial",
        capabilities=(ContractName("price.set"),),
        runtime=Runtime(max_repeats=10**9, max_actions=10**9, may_recur=True),
    )
    return Definition(agents=(agent,), contracts=contracts(), policies=POLICIES, people={Person("rita"): ("reviewer",)})


def connect(
    folder: Path, *, set_price: Callable[[str, int], Awaitable[dict[str, int]]] = set_price, worker: str = "bench"
) -> ControlPlane:
    """A plane on the store in `folder`; keys are made where there are none."""
    keys = KeyFolder(folder / "keys")
    held = keys.load() if keys.path.exists() else keys.create("bench.example/log")
    ids = SystemIds()
    functions = Functions(values_of, plain_result)
    offered = InProcessEffectors(functions)
    offered.offer("price.set", set_price)
    offered.offer("price.restore", set_price)
    sealer = LogSealer(held, StreamId(ids.new()), ids)
    vault = SqliteVault(folder / "keys.db", folder / "keys")
    store = SqliteStore.open(folder / "log.db", Tenant("bench"), sealer, vault)
    return plane(
        Means(
            tenant=Tenant("bench"),
            worker=WorkerId(worker),
            store=store,
            log=store,
            index=partial(AuditIndex.open, None),
            rollups=partial(SqliteRollups.open, None),
            policies=CedarPolicies(),
            effectors=AllEffectors(
                python=PythonEffectors(functions), http=HttpEffectors(os.environ), in_process=offered
            ),
            parser=LaterSql(),
            prices=LaterPrices({}),
            passwords=LaterPasswords(),
            clock=SystemClock(),
            ids=ids,
            steps=SilentSteps(),
            timing=Timing(),
            issuer=KeyIssuer(identity_key(folder / "keys", "bench.example/log"), "bench.interlock.internal"),
            places=("", "price.set", "price.restore"),
        )
    )


class Bench(msgspec.Struct):
    """A plane, ready to be asked."""

    plane: ControlPlane
    embedded: Embedded
    task: Task
    folder: Path
    identity: Identity

    async def act(self, number: int) -> None:
        """One gated action, to its end."""
        action = await self.embedded.propose(await self.identity.presented(proposal(self.task, number)))
        if action.state != "done":
            raise RuntimeError(f"{action.state}: {action.reasons}")


def proposal(task: Task, number: int, *, minor: int | None = None) -> Proposal:
    """The `number`th action."""
    arguments: dict[str, JsonValue] = {
        "sku": f"sku-{number}",
        "minor": number % 1_000_000 + 1 if minor is None else minor,
    }
    return Proposal(task=task, contract=ContractName("price.set"), arguments=arguments)


@asynccontextmanager
async def bench(folder: Path | None = None) -> AsyncGenerator[Bench]:
    """An installation in a folder of its own on the disk of the current folder, or in `folder`."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        where = folder or Path(made)
        control = connect(where)
        try:
            await control.registry.apply(definition(), by="bench")
            embedded = Embedded(control)
            identity = Identity(embedded, InstanceKey(), SystemClock(), SystemIds())
            task = await control.tasks.open(Opening(agent=AgentName("bench"), purpose="bench", initiator="user:ana"))
            yield Bench(plane=control, embedded=embedded, task=task, folder=where, identity=identity)
        finally:
            await control.means.store.close()
