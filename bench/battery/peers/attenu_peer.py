"""attenu-guard: decisions of a guard on a hash-chained JSONL ledger, with an anchor signed by a key kept elsewhere."""

import json
from pathlib import Path

from attenu_guard import Authority, Guard
from attenu_guard.audit import AuditLog
from attenu_guard.wire import Ed25519Signer
from common import die, effect, say, serve, versions
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def about() -> None:
    """Its ledger is the file; it has no approvals."""
    say(
        versions=versions("attenu-guard"),
        setup="`Guard.issue(..., audit_path=)`, verified by `AuditLog.verify`, with `verify_anchor` where an anchor was kept",
        store={"kind": "jsonl", "path": "log.jsonl"},
    )


def _guard(folder: Path) -> Guard:
    path = folder / "log.jsonl"
    return Guard.issue("agent", Authority(scopes={"pay.*"}, ttl=3600), audit_path=str(path))


def records(folder: Path, n: int) -> None:
    """A guard begins a ledger and cannot go on with one: all records are of one process."""
    path = folder / "log.jsonl"
    if path.exists():
        path.unlink()
        n += 5
    guard = _guard(folder)
    for number in range(n):
        guard.enforce("pay.refund", context={"order": f"o{number}", "amount": 10 + number})


def _signer() -> Ed25519Signer:
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"k" * 32))


def keep(folder: Path, kept: Path) -> None:
    """A signed anchor over the head."""
    log = AuditLog()
    for entry in AuditLog.load(str(folder / "log.jsonl")):
        log._entries.append(entry)
    kept.write_text(json.dumps(log.anchor(_signer())))


def verify(folder: Path, kept: Path | None = None) -> None:
    """The chain, as its own verification reads it, and against a signed anchor."""
    entries = AuditLog.load(str(folder / "log.jsonl"))
    good, why = AuditLog.verify(entries)
    if good and kept is not None:
        good, why = AuditLog.verify_anchor(entries, json.loads(kept.read_text()), _signer())
    if not good:
        raise ValueError(why)


def rebuild(folder: Path) -> None:
    """The chain has no key: whoever can write the file can write another history with the same code."""
    entries = AuditLog.load(str(folder / "log.jsonl"))
    made = AuditLog()
    for entry in entries:
        said = {k: v for k, v in entry.items() if k not in {"seq", "prev_hash", "hash", "v", "event", "ts"}}
        if "context" in said:
            said["context"] = {"order": "o-forged", "amount": 1}
        made.append(entry["event"], entry["ts"], **said)
    (folder / "log.jsonl").write_text("".join(json.dumps(each) + "\n" for each in made.entries))


def crash(folder: Path) -> None:
    """Decided, then the program acts."""
    _guard(folder).enforce("pay.refund", context={"order": "o1", "amount": 10})
    effect(folder, "refund o1 10")
    die()


def again(folder: Path) -> None:
    """Whether the program calls once more is the program's business."""
    say(none="it decides; whether to call again is the program's business")


serve(
    {
        "about": about,
        "records": records,
        "keep": keep,
        "verify": verify,
        "rebuild": rebuild,
        "crash": crash,
        "again": again,
    }
)
