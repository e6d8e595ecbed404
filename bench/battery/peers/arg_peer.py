"""agent-runtime-governance: signed, hash-chained JSONL with a signed state file; idempotency and approvals in SQLite."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from agent_runtime_governance import (
    ApprovalMiddleware,
    AuditMiddleware,
    DecisionOutcome,
    DecisionRecord,
    ExecutionMode,
    InvocationOptions,
    JSONLAuditSink,
    Runtime,
    SQLiteApprovalStore,
)
from agent_runtime_governance.registry import SQLiteIdempotencyStore
from common import die, effect, say, serve, versions

KEY = b"a key of thirty-two bytes or more, kept apart"
FOLDER = Path()
KILLED = False


def about() -> None:
    """Lines and a state file beside them."""
    say(
        versions=versions("agent-runtime-governance"),
        setup="`JSONLAuditSink(sign_key=)` and `SQLiteIdempotencyStore`, verified by `JSONLAuditSink.read_verified`; "
        "nothing kept: its anchors are an interface to fill",
        store={"kind": "jsonl", "path": "audit.jsonl"},
    )


def _runtime(folder: Path, key: bytes = KEY) -> Any:
    global FOLDER
    FOLDER = folder
    runtime = Runtime(
        [AuditMiddleware(JSONLAuditSink(folder / "audit.jsonl", sign_key=key))],
        idempotency_store=SQLiteIdempotencyStore(folder / "idempotency.db", lease_seconds=1.0),
    )

    @runtime.tool(execution_mode=ExecutionMode.IDEMPOTENT, name="refund")
    def refund(order: str, amount: int) -> dict[str, Any]:
        effect(FOLDER, f"refund {order} {amount}")
        if KILLED:
            die()
        return {"order": order, "amount": amount}

    return refund


def records(folder: Path, n: int) -> None:
    """Idempotent calls."""
    refund = _runtime(folder)
    for number in range(n):
        order = f"{folder.name}-{n}-{number}"
        refund(order, 10 + number, _governance=InvocationOptions(idempotency_key=f"key-{order}"))


def verify(folder: Path) -> None:
    """Its own reading of its own lines."""
    found = JSONLAuditSink(folder / "audit.jsonl", sign_key=KEY).read_verified()
    if not isinstance(found, list):
        raise TypeError("nothing was read")


def rebuild(folder: Path) -> None:
    """Every line written anew by its own sink, with another key."""
    path = folder / "audit.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.unlink()
    Path(str(path) + ".state").unlink()
    sink = JSONLAuditSink(path, sign_key=b"another key, of somebody else, long enough")
    for line in lines:
        drop = {"sequence", "prev_hash", "event_hash", "signature"}
        sink.write({key: value for key, value in line.items() if key not in drop} | {"forged": "yes"})


def crash(folder: Path) -> None:
    """Killed in the tool."""
    global KILLED
    KILLED = True
    _runtime(folder)("o1", 10, _governance=InvocationOptions(idempotency_key="k1"))


def again(folder: Path) -> None:
    """The same key again, once the lease is over."""
    import time

    time.sleep(1.5)
    try:
        _runtime(folder)("o1", 10, _governance=InvocationOptions(idempotency_key="k1"))
        say(state="done")
    except Exception as error:  # noqa: BLE001  whatever it raises is its answer
        say(state=f"{type(error).__name__}: {error}"[:120])


REQUEST = "request-1"


def _asking(folder: Path) -> Any:
    global FOLDER
    FOLDER = folder
    store = SQLiteApprovalStore(folder / "approvals.db", sign_key=KEY, store_arguments=True)
    runtime = Runtime(
        [ApprovalMiddleware(store=store)], idempotency_store=SQLiteIdempotencyStore(folder / "idempotency.db")
    )

    @runtime.tool(execution_mode=ExecutionMode.IDEMPOTENT, name="refund", requires_approval=True)
    def refund(order: str, amount: int) -> dict[str, Any]:
        effect(FOLDER, f"refund {order} {amount}")
        return {"order": order, "amount": amount}

    def call() -> str:
        options = InvocationOptions(idempotency_key="k1", request_id=REQUEST, tenant="t", user="agent")
        try:
            refund("o1", 10, _governance=options)
        except Exception as error:  # noqa: BLE001  whatever it raises is its answer
            return f"{type(error).__name__}: {error}"[:120]
        return "done"

    return store, call


def hold(folder: Path) -> None:
    """Pending in the store."""
    _, call = _asking(folder)
    call()
    die()


def edit(folder: Path) -> None:
    """The arguments in the row of the request."""
    database = sqlite3.connect(folder / "approvals.db")
    database.execute("UPDATE approvals SET request_json = replace(request_json, '10', '127')")
    database.commit()
    say(changed=database.total_changes)


def approve(folder: Path) -> None:
    """The yes into the store, then the agent calls again under the same request id."""
    try:
        store, call = _asking(folder)
        store.decide(REQUEST, DecisionRecord(DecisionOutcome.ALLOW, "yes", "battery", approver="rita"))
        say(state=call())
    except Exception as error:  # noqa: BLE001  whatever it raises is its answer
        say(state=f"{type(error).__name__}: {error}"[:120])


def twice(folder: Path) -> None:
    """The agent calls once more under the yes that was given."""
    say(state=_asking(folder)[1]())


serve(
    {
        "about": about,
        "records": records,
        "verify": verify,
        "rebuild": rebuild,
        "crash": crash,
        "again": again,
        "hold": hold,
        "edit": edit,
        "approve": approve,
        "twice": twice,
    }
)
