"""Signing in with an identity provider: there and back, each way once.

What the way was begun with is in a cookie of the browser that began it, so nobody else's browser ends it, and it outlives a
restart. Which ways ended is remembered here as long as one lasts; after a restart the provider still takes each code once.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from interlock.domain.duration import MINUTE
from interlock.domain.errors import NotAllowed, NotFound, NotSignedIn
from interlock.domain.ids import Person
from interlock.ports.clock import Clock, Ids
from interlock.ports.identity_provider import IdentityProvider, Round
from interlock.services.signing_in import Signed, SigningIn

LASTS_MS: Final = 10 * MINUTE
MOST_ENDED: Final = 4096
LONGEST_CODE: Final = 2048


class Begun(NamedTuple):
    """A way to the provider."""

    address: str
    """Where the browser goes."""
    carried: str
    """What its cookie must carry."""


class ByProvider:
    """Sends browsers to the provider of this workspace, and takes them back."""

    def __init__(self, *, provider: IdentityProvider | None, signing_in: SigningIn, clock: Clock, ids: Ids) -> None:
        self._provider = provider
        self._signing_in = signing_in
        self._clock = clock
        self._ids = ids
        self._ended: OrderedDict[str, None] = OrderedDict()

    @property
    def called(self) -> str:
        """What people call the provider; empty where there is none."""
        return self._provider.called if self._provider is not None else ""

    async def begin(self, *, back: str) -> Begun:
        """Where to send a browser. Raises NotFound where there is no provider, EffectorError where it cannot be had."""
        way = Round(self._ids.nonce(), self._ids.nonce(), self._ids.nonce() + self._ids.nonce())
        address = await self._held().address(way, back=back)
        return Begun(address, ".".join((str(self._clock.now()), *way)))

    async def end(self, carried: str, *, state: str, code: str, issuer: str, back: str, browser: str) -> Signed:
        """Sign in whoever comes back. Raises NotSignedIn for what this browser did not begin, what ended before, what lasted
        too long, and for whom people.yaml does not know; EffectorError where the provider cannot be had."""
        provider = self._held()
        way = self._begun(carried, state)
        if not code or len(code) > LONGEST_CODE:
            raise NotSignedIn("the identity provider did not let you in", next_step="begin again")
        # Before anything is awaited: of two that come back with one state the second finds it ended.
        self._ended[way.state] = None
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
        try:
            named = await provider.named(way, code, back=back, issuer=issuer, now=self._clock.now())
        except NotAllowed as error:
            raise NotSignedIn(error.detail, next_step="begin again, or ask for a one-time link") from None
        return await self._signing_in.by_provider(Person(named.person), named.subject, browser=browser)

    def _begun(self, carried: str, state: str) -> Round:
        began, _, rest = carried[:400].partition(".")
        parts = rest.split(".")
        late = not began.isdecimal() or not 0 <= self._clock.now() - int(began[:16]) < LASTS_MS
        if late or len(parts) != 3 or not state or parts[0] != state or state in self._ended:
            raise NotSignedIn(
                "this way to the identity provider was not begun here, ended before, or took too long",
                next_step="begin again",
            )
        return Round(*parts)

    def _held(self) -> IdentityProvider:
        if self._provider is None:
            raise NotFound("no identity provider is named in interlock.yaml", next_step="sign in by a one-time link")
        return self._provider
