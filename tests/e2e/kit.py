"""A small installation whose tools act on the outside process: contracts of every idempotency class, and a plane over it.

Used by the processes that are killed, by those that recover, and by the tests that look on.
"""

import json
import os
import signal
import urllib.error
import urllib.request
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.effectors.all import AllEffectors
from interlock.adapters.effectors.functions import Functions
from interlock.adapters.effectors.http_call import HttpEffectors
from interlock.adapters.effectors.python import InProcessEffectors, PythonEffectors
from interlock.adapters.issuing import InstanceKey, KeyIssuer, identity_key
from interlock.adapters.keys import KeyFolder
from interlock.adapters.parsing import LaterSql
from interlock.adapters.passwords_later import LaterPasswords
from interlock.adapters.prices_later import LaterPrices
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.adapters.sqlite.rollups import SqliteRollups
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.sqlite.vault import SqliteVault
from interlock.adapters.system import SystemClock, SystemIds
from interlock.domain.agent import Agent, Owners
from interlock.domain.call import Call, Landed
from interlock.domain.contract import (
    Blind,
    Conditional,
    Contract,
    Facts,
    Idempotency,
    Keyed,
    Lookup,
    NoReversal,
    PythonTarget,
    Reversal,
    TwoPhase,
    checked,
)
from interlock.domain.duration import HOUR
from interlock.domain.ids import AgentName, ContractName, Person, StreamId, Tenant, WorkerId
from interlock.domain.settlement import Timing
from interlock.embedded import Embedded
from interlock.ports.steps import Steps
from interlock.sdk.identity import Identity
from interlock.sdk.signature import facts_schema, plain_result, schema_of, values_of
from interlock.sdk.tool import NoEffect
from interlock.services.editions import Definition
from interlock.services.means import Means
from interlock.services.plane import ControlPlane, plane
from interlock.testing.parts import SilentSteps

OUTSIDE = os.environ.get("OUTSIDE", "")
TIMEOUT_MS = 400
TIMING = Timing(lease_margin_ms=400, skew_ms=50)
Count = Annotated[int, msgspec.Meta(ge=0)]
CLASSES: dict[str, Idempotency] = {
    "keyed": Keyed(retention_ms=HOUR),
    "conditional": Conditional(),
    "lookup": Lookup(),
    "blind": Blind(),
}


def ask(path: str, body: dict[str, Any] | None = None) -> Any:
    """One request to the outside. 404 and 412 are answers; anything else raises."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(OUTSIDE + path, data=data)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_MS / 1000) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        if error.code == 412:
            raise NoEffect("the version is another") from None
        raise


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a conditional call leans on."""

    version: int


def version_of(name: str) -> Version:
    """The version now."""
    return Version(version=ask(f"/version/{name}")["version"])


def find(name: str, call: Call) -> Landed | None:
    """Whether the effect of this action is there."""
    found = ask(f"/find/{call.idempotency_key}")
    return None if found is None else Landed(found)


def _do(kind: str, verb: str, name: str, n: int, call: Call) -> dict[str, Any]:
    body = {"name": name, "n": n, "key": call.idempotency_key}
    if kind == "conditional":
        body["version"] = (call.precondition or {}).get("version", -1)
    done: dict[str, Any] = ask(f"/do/{kind}/{verb}", body)
    return done


