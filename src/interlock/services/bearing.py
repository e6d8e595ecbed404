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

from interlock.domain.access_token import (
    Resource,
    Unprovable,
    bearer_of,
    bound_to,
    client_of,
    named_by,
    opened_by,
    scopes_for,
    unlike,
)
from interlock.domain.agent_key import AGENT_KEY
from interlock.domain.bearer import Bearer, Surface, initiator_of
from interlock.domain.borne import Borne, Carried, Wrong, carried, refused
from interlock.domain.change import Change
from interlock.domain.dpop import ALGORITHMS, spent
from interlock.domain.dpop import unlike as unlike_proof
from interlock.domain.duration import SECOND
from interlock.domain.errors import Conflict, ContractError, NotAdmitted, NotAllowed, NotFound, RateExceeded
from interlock.domain.in_force import must_act, standing_of
from interlock.domain.presented import SPENT
from interlock.domain.revocation import AGAIN, Revocation, revoked
from interlock.domain.throttle import TOKENS
from interlock.domain.through import CLIENT
from interlock.domain.token import SKEW_MS
from interlock.ports.access_tokens import AccessTokens, Signed
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.agent_keys import AgentKeys
from interlock.services.attempts import Attempts
from interlock.services.orders import Orders, StandingOrders

MOST_KNOWN: Final = 4096
"""Tokens that are remembered as let in, by digests."""
_NONE: Final = "the token is none that counts: made up, over, or revoked"


class _MadeUp(NotAdmitted):
    """A token that nobody whose word counts here ever gave out. It is counted."""


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
        self._tokens = tokens
        self.resource = resource
        """What access tokens must be made for, and whose count."""
        self._store = store
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
                bearer = await self._by_token(said, borne, orders, now)
        except _MadeUp:
            self._known.pop(name, None)
            with suppress(RateExceeded):
                self._attempts.count_from(borne.address, now)
            raise
        self._remember(name)
        if surface not in bearer.surfaces:
            raise self._refused(
                f"this token is for {' and '.join(bearer.surfaces)}, not for {surface}", "insufficient_scope"
            )
        return bearer

    async def still(self, bearer: Bearer) -> bool:
        """Whether who was let in before would be now, token in hand: asked again while an answer goes on. Raises StoreErrors."""
        try:
            await self.must_stand(bearer)
        except NotAdmitted:
            return False
        return True

    async def must_stand(self, bearer: Bearer) -> None:
        """Raises NotAdmitted where who was let in before would not be any more, and StoreErrors."""
        if self._clock.now() >= bearer.expires_at + SKEW_MS:
            raise self._refused(_NONE, "invalid_token")
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
                raise self._refused(
                    "the scopes of the token do not open this tool", "insufficient_scope", scopes=scopes
                )

    # -- parts -------------------------------------------------------------------------------------------------

    async def _by_key(self, said: Carried, now: int) -> Bearer:
        key = await self._keys.recognise(said.token) if said.scheme == "bearer" else None
        if key is None:
            raise self._made_up(_NONE)
        if not key.alive(now):
            raise self._refused(_NONE, "invalid_token")
        return key.bearer()

    async def _by_token(self, said: Carried, borne: Borne, orders: Orders, now: int) -> Bearer:
        tokens = self._tokens
        if tokens is None or not self.resource.issuers:
            raise self._made_up(_NONE)
        try:
            signed = await tokens.signed(said.token, now=now)
        except NotAllowed as error:
            raise self._made_up(error.detail) from None
        why = unlike(signed.claims, signed.issuer, self.resource.resource, now)
        if why:
            raise self._refused(why, "invalid_token")
        thumbprint = await self._proven(tokens, said, borne, signed, now)
        bearer = self._bearer(signed, thumbprint, orders)
        self._must_stand(bearer, orders, granted_at=signed.claims.iat * SECOND)
        return bearer

    async def _proven(self, tokens: AccessTokens, said: Carried, borne: Borne, signed: Signed, now: int) -> str:
        """The thumbprint of the key that was proven to be held; empty where the token asks for no proof."""
        try:
            bound = bound_to(signed.claims)
        except Unprovable:
            raise self._refused("the token is bound to what cannot be proven here", "invalid_token") from None
        if not bound:
            if signed.issuer.bound or said.scheme == "dpop":
                raise self._refused("the token is bound to no key, and it must be", "invalid_token")
            return ""
        if said.scheme != "dpop" or not borne.dpop:
            raise self._refused(
                "the token is bound to a key: bear it as `Authorization: DPoP`, with a proof by that key in `DPoP`",
                "invalid_dpop_proof" if said.scheme == "dpop" else "invalid_token",
                dpop=True,
            )
        try:
            held = tokens.held(borne.dpop[0])
        except NotAllowed as error:
            raise self._refused(error.detail, "invalid_dpop_proof") from None
        url = f"{self.resource.origin}{self._prefix}{borne.path}"
        why = unlike_proof(held, token=said.token, bound_to=bound, method=borne.method, url=url, now=now)
        if why:
            raise self._refused(why, "invalid_dpop_proof")
        try:
            await self._store.commit(Change(spent=(spent(held),)))
        except Conflict as conflict:
            if conflict.kind != SPENT:
                raise
            raise self._refused("the proof was used before", "invalid_dpop_proof") from None
        return bound

    def _bearer(self, signed: Signed, thumbprint: str, orders: Orders) -> Bearer:
        issuer, claims = signed.issuer, signed.claims
        client = client_of(claims, issuer)
        if client is None:
            raise self._refused("interlock.yaml lets nobody in as an agent with this token", "insufficient_scope")
        opened = opened_by(claims.granted(), issuer, frozenset(orders.contracts))
        if opened is not None and not claims.granted() & issuer.scopes.keys():
            raise self._refused(
                "the token has none of the scopes that open something", "insufficient_scope", scopes=(*issuer.scopes,)
            )
        try:
            initiator = initiator_of(named_by(claims, signed.other, issuer), client.agent)
            return bearer_of(
                claims,
                client,
                issuer,
                initiator,
                opened=opened,
                thumbprint=thumbprint,
                epoch=orders.control.revision,
            )
        except ContractError as error:
            raise self._refused(error.detail, "insufficient_scope") from None

    def _must_stand(self, bearer: Bearer, orders: Orders, granted_at: int | None = None) -> None:
        control = orders.control
        try:
            standing_of(bearer.agent, control)
            must_act(bearer.agent, control)
        except (NotFound, NotAllowed) as error:
            raise self._refused(error.detail, "insufficient_scope", next_step=error.next_step) from None
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
            raise self._refused("what the token was made for was revoked", "invalid_token")

    @property
    def _prefix(self) -> str:
        """What stands before our own paths where a proxy passes only what is below it on."""
        return self.resource.path.removesuffix("/mcp")

    def _made_up(self, why: str) -> _MadeUp:
        said = self._refused(why, "invalid_token")
        return _MadeUp(said.detail, status=said.status, challenge=said.challenge, next_step=said.next_step)

    def _refused(
        self,
        why: str,
        wrong: Wrong,
        *,
        scopes: tuple[str, ...] = (),
        dpop: bool = False,
        next_step: str | None = None,
    ) -> NotAdmitted:
        algorithms = ALGORITHMS if dpop or wrong == "invalid_dpop_proof" else ()
        return refused(
            why,
            wrong,
            metadata=self.resource.metadata,
            scopes=scopes,
            algorithms=algorithms,
            next_step=next_step,
        )

    def _remember(self, name: bytes) -> None:
        self._known[name] = None
        self._known.move_to_end(name)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
