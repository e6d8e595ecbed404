"""Reading access tokens of others. What does that is loaded when the first one comes."""

from interlock.adapters.bearing.later import LaterAccessTokens

__all__ = ["LaterAccessTokens"]