def keyed_add(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Add."""
    return _do("keyed", "add", name, n, call)


def keyed_take(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Take away."""
    return _do("keyed", "take", name, n, call)


def conditional_add(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Add."""
    return _do("conditional", "add", name, n, call)


def conditional_take(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Take away."""
    return _do("conditional", "take", name, n, call)


def lookup_add(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Add."""
    return _do("lookup", "add", name, n, call)


def lookup_take(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Take away."""
    return _do("lookup", "take", name, n, call)


def blind_add(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Add."""
    return _do("blind", "add", name, n, call)


def blind_take(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Take away."""
    return _do("blind", "take", name, n, call)


def prepare(name: str, n: Count, call: Call) -> dict[str, Any]:
    """Reserve: nothing happens outside."""
    return {"reserved": n, "key": call.idempotency_key, "name": name}


def abort(name: str, call: Call) -> None:
    """Release: nothing was taken."""


def contracts() -> tuple[Contract, ...]:
    """`<class>.add` and `<class>.take` for each class, and `phased.add`, which prepares first."""
    made = [_contract(kind, verb, idempotency) for kind, idempotency in CLASSES.items() for verb in ("add", "take")]
    phased = _contract("keyed", "add", CLASSES["keyed"])
    phases = TwoPhase(prepare=_target("prepare"), abort=_target("abort"))
    made.append(checked(msgspec.structs.replace(phased, name=ContractName("phased.add"), two_phase=phases)))
    return tuple(made)


def _target(name: str) -> PythonTarget:
    return PythonTarget(target=f"tests.e2e.kit:{name}")


def _contract(kind: str, verb: str, idempotency: Idempotency) -> Contract:
    conditional = kind == "conditional"
    reversal = Reversal(contract=ContractName(f"{kind}.take"), arguments={"name": "$args.name", "n": "$args.n"})
    return checked(
        Contract(
            name=ContractName(f"{kind}.{verb}"),
            input_schema=schema_of(keyed_add).input_schema,
            effect="external",
            risk="low",
            idempotency=idempotency,
            reversal=reversal if verb == "add" else NoReversal(why="it is an undo"),
            target=_target(f"{kind}_{verb}"),
            lookup=_target("find") if kind in ("lookup", "conditional") else None,
            facts=Facts(source=_target("version_of"), schema=facts_schema(version_of)) if conditional else None,
            timeout_ms=TIMEOUT_MS,
        )
    )


POLICIES = {
    "all.cedar": """
@id("all") @owner("tests") permit(principal, action, resource);
@id("ask") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("more than a hundred")
forbid(principal, action == Action::"keyed.add", resource) when { context.args.n > 100 };
"""
}


def definition() -> Definition:
    """Everything this installation has in force."""
    known = contracts()
    agent = Agent(
        name=AgentName("ag"),
        purpose="to be killed",
        owners=Owners(decision="rita", policy="rita", data="rita", engineering="rita"),
        stage="partial",
        capabilities=tuple(each.name for each in known if each.name.endswith(".add")),
    )
    return Definition(
        agents=(agent,),
        contracts=known,
        policies=POLICIES,
        people={Person("rita"): ("reviewer",)},
        budgets={"calls": 1000},
    )


def connect(folder: Path, *, worker: str, steps: Steps | None = None) -> ControlPlane:
    """A plane on the installation in `folder`, for one process. The first to come makes the keys."""
    keys = KeyFolder(folder / "keys")
    held = keys.load() if keys.path.exists() else keys.create("e2e.example/log")
    ids = SystemIds()
    functions = Functions(values_of, plain_result)
    tenant = Tenant("t")
    sealer = LogSealer(held, StreamId(ids.new()), ids)
    store = SqliteStore.open(folder / "log.db", tenant, sealer, SqliteVault(folder / "keys.db", folder / "keys"))
    effectors = AllEffectors(
        python=PythonEffectors(functions), http=HttpEffectors(os.environ), in_process=InProcessEffectors(functions)
    )
    return plane(
        Means(
            tenant=tenant,
            worker=WorkerId(worker),
            store=store,
            log=store,
            index=partial(AuditIndex.open, None),
            rollups=partial(SqliteRollups.open, None),
            policies=CedarPolicies(),
            effectors=effectors,
            parser=LaterSql(),
            prices=LaterPrices({}),
            passwords=LaterPasswords(),
            clock=SystemClock(),
            ids=ids,
            steps=steps or SilentSteps(),
            timing=TIMING,
            issuer=KeyIssuer(identity_key(folder / "keys", "e2e.example/log"), "t.interlock.internal"),
        )
    )


def identity_of(process: ControlPlane) -> Identity:
    """Who this process is when it proposes."""
    return Identity(Embedded(process), InstanceKey(), SystemClock(), SystemIds())


class Deadly:
    """Kills its own process, without warning, the `nth` time that `step` is reached."""

    def __init__(self, step: str, nth: int = 1, sign: signal.Signals = signal.SIGKILL) -> None:
        self._step = step
        self._left = nth
        self._sign = sign
        self.seen: Counter[str] = Counter()

    def reached(self, step: str) -> None:
        """Die here, if this is the place."""
        self.seen[step] += 1
        if step == self._step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._sign)
