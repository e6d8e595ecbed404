"""What became of the tasks inside a task: told to whoever leaves it, and never lost."""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from interlock.domain.child_failure import ChildFailure
from interlock.domain.errors import ChildrenFailed, InterlockError

R = TypeVar("R")
AT_ONCE: Final = 8
"""How many works run at a time unless said otherwise: as many tasks as may be open at once inside one."""


class Returned(Generic[R]):
    """What a work gave."""

    def __init__(self, value: R) -> None:
        self.value = value


def together(ended: Sequence[BaseException | Returned[R]]) -> list[R]:
    """What all of them gave, or every exception there was."""
    failed = [each for each in ended if isinstance(each, BaseException)]
    if failed:
        raise BaseExceptionGroup(f"{len(failed)} of {len(ended)} failed", failed)
    return [each.value for each in ended if isinstance(each, Returned)]


def named(kind: type[BaseException] | None) -> str:
    """How a task failed that an exception of `kind` leaves. Its words stay out: they may say anything."""
    if kind is None:
        return ""
    return kind.code if issubclass(kind, InterlockError) else kind.__name__


def told(error: BaseException | None, overlooked: tuple[ChildFailure, ...]) -> None:
    """Raise ChildrenFailed for what failed inside and nobody looked at, or say it beside the error that is on its way."""
    if not overlooked:
        return
    words = "; ".join(str(each) for each in overlooked)
    if error is None:
        raise ChildrenFailed(f"{len(overlooked)} inside this task failed: {words}", failures=overlooked)
    error.add_note(f"inside this task failed: {words}")
