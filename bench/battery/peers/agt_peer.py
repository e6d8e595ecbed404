"""agent-governance-toolkit: `govern()` with its audit log on a signed file; approvals live in the process."""

import json
from pathlib import Path
from typing import Any

from agentmesh.governance.audit import AuditLog
from agentmesh.governance.audit_backends import FileAuditSink, HashChainVerifier
from agentmesh.governance.govern import govern
from common import die, effect, say, serve, versions

KEY = b"a key of thirty-two bytes or more, kept apart"
POLICY = """
name: battery
version: "1.0"
default_action: allow
rules:
  - name: all
    condition: "action.type == 'refund'"
    action: allow
"""


def about() -> None:
    """The sink is handed to the log of a governed call by hand: the setting for it is not read."""
    say(
        versions=versions("agent-governance-toolkit-core"),
        setup="`govern()`, its `AuditLog(sink=FileAuditSink(secret_key=))`, verified by `HashChainVerifier.verify_file`",
        store={"kind": "jsonl", "path": "audit.jsonl"},
    )


def _governed(folder: Path, *, kill: bool = False, key: bytes = KEY) -> Any:
    def refund(*, action: str, order: str, amount: int) -> str:
        effect(folder, f"{action} {order} {amount}")
        if kill:
            die()
        return "refunded"

    governed = govern(refund, policy=POLICY, agent_id="agent")
    governed._audit = AuditLog(sink=FileAuditSink(folder / "audit.jsonl", key))
    return governed


def records(folder: Path, n: int) -> None:
    """Allowed calls."""
    governed = _governed(folder)
    for number in range(n):
        governed(action="refund", order=f"o{number}", amount=10 + number)


def verify(folder: Path) -> None:
    """Its own verifier."""
    good, errors = HashChainVerifier().verify_file(folder / "audit.jsonl", KEY)
    if not good:
        raise ValueError("; ".join(errors))


def rebuild(folder: Path) -> None:
    """Lines written anew by its own log and sink, with another key."""
    path = folder / "audit.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.unlink()
    log = AuditLog(sink=FileAuditSink(path, b"another key, of somebody else, long enough"))
    for line in lines:
        log.log("policy_evaluation", "agent", str(line.get("action", "refund")), data={"forged": "yes"})


def crash(folder: Path) -> None:
    """Killed in the tool."""
    _governed(folder, kill=True)(action="refund", order="o1", amount=10)


def again(folder: Path) -> None:
    """Called again."""
    _governed(folder)(action="refund", order="o1", amount=10)
    say(state="done")


serve({"about": about, "records": records, "verify": verify, "rebuild": rebuild, "crash": crash, "again": again})
