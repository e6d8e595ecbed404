"""Identity providers that people sign in with, loaded when the first of them does."""

from interlock.adapters.providing.later import LaterProvider

__all__ = ["LaterProvider"]
