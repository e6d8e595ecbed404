"""Whether whoever is answered would be let in, and let on, still: looked at again and again for as long as a model writes.

What is asked as a use begins is asked for as long as it lasts: does the token count, is the agent there and not stopped, is its
task open, may it run on that model, is there a budget. While the store does not say, it goes on for a while, and not for ever.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import anyio

from interlock.domain.bearer import Bearer
from interlock.domain.errors import InterlockError, StoreBusy, StoreError
from interlock.domain.ids import UseId
from interlock.services.bearing import BLIND_S, LOOK_S

MustStand: TypeAlias = Callable[[Bearer], Awaitable[None]]
MustGoOn: TypeAlias = Callable[[UseId], Awaitable[None]]


class Standing:
    """Looks, by who knows. Both raise InterlockError where it is over."""

    def __init__(
        self, must_stand: MustStand, must_go_on: MustGoOn, every_s: float = LOOK_S, blind_s: float = BLIND_S
    ) -> None:
        self._must_stand = must_stand
        self._must_go_on = must_go_on
        self._every_s = every_s
        self._blind_s = blind_s

    async def over(self, who: Bearer, use: UseId) -> InterlockError:
        """Wait until `use` may not go on for `who`, and say why."""
        seen_at = anyio.current_time()
        while True:
            await anyio.sleep(self._every_s)
            try:
                with anyio.fail_after(self._blind_s):
                    await self._must_stand(who)
                    await self._must_go_on(use)
            except TimeoutError:
                return StoreBusy("the store does not answer")
            except StoreError as error:
                if anyio.current_time() - seen_at >= self._blind_s:
                    return error
            except InterlockError as error:
                return error
            else:
                seen_at = anyio.current_time()
