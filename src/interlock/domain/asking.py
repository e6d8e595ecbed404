"""What the proofs of calls are about that propose no action: opening, taking over and closing tasks, and reading of one's own.

Each names what stands for a tool, and every argument of the call with what that is about: a proof of one is none of another.
"""

from collections.abc import Collection
from typing import Final

from interlock.domain.canonical import JsonValue
from interlock.domain.claimed import Report
from interlock.domain.ids import ActionId, TaskId, UseId
from interlock.domain.possession import Call
from interlock.domain.presented import called
from interlock.domain.record import plain
from interlock.domain.task import Opening
from interlock.domain.use import TokenCount

RENEW: Final = "interlock.renew"
BEGIN: Final = "interlock.begin"
RESUME: Final = "interlock.resume"
CLOSE: Final = "interlock.close"
FAILURES: Final = "interlock.failures"
SETTLE: Final = "interlock.settle"
WAIT: Final = "interlock.wait"
PROVE: Final = "interlock.prove"
CLAIM: Final = "interlock.claim"
REPORT: Final = "interlock.report"


def token_call(task: TaskId, audience: str) -> Call:
    """Of whoever asks for a token of a task."""
    return called(task, RENEW, {}, None, audience=audience)


def begin_call(opening: Opening, audience: str) -> Call:
    """Of whoever opens a task: all that it says of it."""
    said: dict[str, JsonValue] = {
        "agent": opening.agent,
        "purpose": opening.purpose,
        "initiator": opening.initiator,
        "plan": opening.plan,
        "run": opening.run,
        "lasts_ms": opening.lasts_ms,
        "budgets": dict(opening.budgets),
        "prohibited": list(opening.prohibited),
        "tools": None if opening.tools is None else plain(opening.tools.tools),
        "data": None if opening.data is None else plain(opening.data.records),
        **({"through": opening.through} if opening.through else {}),
    }
    if opening.id is not None:
        said["id"] = opening.id
    return called("" if opening.parent is None else opening.parent.id, BEGIN, said, None, audience=audience)


def resume_call(task: TaskId, audience: str) -> Call:
    """Of whoever takes a task over."""
    return called(task, RESUME, {}, None, audience=audience)


def close_call(task: TaskId, failure: str, audience: str) -> Call:
    """Of whoever closes a task."""
    return called(task, CLOSE, {"failure": failure}, None, audience=audience)


def failures_call(task: TaskId, children: Collection[TaskId] | None, audience: str) -> Call:
    """Of whoever looks at what failed inside a task."""
    said: JsonValue = None if children is None else [*sorted(children)]
    return called(task, FAILURES, {"children": said}, None, audience=audience)


def settle_call(use: UseId, used: TokenCount | None, audience: str) -> Call:
    """Of whoever says what a use of a model took."""
    said: JsonValue = None
    if used is not None:
        said = {"input": used.input, "output": used.output, "cached": used.cached}
    return called("", SETTLE, {"use": use, "used": said}, None, audience=audience)


def wait_call(action: ActionId, within: TaskId | None, timeout_ms: int | None, audience: str) -> Call:
    """Of whoever waits for what becomes of an action, of which it knows by its task `within`."""
    said: dict[str, JsonValue] = {"action": action, "timeout_ms": timeout_ms}
    return called(within or "", WAIT, said, None, audience=audience)


def claim_call(action: ActionId, claim: str, audience: str) -> Call:
    """Of whoever asks to make the call of an action whose tool is its own."""
    return called("", CLAIM, {"action": action, "claim": claim}, None, audience=audience)


def report_call(action: ActionId, claim: str, report: Report, audience: str) -> Call:
    """Of whoever says what came of that call: all that it says. A result that has no form to sign is none of a contract's."""
    said: dict[str, JsonValue] = {
        "action": action,
        "claim": claim,
        "fence": report.fence,
        "came": report.came,
        "result": report.result,
        "why": report.why,
    }
    return called("", REPORT, said, None, audience=audience)


def prove_call(action: ActionId, within: TaskId | None, anchored: bool, audience: str) -> Call:
    """Of whoever wants the proof of an action's last entry."""
    said: dict[str, JsonValue] = {"action": action, "anchored": anchored}
    return called(within or "", PROVE, said, None, audience=audience)
