"""Ways to people outside: webhooks, mail, and what the library Apprise knows."""

from interlock.adapters.notifying.later import notifier_of

__all__ = ["notifier_of"]
