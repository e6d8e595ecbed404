"""Work that something beside it may end."""

from collections.abc import Awaitable, Callable

import anyio

from interlock.domain.errors import InterlockError


async def unless(
    ends: Callable[[], Awaitable[InterlockError | None]], work: Callable[[], Awaitable[None]]
) -> InterlockError | None:
    """Do `work`; where `ends` returns first, cancel it and give what that returned. Raises what `work` raises, even then."""
    why: InterlockError | None = None
    failure: Exception | None = None
    done = False
    async with anyio.create_task_group() as group:

        async def watched() -> None:
            nonlocal why
            why = await ends()
            group.cancel_scope.cancel()

        group.start_soon(watched)
        try:
            await work()
        except Exception as error:  # noqa: BLE001  raised below: from in here it would be one of a group
            failure = error
        else:
            done = True
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return None if done else why
