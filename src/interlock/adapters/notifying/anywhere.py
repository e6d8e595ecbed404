"""Messages by Apprise, to whatever it knows a way to: https://github.com/caronc/apprise. Which host that is, its address says.

Loaded by its name when the first message goes; it needs the extra `notify`.
"""

from pathlib import Path
from typing import Any

import anyio.to_thread
import apprise

from interlock.adapters.notifying.secrets import secret_of
from interlock.domain.channel import Apprise
from interlock.domain.errors import NotDelivered
from interlock.domain.notification import Message, Told


class AppriseNotifier:
    """One address of Apprise."""

    def __init__(self, way: Apprise, folder: Path) -> None:
        self._way = way
        self._folder = folder

    async def send(self, message: Message, told: Told, now: int) -> None:
        """See `Notifier`."""
        del message, now
        url = secret_of(self._way.url, self._folder)
        # To know an address it imports all that it knows, which takes longer than anybody else should wait.
        await anyio.to_thread.run_sync(_notify, url, told, abandon_on_cancel=True)


def _notify(url: str, told: Told) -> None:
    known: Any = apprise.Apprise()  # its types say nothing of what it takes
    if not known.add(url):
        raise NotDelivered("Apprise knows no such address", for_good=True)
    body = "\n".join([*told.lines, *([told.link] if told.link else [])])
    # It says only whether it thinks that it did.
    if not known.notify(body=body or told.title, title=told.title):
        raise NotDelivered("Apprise could not deliver it")
