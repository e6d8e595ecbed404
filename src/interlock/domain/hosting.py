"""Where the server is to be found from outside, as the workspace says it."""

from ipaddress import ip_address, ip_network
from typing import Final

import msgspec

from interlock.domain.providing import SignInProvider

NEAR: Final = ("localhost", "127.0.0.1", "::1")
"""What this machine calls itself: nobody else can reach us there."""
MOST_HOPS: Final = 16
"""So many proxies behind each other are looked through."""


class Hosting(msgspec.Struct, frozen=True, kw_only=True):
    """`server` in `interlock.yaml`."""

    public_url: str = ""
    """Where people open the console, `https://interlock.example.org`: whoever ends TLS in front of us passes that on. Empty:
    the server is for this machine alone."""
    host: str = ""
    """The host in it, lower case, without the port."""
    proxies: tuple[str, ...] = ()
    """Whose word counts on where a request came from: the addresses, or networks (`10.0.0.0/8`), of what ends TLS in front of us.
    Empty: nobody's, and a request comes from whoever connected."""
    provider: SignInProvider | None = None
    """Whom people may sign in with."""
    live_most: int = 2_000
    """How many streams of news are open at once at most."""
    rate: int = 50
    """How many requests a second one session, key or address may make in the long run; six times as many may come at once."""

    def sender(self, connected: str, passed: str) -> str:
        """Where a request came from: of what `connected`, and of the addresses in `X-Forwarded-For`, each added by whom the next
        one names, the last that is no proxy of ours. Whatever stands before it came from outside."""
        sender = connected
        for each in reversed([each.strip() for each in passed.split(",")][-MOST_HOPS:]):
            if not each or not self._is_proxy(sender):
                break
            sender = each
        return sender[:64]

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in ip_network(each, strict=False) for each in self.proxies)

    @property
    def secure(self) -> bool:
        """Whether people reach us through TLS."""
        return self.public_url.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which we answer, as a `Host` header has them, without the port. A page of somebody else's that has
        its own name point at this machine hears nothing."""
        return frozenset({*NEAR, self.host} if self.host else NEAR)
