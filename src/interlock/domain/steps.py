"""The numbered steps of an action's life, and what a crash right after each leaves behind.

The services call `Steps.reached` with these names; the crash tests kill real processes at every one of them; the
documentation's table is printed from here.
"""

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One step: its number in the life of an action, its name, and what is left if everything stops after it."""

    number: str
    name: str
    leaves: str


STEPS: tuple[Step, ...] = (
    Step("2", "propose.bound", "nothing; the caller has no answer and may ask again with the same key"),
    Step("4", "propose.decided", "nothing; facts were read, no budget is held, nothing was touched"),
    Step(
        "6",
        "propose.recorded",
        "the action as decided, with its budget: held waits for people, ready for a worker, dispatching is settled by its class",
    ),
    Step("6", "approve.recorded", "the action ready: a worker dispatches it once, whoever approved it may be gone"),
    Step("7", "dispatch.claimed", "a lease that runs out; then another worker takes the action as it was"),
    Step("7", "dispatch.checked", "the same lease; nothing was written and nothing touched"),
    Step("7", "prepare.recorded", "preparing: asked again, which a two-phase tool allows, or aborted"),
    Step("7", "prepare.called", "preparing, perhaps reserved: prepare is repeated with the same key"),
    Step("7", "prepare.answered", "prepared: committed by another worker, or aborted if it may no longer run"),
    Step("7", "dispatch.recorded", "dispatching, the tool not called: settled by its class as if it might have been"),
    Step(
        "8",
        "execute.called",
        "dispatching, the effect in the world: a repeat is dropped by key or precondition, else asked, else unknown",
    ),
    Step(
        "9",
        "execute.verified",
        "the same as before: the postcondition changed nothing; what came is filtered next, and was kept nowhere",
    ),
    Step(
        "9",
        "outcome.recorded",
        "the end of it, with its evidence; only the caller's answer is lost, and the key brings it back",
    ),
    Step("8", "settle.asked", "unknown, still: the lookup is asked again"),
    Step("10", "undo.asked", "a running unwind: the worker goes on with it"),
    Step("10", "undo.proposed", "the undo as an action of its own, and the original undoing: both end together"),
)

NAMES: frozenset[str] = frozenset(step.name for step in STEPS)
