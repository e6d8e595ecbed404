"""A ticket: what one waits for when an action is not over."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

from interlock.domain.fitting import Millis, checked
from interlock.domain.ids import ActionId

T = TypeVar("T")


class Ticket(Generic[T]):
    """Stands for an action's outcome to come. It can be waited for any number of times, here or, by its `action_id`,
    in another process after a restart.
    """

    def __init__(
        self,
        action_id: ActionId,
        *,
        block: Callable[[ActionId, int | None], T],
        run: Callable[[ActionId, int | None], Awaitable[T]],
    ) -> None:
        self.action_id = action_id
        self._block = block
        self._run = run

    @checked
    def wait(self, *, timeout_ms: Millis | None = None) -> T:
        """The outcome, waited for in this thread: without `timeout_ms` until there is one, else as it then stands."""
        return self._block(self.action_id, timeout_ms)

    @checked
    async def wait_async(self, *, timeout_ms: Millis | None = None) -> T:
        """The same without blocking the event loop."""
        return await self._run(self.action_id, timeout_ms)

    def __await__(self) -> Generator[Any, None, T]:
        return self.wait_async().__await__()

    def __repr__(self) -> str:
        return f"Ticket({self.action_id})"
