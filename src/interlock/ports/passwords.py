"""Making of a password what may be kept of it, and telling whether a password is the one."""

from typing import Literal, Protocol

Told = Literal["right", "stale", "wrong"]
"""`stale`: right, and kept in a form that is weaker than what is made today."""


class Passwords(Protocol):
    """Slow on purpose, and never for more than a few at once. Raises EffectorError where the library for it is missing."""

    async def kept(self, password: str) -> str:
        """What to keep of a password; with a salt of its own each time."""
        ...

    async def told(self, password: str, kept: str) -> Told:
        """Whether `password` is the one of which `kept` was made. Takes as long where `kept` is empty, and is wrong then."""
        ...
