"""An identity provider that people sign in with."""

from typing import NamedTuple, Protocol

from interlock.domain.providing import Named


class Round(NamedTuple):
    """One way to the provider and back. Each of these is of chance, and known to this server and one browser."""

    state: str
    nonce: str
    verifier: str
    """RFC 7636: whoever brings the code back must know what it was asked for with."""


class IdentityProvider(Protocol):
    """Raises EffectorError where the provider cannot be had, and NotAllowed for what it says that does not count."""

    @property
    def called(self) -> str:
        """What people call it."""
        ...

    async def address(self, way: Round, *, back: str) -> str:
        """Where to send a browser that it may come back to `back`."""
        ...

    async def named(self, way: Round, code: str, *, back: str, issuer: str, now: int) -> Named:
        """Whom the code is for that the browser came back with. `issuer` is what it brought of RFC 9207, or empty."""
        ...
