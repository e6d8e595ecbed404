"""Recognising instances by the tokens of others. What reads those is loaded when the first one comes."""

from interlock.adapters.attesting.later import LaterTokens

__all__ = ["LaterTokens"]
