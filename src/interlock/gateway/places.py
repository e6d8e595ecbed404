"""How much is under way at once, of one caller and of all together: the bounds of it, and the count.

A place is held until all that was begun in it is over: a client that goes away frees none by that, so that nobody leaves more
behind than they may have.
"""

import asyncio
from typing import Any, Final

CALLS_OF_ONE: Final = 256
"""Calls, reads and prompts of one caller that are under way at once. The one too many is an error."""
MOST_CALLS: Final = 2_048
"""Of everybody together."""
WAITS_OF_ONE: Final = 64
"""Calls of one caller that are waited for at once, for a person or a worker. The one too many is answered with its ticket."""
MOST_WAITS: Final = 512
"""Of everybody together."""
STREAMS_OF_ONE: Final = 16
"""Streams of news of one caller that are open at once."""
MOST_STREAMS: Final = 256
"""Of everybody together."""


class Places:
    """So many for each, and so many for all."""

    def __init__(self, of_one: int, most: int) -> None:
        self.of_one = of_one
        self._most = most
        self._taken: dict[str, int] = {}
        self._all = 0

    def taken(self, whose: str) -> "Place | None":
        """One more of `whose`; None where there is none left."""
        if self._taken.get(whose, 0) >= self.of_one or self._all >= self._most:
            return None
        self._taken[whose] = self._taken.get(whose, 0) + 1
        self._all += 1
        return Place(self, whose)

    def free(self, whose: str) -> None:
        """One of `whose` is over."""
        self._all -= 1
        left = self._taken[whose] - 1
        if left:
            self._taken[whose] = left
        else:
            del self._taken[whose]


class Place:
    """One of them: held by whoever took it, and by everything that `lasts` in it."""

    def __init__(self, places: Places, whose: str) -> None:
        self._places = places
        self._whose = whose
        self._held = 1

    def lasts(self, task: asyncio.Task[Any]) -> None:
        """It is held until `task` is over, too."""
        self._held += 1
        task.add_done_callback(lambda _: self.leave())

    def leave(self) -> None:
        """One who held it does no more."""
        self._held -= 1
        if not self._held:
            self._places.free(self._whose)
