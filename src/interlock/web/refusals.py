"""What is wrong with a request itself, as the floors above find it: see `domain/refusals.py`."""

from interlock.domain.refusals import BadRequest, Crowded, NoHost, NoSuchMethod, TooLarge, TooMany, TooSlow

__all__ = ["BadRequest", "Crowded", "NoHost", "NoSuchMethod", "TooLarge", "TooMany", "TooSlow"]
