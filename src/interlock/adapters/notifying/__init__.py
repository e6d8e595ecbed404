"""Ways to people outside: webhooks, mail, and what the library Apprise knows."""

from interlock.adapters.notifying.later import LaterNotifier

__all__ = ["LaterNotifier"]
