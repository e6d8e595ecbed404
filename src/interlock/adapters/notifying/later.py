"""Ways to people, made when the first message goes: their libraries take long to import, and one of them is an extra."""

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import assert_never, cast

from interlock.domain.channel import Apprise, Mail, Slack, Way, Webhook
from interlock.domain.errors import NotDelivered
from interlock.domain.notification import Message, Told
from interlock.ports.notifier import Notifier

_HERE = "interlock.adapters.notifying"


class LaterNotifier:
    """A way that is only named so far. Paths of secrets are below `folder`."""

    def __init__(self, way: Way, folder: Path) -> None:
        self._way = way
        self._folder = folder

    async def send(self, message: Message, told: Told, now: int) -> None:
        """See `Notifier`."""
        try:
            notifier = self._notifier
        except ModuleNotFoundError as error:
            raise NotDelivered(f"`{error.name}` is not installed: pip install 'interlock[notify]'") from None
        await notifier.send(message, told, now)

    @cached_property
    def _notifier(self) -> Notifier:
        match self._way:
            case Slack():
                module, name = "posting", "SlackNotifier"
            case Webhook():
                module, name = "posting", "WebhookNotifier"
            case Mail():
                module, name = "mail", "MailNotifier"
            case Apprise():
                module, name = "anywhere", "AppriseNotifier"
            case _:
                assert_never(self._way)
        made = getattr(import_module(f"{_HERE}.{module}"), name)
        return cast(Notifier, made(self._way, self._folder))
