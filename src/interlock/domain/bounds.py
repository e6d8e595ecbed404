"""What bounds an action before any policy is asked: what its task was given, and what the one it is for may lend.

Held against bound arguments, at the decision and again before dispatch. Undos are not bounded by it: people ask for those.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import NotAllowed
from interlock.domain.grant import Grant, narrower
from interlock.domain.selector import Selector, touched
from interlock.domain.selector import narrower as fewer
from interlock.domain.task import Task

GIVEN: Final = "interlock.task"
RIGHTS: Final = "interlock.rights"
BOUNDS: Final = frozenset({GIVEN, RIGHTS})
"""Where one of these denies, policies were not asked."""


class Beyond(NamedTuple):
    """Which rule of ours a call breaks, and why, in a sentence that repeats no argument."""

    rule: str
    why: str


def beyond(task: Task, contract: Contract, arguments: Mapping[str, JsonValue], may_lend: Grant | None) -> Beyond | None:
    """Why `task` may not use `contract` with `arguments`, where whoever it is for may lend `may_lend`; or None."""
    if task.withheld:
        # What it was given went with what was private of it: without that it would seem to have no bounds.
        return Beyond(GIVEN, f"everything private of the task is {task.withheld}, and what it was given too")
    if task.tools is not None and (why := task.tools.admits(contract.name, arguments)) is not None:
        return Beyond(GIVEN, f"the task was not given that: {why}")
    if task.data is not None and (why := _untouchable(task.data, contract, arguments)) is not None:
        return Beyond(GIVEN, why)
    if may_lend is not None and (why := may_lend.admits(contract.name, arguments)) is not None:
        if not may_lend.tools:
            return Beyond(RIGHTS, f"`{task.initiator}` may lend nothing: rights.yaml gives them no rights")
        return Beyond(RIGHTS, f"`{task.initiator}` may not lend that: {why}")
    return None


def narrowed(tools: Grant | None, data: Selector | None, around: Task) -> tuple[Grant | None, Selector | None]:
    """What a task inside `around` is given that asks for `tools` and `data`: what it asks for, or else what that one was given.

    Raises NotAllowed where it may be more than that one was given.
    """
    why = None
    if tools is not None and around.tools is not None:
        why = narrower(tools, around.tools)
    if why is None and data is not None and around.data is not None:
        why = fewer(data, around.data)
    if why is not None:
        raise NotAllowed(
            f"a task is given no more than the one around it: {why}",
            next_step="ask for less, or open it outside of that task",
        )
    return (around.tools if tools is None else tools), (around.data if data is None else data)


def _untouchable(data: Selector, contract: Contract, arguments: Mapping[str, JsonValue]) -> str | None:
    if not contract.touches and not contract.touches_nothing:
        return f"`{contract.name}` does not say which records it touches, and the task may touch only what it was given"
    why = data.admits(touched(contract, arguments))
    return None if why is None else f"`{contract.name}` may not be used here so: {why}"
