"""Whether whoever is answered would be let in, and let on, still: looked at again and again for as long as a model writes.

What is asked as a use begins is asked for as long as it lasts: does the token count, is the agent there and not stopped, is its
task open, may it run on that model, is there a budget. Who cannot be looked up goes on no more than who is found to be out.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import anyio

from interlock.domain.bearer import Bearer
from interlock.domain.errors import InterlockError
from interlock.domain.ids import UseId

LOOK_S: Final = 2.0
"""How often it is looked."""

MustStand: TypeAlias = Callable[[Bearer], Awaitable[None]]
MustGoOn: TypeAlias = Callable[[UseId], Awaitable[None]]


class Standing:
    """Looks, by who knows. Both raise InterlockError where it is over."""

    def __init__(self, must_stand: MustStand, must_go_on: MustGoOn, every_s: float = LOOK_S) -> None:
        self._must_stand = must_stand
        self._must_go_on = must_go_on
        self._every_s = every_s

    async def over(self, who: Bearer, use: UseId) -> InterlockError:
        """Wait until `use` may not go on for `who`, and say why."""
        while True:
            await anyio.sleep(self._every_s)
            try:
                await self._must_stand(who)
                await self._must_go_on(use)
            except InterlockError as error:
                return error
