"""Who bears a token: asked at each request by what speaks to programs that can prove nothing more.

1. The form: one token, in one header, of a size (`domain/borne.py`). Nothing is looked up before that.
2. How many that were none came from this address lately. Tokens that this process let in before are looked at all the same: of
   several programs behind one address, the one that is wrong does not keep the others out.
3. The token itself. An agent key is found by its id and held against the digest of its secret. Of an access token the signature
   is looked at, then what it says: issuer, audience, times, client. One that is bound to a key counts with a proof by that key
   alone, made for this very request, and once: which of all processes saw it first the store says.
4. What is in force: the agent is there and active, and nothing of it was revoked since it was granted. Asked every time.
5. What the token is for.

Nothing of it is stored or logged. What is done by whoever was let in is, with `Bearer.through`. Brakes are not asked here: what
is stopped is refused at each action, on record.
"""

from collections import OrderedDict
from contextlib import suppress
from hashlib import sha256
from typing import Final

from interlock.domain.access_token import Resource, scopes_for
from interlock.domain.agent_key import AGENT_KEY
from interlock.domain.bearer import Bearer, Surface
from interlock.domain.borne import Borne, Carried, carried
from interlock.domain.duration import SECOND
from interlock.domain.errors import NotAllowed, NotFound, RateExceeded
from interlock.domain.in_force import must_act, standing_of
from interlock.domain.revocation import AGAIN, Revocation, revoked
from interlock.domain.throttle import TOKENS
from interlock.domain.through import CLIENT
from interlock.domain.token import SKEW_MS
from interlock.ports.access_tokens import AccessTokens
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.access_bearing import NONE, AccessBearing, MadeUp, Refusals
from interlock.services.agent_keys import AgentKeys
from interlock.services.attempts import Attempts
from interlock.services.orders import Orders, StandingOrders

LOOK_S: Final = 2.0
"""How often is asked whether who hears an answer would be let in still."""
BLIND_S: Final = 30.0
"""For so long answers go on while the store does not say; then they end."""
MOST_KNOWN: Final = 4096
"""Tokens that are remembered as let in, by digests."""


class Bearing:
    """The door of what is spoken to with tokens."""

    def __init__(
        self,
        *,
        keys: AgentKeys,
        tokens: AccessTokens | None,
        resource: Resource,
        store: Store,
        orders: StandingOrders,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self.resource = resource
        """What access tokens must be made for, and whose count."""
        self._refusals = Refusals(resource)
        self._access = AccessBearing(tokens=tokens, resource=resource, store=store, refusals=self._refusals)
        self._orders = orders
        self._clock = clock
        self._attempts = Attempts(words=TOKENS, scope="gateway")
        self._known: OrderedDict[bytes, None] = OrderedDict()

    async def admit(self, borne: Borne, surface: Surface) -> Bearer:
        """Who bears what `borne` says, to speak to `surface`.

        Raises NotAdmitted (400, 401, 403, with its challenge), RateExceeded where too many tokens that were none came from there
        lately, EffectorError where an issuer's keys cannot be had, and StoreErrors: who cannot be looked up is not let in.
        """
        now = self._clock.now()
        said = carried(borne, metadata=self.resource.metadata)
        name = sha256(said.token.encode()).digest()
        if name not in self._known:
            self._attempts.look_from(borne.address, now)
        orders = await self._orders.refresh()
        try:
            if said.token.startswith(AGENT_KEY.prefix):
                bearer = await self._by_key(said, now)
                self._must_stand(bearer, orders)
            else:
                signed, thumbprint = await self._access.proven(said, borne, now)
                bearer = self._access.bearer(signed, thumbprint, surface, orders)
                self._must_stand(bearer, orders, granted_at=signed.claims.iat * SECOND)
        except MadeUp:
            self._known.pop(name, None)
            with suppress(RateExceeded):
                self._attempts.count_from(borne.address, now)
            raise
        self._remember(name)
        if surface not in bearer.surfaces:
            raise self._refusals.refused(
                f"this token is for {' and '.join(bearer.surfaces)}, not for {surface}", "insufficient_scope"
            )
        return bearer

    async def must_stand(self, bearer: Bearer) -> None:
        """Raises NotAdmitted where who was let in before would not be now, token in hand, and StoreErrors: asked again, every
        `LOOK_S`, while an answer goes on."""
        if self._clock.now() >= bearer.expires_at + SKEW_MS:
            raise self._refusals.refused(NONE, "invalid_token")
        self._must_stand(bearer, await self._orders.refresh())

    def must_open(self, bearer: Bearer, tool: str) -> None:
        """Raises NotAdmitted, with the scopes that would do (RFC 6750 section 3.1), where who bears an access token asks for a
        tool that other scopes of its issuer open, and its own do not. What nothing opens is for the gate to refuse."""
        tools = bearer.bounds.tools
        if tools is None or tool in tools.tools:
            return
        name = bearer.through.removeprefix(CLIENT).partition("#")[0]
        for issuer in self.resource.issuers if bearer.through.startswith(CLIENT) else ():
            scopes = scopes_for(tool, issuer) if issuer.issuer == name else ()
            if scopes:
                raise self._refusals.refused(
                    "the scopes of the token do not open this tool", "insufficient_scope", scopes=scopes
                )

    # -- parts -------------------------------------------------------------------------------------------------

    async def _by_key(self, said: Carried, now: int) -> Bearer:
        key = await self._keys.recognise(said.token) if said.scheme == "bearer" else None
        if key is None:
            raise self._refusals.made_up(NONE)
        if not key.alive(now):
            raise self._refusals.refused(NONE, "invalid_token")
        return key.bearer()

    def _must_stand(self, bearer: Bearer, orders: Orders, granted_at: int | None = None) -> None:
        control = orders.control
        try:
            standing_of(bearer.agent, control)
            must_act(bearer.agent, control)
        except (NotFound, NotAllowed) as error:
            raise self._refusals.refused(error.detail, "insufficient_scope", next_step=error.next_step) from None
        taken: Revocation | None
        if granted_at is None:
            taken = revoked(control.revocations, bearer.marks, bearer.epoch)
        else:
            # No issuer knows of our standing orders: a token that was made before a revocation, by its own clock, is taken.
            found = [each for each in control.revocations if each.takes(bearer.marks)]
            taken = next(
                (each for each in found if each.kind not in AGAIN or granted_at <= each.since_at + SKEW_MS), None
            )
        if taken is not None:
            raise self._refusals.refused("what the token was made for was revoked", "invalid_token")

    def _remember(self, name: bytes) -> None:
        self._known[name] = None
        self._known.move_to_end(name)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
