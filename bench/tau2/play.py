"""One task through the gate: every call proposed, the outcome compared with the record, everything undone.

The gate is opened on a copy of `workspace/`, beside a shop of its own. Nothing here knows how the gate works: it proposes
calls, reads outcomes and asks for an undo, as any program that embeds it would.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

import interlock
from bench.tau2 import tools
from bench.tau2.data import Case, Recorded, document
from bench.tau2.store import Shop
from bench.tau2.violations import Violation

WORKSPACE = Path(__file__).parent / "workspace"
AGENT = "retail"
PERSON = "support-lead"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one proposed call. `said` is the tool's text as the benchmark words it, `because` the policies or
    rules that refused it."""

    call: Recorded
    outcome: str
    said: str = ""
    because: tuple[str, ...] = ()

    @property
    def as_recorded(self) -> bool:
        """The recorded answer to the letter, or a refusal of what the benchmark records as an error."""
        return not self.call.ok if self.outcome == "denied" else self.said == self.call.answer


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """One task, played."""

    case: Case
    task_id: str
    answers: tuple[Answered, ...]


def prepared(folder: Path) -> tuple[Path, Shop]:
    """A fresh copy of the workspace in `folder`, and a loaded shop that the tools of this process act on."""
    shutil.copytree(WORKSPACE, folder / "workspace")
    os.environ[tools.SHOP] = str(folder / "shop.sqlite")
    shop = tools.shop()
    shop.load(document())
    return folder / "workspace", shop


def play(lock: interlock.Client, case: Case, *, writes_only: bool = False) -> Played:
    """Propose the task's calls in order, for its customer, on its own state of the shop."""
    calls = [call for call in case.calls if call.writes or not writes_only]
    with lock.task(AGENT, purpose=f"benchmark task {case.id}", on_behalf_of=f"user:{case.customer}") as task:
        answers = tuple(_answered(call, propose(task, call.function, call.arguments, case.state_key)) for call in calls)
        return Played(case=case, task_id=task.id, answers=answers)


def propose(task: interlock.SyncTask, function: str, given: dict[str, Any], state_key: str) -> interlock.Outcome:
    """One call by its tool's name."""
    return task.propose(getattr(tools, function), **given, state_key=state_key)


def violate(lock: interlock.Client, violation: Violation, state_key: str) -> interlock.Outcome:
    """Do what leads up to the violation, then try it."""
    with lock.task(AGENT, purpose="a violation", on_behalf_of=f"user:{violation.customer}") as task:
        for function, given in violation.first:
            outcome = propose(task, function, given, state_key)
            assert isinstance(outcome, interlock.Done), outcome
        return propose(task, violation.function, violation.arguments, state_key)


def _answered(call: Recorded, outcome: interlock.Outcome) -> Answered:
    match outcome:
        case interlock.Done(result=tools.Changed(record=record)):
            return Answered(call=call, outcome="done", said=record)
        case interlock.Done(result=result):
            return Answered(call=call, outcome="done", said=str(result))
        case interlock.Failed(reasons=reasons):
            return Answered(call=call, outcome="failed", said=f"Error: {reasons[-1]}")
        case interlock.Denied(because=because):
            return Answered(call=call, outcome="denied", because=because)
        case other:
            return Answered(call=call, outcome=type(other).__name__.lower(), said=str(other))
