"""Interlock itself, through its public interface only, as any program would use it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import apsw
from common import die, effect, say, serve, versions

import interlock

AGENT = """
name: agent
purpose: to be tested
owners: {decision: rita, policy: rita, data: rita, engineering: rita}
stage: partial
capabilities: [pay.refund, pay.charge]
runtime: {max_actions: 5000, max_task: 1h, max_repeats: 5000}
"""
POLICY = """
@id("all") @owner("team") permit(principal, action, resource);
@id("ask") @owner("team") @outcome("require_approval") @approver("reviewer") @reason("asked")
forbid(principal, action == Action::"pay.refund", resource) when { context.args.ask };
"""


@interlock.tool(
    name="pay.refund",
    effect="write",
    risk="low",
    timeout_ms=1_000,
    reversal=interlock.Reversal(contract="pay.charge", arguments={"order": "$args.order", "amount": "$args.amount"}),
)
def refund(order: str, amount: int, ask: bool = False) -> dict[str, int]:
    """Refund an order."""
    effect(Path(os.environ["BATTERY"]), f"refund {order} {amount}")
    if "KILLED" in os.environ:
        die()
    return {"amount": amount}


@interlock.tool(
    name="pay.charge",
    effect="write",
    risk="low",
    idempotency=interlock.Keyed(retention_ms=interlock.DAY),
    reversal=interlock.NoReversal(why="it is an undo"),
)
def charge(order: str, amount: int) -> None:
    """Take it back."""
    effect(Path(os.environ["BATTERY"]), f"charge {order} {amount}")


def about() -> None:
    """The log in the store; the public keys are what the auditor holds."""
    say(
        versions=versions("interlock"),
        setup="a workspace with its SQLite store, verified by `interlock verify`, with `--retained` where something was kept",
        store={"kind": "sqlite", "path": "ws/.interlock/interlock.db", "table": "entry", "order": "place"},
    )


def _open(folder: Path) -> Any:
    # The workspace loads this file as a module of tools of its own: what tells it where it is must outlive both.
    os.environ["BATTERY"] = str(folder)
    ws = folder / "ws"
    fresh = not ws.exists()
    if fresh:
        for name, text in {
            "interlock.yaml": f"tenant: battery\nmodules: [interlock_peer]\npythonpath: [{Path(__file__).parent}]\n"
            "policy_tests: advised\ntiming: {lease_margin: 1s, skew: 50ms}\n",
            "people.yaml": "rita: [reviewer]\n",
            "agents/agent.yaml": AGENT,
            "policies/all.cedar": POLICY,
        }.items():
            (ws / name).parent.mkdir(parents=True, exist_ok=True)
            (ws / name).write_text(text)
        subprocess.run([*_INTERLOCK, "init", "--name", "battery", str(ws)], check=True, capture_output=True)
    return interlock.open(ws, apply=fresh, tools=())


def records(folder: Path, n: int) -> None:
    """Actions that run at once."""
    with _open(folder) as client, client.task("agent", purpose="battery") as task:
        for number in range(n):
            task.propose("pay.refund", order=f"o{number}", amount=10 + number)


def keep(folder: Path, kept: Path) -> None:
    """The signed checkpoint."""
    subprocess.run(
        [*_INTERLOCK, "verify", "--keep", str(kept.resolve())], cwd=folder / "ws", check=True, capture_output=True
    )


_INTERLOCK = (sys.executable, "-m", "interlock")


def verify(folder: Path, kept: Path | None = None) -> None:
    """The command an auditor runs."""
    options = ("--retained", str(kept.resolve())) if kept is not None else ()
    done = subprocess.run(
        [*_INTERLOCK, "--json", "verify", *options], cwd=folder / "ws", capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = json.loads(done.stdout or "{}").get("findings") or [{"place": "refused", "problem": done.stderr}]
        raise ValueError(f"{said[0]['place']}: {said[0]['problem']}")


def rebuild(folder: Path) -> None:
    """Another life lived with other keys, laid in place of the first; the auditor still has the first public keys."""
    keys = folder / "ws/.interlock/keys"
    public = {path.name: path.read_text() for path in keys.glob("*.pub")}
    other = folder / "other"
    other.mkdir()
    records(other, 5)
    target = folder / "ws/.interlock/interlock.db"
    for beside in ("", "-wal", "-shm"):
        Path(f"{target}{beside}").unlink(missing_ok=True)
    target.write_bytes((other / "ws/.interlock/interlock.db").read_bytes())
    for path in (other / "ws/.interlock/keys").iterdir():
        if path.is_file():
            (keys / path.name).write_bytes(path.read_bytes())
    for name, text in public.items():
        (keys / name).write_text(text)


def crash(folder: Path) -> None:
    """Killed in the tool."""
    with _open(folder) as client, client.task("agent", purpose="battery") as task:
        os.environ["KILLED"] = "yes"
        task.propose("pay.refund", order="o1", amount=10, idempotency_key="k1")


def again(folder: Path) -> None:
    """A worker looks at what was left, once its lease is over; then the agent calls again under the same key."""
    time.sleep(2.5)
    with _open(folder) as client, client.task("agent", purpose="battery") as task:
        _work(folder)
        outcome = task.propose("pay.refund", order="o1", amount=10, idempotency_key="k1")
        say(state=outcome.state)


def hold(folder: Path) -> None:
    """Held, and the process dies."""
    with _open(folder) as client, client.task("agent", purpose="battery", on_behalf_of="user:zoe") as task:
        for name, amount in (("held", 10), ("other", 127)):
            (folder / name).write_text(task.propose("pay.refund", order="o1", amount=amount, ask=True).action_id)
        die()


def edit(folder: Path) -> None:
    """The arguments are sealed: what can be put in their place is the sealed row of another action that waits."""
    database = apsw.Connection(str(folder / "ws/.interlock/interlock.db"))
    held, other = (folder / name for name in ("held", "other"))
    database.execute(
        "UPDATE action SET (body, sealed) = (SELECT replace(body, ?2, ?1), sealed FROM action WHERE id = ?2) WHERE id = ?1",
        (held.read_text(), other.read_text()),
    )
    say(changed=database.changes())


def approve(folder: Path) -> None:
    """The yes, in a new process; a worker runs it."""
    try:
        with _open(folder) as client:
            client.person("rita").approve((folder / "held").read_text())
        say(state=_work(folder))
    except interlock.InterlockError as error:
        say(state=f"{type(error).__name__}: {error}"[:160])


def _work(folder: Path) -> str:
    done = subprocess.run([sys.executable, __file__, "work", str(folder)], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()[-120:]


def work(folder: Path) -> None:
    """A worker until nothing is due."""
    os.environ["BATTERY"] = str(folder)
    sys.argv = ["interlock", "-w", str(folder / "ws"), "work", "--until-idle"]
    from interlock.cli import main

    main()


if __name__ == "__main__":
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
            "work": work,
        }
    )
