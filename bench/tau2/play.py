"""One task through the gate: every call proposed, and what came of it beside what the benchmark recorded.

The gate is opened on a copy of `workspace/`, beside a shop of its own. Nothing here knows how the gate works: it proposes
calls and reads outcomes, as any program that embeds it would.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

import interlock
from bench.tau2 import tools
from bench.tau2.data import Case, Recorded, document
from bench.tau2.retail import ShopError
from bench.tau2.store import Shop
from bench.tau2.violations import Violation
from interlock.cli.app import app

WORKSPACE = Path(__file__).parent / "workspace"
AGENT = "retail"
PERSON = "support-lead"

_RAISED = f"{ShopError.__module__}.{ShopError.__qualname__}: "
"""How the gate words a tool's exception: its name comes before its text."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace, and the shop that its tools act on in this process."""

    workspace: Path
    shop: Shop


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one proposed call. `outcome` is the outcome's name, `said` the tool's text as the benchmark words
    it, `because` the policies that refused it."""

    call: Recorded
    outcome: str
    said: str = ""
    because: tuple[str, ...] = ()

    @property
    def as_recorded(self) -> bool:
        """The recorded answer to the letter, or a refusal of what the benchmark records as an error."""
        return not self.call.ok if self.outcome == "Denied" else self.said == self.call.answer


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """One task, played under `release` (its digest)."""

    task_id: str
    release: str
    answers: tuple[Answered, ...]


def prepared(folder: Path) -> Setting:
    """A copy of the workspace in `folder`, with the keys that no workspace carries with it, and a freshly loaded shop."""
    # As deep as the original, so that what its `pythonpath` names is still inside `folder`.
    workspace = folder / "bench" / "tau2" / "workspace"
    shutil.copytree(WORKSPACE, workspace, ignore=shutil.ignore_patterns(".interlock"))
    made = CliRunner().invoke(app, ["init", str(workspace)])
    if made.exit_code != 0:
        raise RuntimeError(made.output)
    os.environ[tools.SHOP] = str(folder / "shop.sqlite")
    shop = tools.shop()
    shop.load(document())
    return Setting(workspace=workspace, shop=shop)


def play(lock: interlock.Client, case: Case) -> Played:
    """Propose the task's calls in order, for its customer, on its own state of the shop."""
    with lock.task(AGENT, purpose=f"benchmark task {case.id}", on_behalf_of=f"user:{case.customer}") as task:
        answers = [_answered(call, propose(task, call.function, call.arguments, case.state_key)) for call in case.calls]
        return Played(task_id=task.id, release=task.task.release, answers=tuple(answers))


def propose(task: interlock.SyncTask, function: str, given: dict[str, Any], state_key: str) -> interlock.Outcome:
    """One call by its tool's name."""
    return task.propose(getattr(tools, function), **given, state_key=state_key)


def violate(lock: interlock.Client, violation: Violation, state_key: str) -> interlock.Outcome:
    """Do what leads up to the violation, then try it."""
    with lock.task(AGENT, purpose="break a rule", on_behalf_of=f"user:{violation.customer}") as task:
        for function, given in violation.first:
            outcome = propose(task, function, given, state_key)
            if not isinstance(outcome, interlock.Done):
                raise outcome
        return propose(task, violation.function, violation.arguments, state_key)


def because(outcome: interlock.Outcome) -> tuple[str, ...]:
    """The policies that refused, where any did."""
    return outcome.because if isinstance(outcome, interlock.Denied) else ()


def _answered(call: Recorded, outcome: interlock.Outcome) -> Answered:
    match outcome:
        case interlock.Done(result=tools.Changed(record=record)):
            said = record
        case interlock.Done(result=result):
            said = str(result)
        case interlock.Failed(reasons=reasons):
            said = f"Error: {'; '.join(reasons).removeprefix(_RAISED)}"
        case other:
            said = str(other)
    return Answered(call=call, outcome=type(outcome).__name__, said=said, because=because(outcome))
