"""Telling somebody outside."""

from typing import Protocol

from interlock.domain.notification import Message, Told


class Notifier(Protocol):
    """One way to people."""

    async def send(self, message: Message, told: Told, now: int) -> None:
        """Deliver `message`, which in words is `told`, at `now` (UTC ms). Ends within half a minute.

        Raises NotDelivered where it is not known to have arrived; it may have all the same. What that says holds no secret,
        and nothing of what the other side answered.
        """
        ...
