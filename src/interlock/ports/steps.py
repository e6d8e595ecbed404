"""Being told which step of an action's life was just finished: how tests stop a process exactly there."""

from typing import Protocol


class Steps(Protocol):
    """An observer of progress. It cannot change anything."""

    def reached(self, step: str) -> None:
        """`step` (a name of `domain.steps.STEPS`) is finished."""
        ...
