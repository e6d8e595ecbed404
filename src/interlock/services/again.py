"""What is read, decided and written in one go, and from the beginning where somebody else wrote first."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from interlock.domain.errors import Conflict

ROUNDS: Final = 50
"""More writers than that at one record, each time first, are no coincidence: whoever asks is told."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def again(attempt: Callable[_P, Awaitable[_T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """`attempt` reads what it decides on, and writes on condition that it is still so; here it is made again while it is not.

    Nothing it does before its write may be anything but reading. Raises the Conflict of the last of 50 attempts.
    """

    @wraps(attempt)
    async def repeated(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(ROUNDS - 1):
            try:
                return await attempt(*args, **kwargs)
            except Conflict:
                continue
        return await attempt(*args, **kwargs)

    return repeated
