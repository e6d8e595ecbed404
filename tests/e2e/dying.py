"""A death at a chosen commit, for the processes that tests begin: within it nothing of it may be there, after it all of it is."""

import os
import signal
from collections.abc import Callable
from typing import Any


def dies(store: Any, when: str, nth: int) -> None:
    """Have this process killed at the `nth` commit from now of the SQLite `store`: `within` it, or right `after` it."""
    pen = store._writer._pen
    if when == "within":
        pen._connection.set_commit_hook(_countdown(nth))
        return
    committed, counted = pen._committed, _countdown(nth)
    pen._committed = lambda: (committed(), counted())


def _countdown(left: int) -> Callable[[], bool]:
    def one_less() -> bool:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return False  # a commit hook that says True undoes the commit

    return one_less
