"""tollgate: policy before the call, one JSONL line after it, approvals in SQLite."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from common import die, effect, say, serve, versions
from tollgate import (
    AgentContext,
    ControlTower,
    Decision,
    DecisionType,
    Effect,
    Intent,
    JsonlAuditSink,
    ToolRequest,
)
from tollgate.approvals import AsyncQueueApprover, AutoApprover
from tollgate.backends import SQLiteApprovalStore

AGENT = AgentContext(agent_id="agent", version="1", owner="team")
INTENT = Intent(action="refund", reason="asked")


class Fixed:
    """A policy with one answer."""

    def __init__(self, answer: DecisionType) -> None:
        self._answer = answer

    def evaluate(self, *_: Any) -> Decision:
        """The answer."""
        return Decision(decision=self._answer, reason="battery", policy_id="p1", policy_version="1")


def about() -> None:
    """A plain JSONL file; nothing verifies it."""
    say(
        versions=versions("tollgate"),
        setup="`ControlTower` with `JsonlAuditSink` and `SQLiteApprovalStore`; it has no verification of its records",
        store={"kind": "jsonl", "path": "audit.jsonl"},
    )


def _request(amount: int, order: str = "o1") -> ToolRequest:
    return ToolRequest(
        tool="pay", action="refund", resource_type="order", effect=Effect.WRITE,
        params={"order": order, "amount": amount}, manifest_version="1",
    )  # fmt: skip


def _run(folder: Path, request: ToolRequest, answer: DecisionType, approver: Any, *, kill: bool = False) -> None:
    tower = ControlTower(Fixed(answer), approver, JsonlAuditSink(folder / "audit.jsonl"))

    async def tool() -> dict[str, Any]:
        effect(folder, f"refund {request.params['order']} {request.params['amount']}")
        if kill:
            die()
        return dict(request.params)

    asyncio.run(tower.execute_async(AGENT, INTENT, request, tool))


def records(folder: Path, n: int) -> None:
    """Allowed calls."""
    for number in range(n):
        _run(folder, _request(10 + number, f"o{number}"), DecisionType.ALLOW, AutoApprover())


def crash(folder: Path) -> None:
    """Killed in the tool."""
    _run(folder, _request(10), DecisionType.ALLOW, AutoApprover(), kill=True)


def again(folder: Path) -> None:
    """Called again."""
    _run(folder, _request(10), DecisionType.ALLOW, AutoApprover())
    say(state="done")


def _waiting(folder: Path, timeout: float) -> Any:
    return AsyncQueueApprover(SQLiteApprovalStore(str(folder / "approvals.db")), timeout=timeout)


def hold(folder: Path) -> None:
    """Asked; killed while it waits."""

    async def both() -> None:
        tower = ControlTower(Fixed(DecisionType.ASK), _waiting(folder, 60), JsonlAuditSink(folder / "audit.jsonl"))

        async def tool() -> None:
            effect(folder, "refund o1 10")

        waiting = asyncio.create_task(tower.execute_async(AGENT, INTENT, _request(10), tool))
        await asyncio.sleep(1)
        die()
        await waiting

    asyncio.run(both())


def edit(folder: Path) -> None:
    """The request in its row."""
    database = sqlite3.connect(folder / "approvals.db")
    (table,) = database.execute(
        "SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%approval%'"
    ).fetchone()
    for _, column, *_ in database.execute(f"PRAGMA table_info({table})").fetchall():
        database.execute(f"UPDATE {table} SET {column} = replace({column}, '10', '127') WHERE {column} LIKE '%amount%'")
    database.commit()
    say(changed=database.total_changes)


def approve(folder: Path) -> None:
    """The yes in the store, then the agent calls again: nothing else leads back to what waited."""
    database = sqlite3.connect(folder / "approvals.db")
    (table,) = database.execute(
        "SELECT name FROM sqlite_master WHERE type='table' AND name LIKE '%approval%'"
    ).fetchone()
    (found,) = database.execute(f"SELECT id FROM {table} LIMIT 1").fetchone()
    (digest,) = database.execute(f"SELECT request_hash FROM {table} LIMIT 1").fetchone()
    database.close()
    store = SQLiteApprovalStore(str(folder / "approvals.db"))

    async def work() -> None:
        import time

        from tollgate.types import ApprovalOutcome

        await store.set_decision(found, ApprovalOutcome.APPROVED, "rita", time.time(), digest)
        tower = ControlTower(Fixed(DecisionType.ASK), _waiting(folder, 2), JsonlAuditSink(folder / "audit.jsonl"))

        async def tool() -> None:
            effect(folder, "refund o1 10")

        await tower.execute_async(AGENT, INTENT, _request(10), tool)

    try:
        asyncio.run(work())
        say(state="done")
    except Exception as error:  # noqa: BLE001  whatever it raises is its answer
        say(state=f"{type(error).__name__}: {error}"[:120])


serve(
    {
        "about": about,
        "records": records,
        "crash": crash,
        "again": again,
        "hold": hold,
        "edit": edit,
        "approve": approve,
        "twice": approve,
    }
)
