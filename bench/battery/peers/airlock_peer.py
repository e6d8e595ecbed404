"""airlock-sdk: a ledger of commits and a hash-chained audit in SQLite; pauses that outlive the process."""

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import airlock
from airlock import Decision, Effect, HumanDecision, Money, Policy, Reversibility, Rule, verify_chain
from airlock.store import from_url
from airlock.transport.console import ConsoleApprovalTransport
from common import die, effect, say, serve, versions


def about() -> None:
    """Everything is in one SQLite file."""
    say(
        versions=versions("airlock-sdk"),
        setup="SQLite store, `@guard` with `Effect(key_param=)`, verified by `verify_chain`, at a kept (seq, hash) where asked",
        store={"kind": "sqlite", "path": "airlock.db", "table": "audit_events", "order": "seq"},
    )


FOLDER = Path()
KILLED = False


@airlock.guard(
    "payment.refund",
    cost=Money(amount="50.00", currency="USD"),
    reversibility=Reversibility.IRREVERSIBLE,
    effect=Effect(key_param="idempotency_key"),
)
def refund(order: str, amount: int, *, idempotency_key: str | None = None) -> dict[str, Any]:
    """The tool."""
    effect(FOLDER, f"refund {order} {amount}")
    if KILLED:
        die()
    return {"order": order, "amount": amount}


def _open(folder: Path, decision: Decision = Decision.AUTO) -> Any:
    global FOLDER
    FOLDER = folder
    return airlock.init(
        store=from_url(f"sqlite:///{folder}/airlock.db"),
        policy=Policy(rules=[Rule(match="payment.*", decision=decision)]),
        transport=ConsoleApprovalTransport(str(folder / "approvals.jsonl"), out=sys.stderr),
        gate_wait=False,
    )


def records(folder: Path, n: int) -> None:
    """Refunds that run at once."""
    app = _open(folder)
    before = sum(1 for _ in app.store.iter_audit(0))
    for number in range(n):
        refund(f"o{before + number}", 10 + number)
    app.store.close()


def keep(folder: Path, kept: Path) -> None:
    """What somebody would note elsewhere: number and hash of the last row."""
    store = from_url(f"sqlite:///{folder}/airlock.db")
    head = store.audit_head()
    kept.write_text(json.dumps({"seq": head.seq, "hash": head.row_hash.hex()}))


def verify(folder: Path, kept: Path | None = None) -> None:
    """The whole chain, and from the kept place."""
    store = from_url(f"sqlite:///{folder}/airlock.db")
    verify_chain(store)
    if kept is not None:
        said = json.loads(kept.read_text())
        verify_chain(store, from_seq=said["seq"], from_hash=bytes.fromhex(said["hash"]))


def rebuild(folder: Path) -> None:
    """The chain has no key: rows changed and hashed again by its own function, head and all."""
    store = from_url(f"sqlite:///{folder}/airlock.db")
    rows = list(store.iter_audit(0))
    store.close()
    database = sqlite3.connect(folder / "airlock.db")
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    before = rows[0].row_hash
    for row in rows[1:]:
        payload = dict(row.payload) | {"forged": "yes"}
        now = airlock.compute_row_hash(
            before,
            seq=row.seq,
            run_id=row.run_id,
            action_type=row.action_type,
            event_type=row.event_type,
            created_at=row.created_at,
            payload=payload,
        )
        database.execute(
            "UPDATE audit_events SET payload_json = ?, prev_hash = ?, row_hash = ? WHERE seq = ?",
            (json.dumps(payload), before, now, row.seq),
        )
        before = now
    database.execute("UPDATE audit_chain_head SET row_hash = ?", (before,))
    database.commit()


def crash(folder: Path) -> None:
    """Killed in the tool."""
    global KILLED
    KILLED = True
    _open(folder)
    refund("o1", 10)


def again(folder: Path) -> None:
    """The agent calls again with the same arguments."""
    _open(folder)
    try:
        refund("o1", 10)
        say(state="done")
    except airlock.AirlockError as error:
        say(state=type(error).__name__)


def hold(folder: Path) -> None:
    """Gated."""
    _open(folder, Decision.GATE)
    try:
        refund("o1", 10)
    except airlock.ActionPending as pending:
        (folder / "ref").write_text(pending.approval_ref)
    die()


def edit(folder: Path) -> None:
    """The arguments of the pause, in its row."""
    database = sqlite3.connect(folder / "airlock.db")
    columns = [row[1] for row in database.execute("PRAGMA table_info(paused_runs)")]
    for column in columns:
        database.execute(
            f"UPDATE paused_runs SET {column} = replace({column}, '10', '127') WHERE typeof({column}) = 'text'"
            f" AND {column} LIKE '%\"amount\"%'"
        )
    database.commit()
    say(changed=database.total_changes)


def approve(folder: Path) -> None:
    """The yes, in a new process."""
    app = _open(folder, Decision.GATE)
    try:
        say(state=str(app.resume((folder / "ref").read_text(), HumanDecision.APPROVED).status))
    except Exception as error:  # noqa: BLE001  whatever it raises is its answer
        say(state=f"{type(error).__name__}: {error}"[:120])


serve(
    {
        "about": about,
        "records": records,
        "keep": keep,
        "verify": verify,
        "rebuild": rebuild,
        "crash": crash,
        "again": again,
        "hold": hold,
        "edit": edit,
        "approve": approve,
        "twice": approve,
    }
)
