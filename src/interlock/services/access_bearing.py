"""Who bears an access token of somebody else's: its signature, what it says, the proof of the key that it is bound to, and which
agent it is here. Nothing of it is stored but that a proof was used."""

from typing import Final

from interlock.domain.access_token import (
    Resource,
    Unprovable,
    bearer_of,
    bound_to,
    client_of,
    closed_to_models,
    named_by,
    opened_by,
    unlike,
)
from interlock.domain.bearer import Bearer, Surface, initiator_of
from interlock.domain.borne import Borne, Carried, Wrong, refused
from interlock.domain.change import Change
from interlock.domain.dpop import ALGORITHMS, spent
from interlock.domain.dpop import unlike as unlike_proof
from interlock.domain.errors import Conflict, ContractError, NotAdmitted, NotAllowed
from interlock.domain.presented import SPENT
from interlock.ports.access_tokens import AccessTokens, Signed
from interlock.ports.store import Store
from interlock.services.orders import Orders

NONE: Final = "the token is none that counts: made up, over, or revoked"


class MadeUp(NotAdmitted):
    """A token that nobody whose word counts here ever gave out. It is counted."""


class Refusals:
    """Refusals of a door, each with the challenge that says where to look whose tokens count."""

    def __init__(self, resource: Resource) -> None:
        self._metadata = resource.metadata

    def refused(
        self,
        why: str,
        wrong: Wrong,
        *,
        scopes: tuple[str, ...] = (),
        dpop: bool = False,
        next_step: str | None = None,
    ) -> NotAdmitted:
        """See `domain.borne.refused`; `dpop`: a proof of possession would help."""
        algorithms = ALGORITHMS if dpop or wrong == "invalid_dpop_proof" else ()
        return refused(why, wrong, metadata=self._metadata, scopes=scopes, algorithms=algorithms, next_step=next_step)

    def made_up(self, why: str) -> MadeUp:
        """The refusal of what was made up."""
        said = self.refused(why, "invalid_token")
        return MadeUp(said.detail, status=said.status, challenge=said.challenge, next_step=said.next_step)


class AccessBearing:
    """Looks at access tokens. `tokens` is None where none counts."""

    def __init__(self, *, tokens: AccessTokens | None, resource: Resource, store: Store, refusals: Refusals) -> None:
        self._tokens = tokens
        self._resource = resource
        self._store = store
        self._refusals = refusals

    async def proven(self, said: Carried, borne: Borne, now: int) -> tuple[Signed, str]:
        """The token, which is an issuer's for us and counts now, and the thumbprint of the key that was proven to be held; empty
        where the token asks for no proof. Raises what `Bearing.admit` does."""
        tokens = self._tokens
        if tokens is None or not self._resource.issuers:
            raise self._refusals.made_up(NONE)
        try:
            signed = await tokens.signed(said.token, now=now)
        except NotAllowed as error:
            raise self._refusals.made_up(error.detail) from None
        why = unlike(signed.claims, signed.issuer, self._resource.resource, now)
        if why:
            raise self._refusals.refused(why, "invalid_token")
        return signed, await self._proven(tokens, said, borne, signed, now)

    def bearer(self, signed: Signed, thumbprint: str, surface: Surface, orders: Orders) -> Bearer:
        """Who bears it, to speak to `surface`. Raises NotAdmitted."""
        issuer, claims = signed.issuer, signed.claims
        client = client_of(claims, issuer)
        if client is None:
            raise self._refusals.refused(
                "interlock.yaml lets nobody in as an agent with this token", "insufficient_scope"
            )
        opened = opened_by(claims.granted(), issuer, frozenset(orders.contracts))
        if opened is not None and not claims.granted() & issuer.scopes.keys():
            raise self._refusals.refused(
                "the token has none of the scopes that open something", "insufficient_scope", scopes=(*issuer.scopes,)
            )
        scopes = (
            closed_to_models(claims.granted(), issuer) if surface == "models" and surface in client.surfaces else ()
        )
        if scopes:
            raise self._refusals.refused(
                "the scopes of the token do not open models", "insufficient_scope", scopes=scopes
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
            raise self._refusals.refused(error.detail, "insufficient_scope") from None

    async def _proven(self, tokens: AccessTokens, said: Carried, borne: Borne, signed: Signed, now: int) -> str:
        """The thumbprint of the key that was proven to be held; empty where the token asks for no proof."""
        try:
            bound = bound_to(signed.claims)
        except Unprovable:
            raise self._refusals.refused("the token is bound to what cannot be proven here", "invalid_token") from None
        if not bound:
            if signed.issuer.bound or said.scheme == "dpop":
                raise self._refusals.refused("the token is bound to no key, and it must be", "invalid_token")
            return ""
        if said.scheme != "dpop" or not borne.dpop:
            raise self._refusals.refused(
                "the token is bound to a key: bear it as `Authorization: DPoP`, with a proof by that key in `DPoP`",
                "invalid_dpop_proof" if said.scheme == "dpop" else "invalid_token",
                dpop=True,
            )
        try:
            held = tokens.held(borne.dpop[0])
        except NotAllowed as error:
            raise self._refusals.refused(error.detail, "invalid_dpop_proof") from None
        # What stands before our own paths where a proxy passes only what is below it on.
        prefix = self._resource.path.removesuffix("/mcp")
        url = f"{self._resource.origin}{prefix}{borne.path}"
        why = unlike_proof(held, token=said.token, bound_to=bound, method=borne.method, url=url, now=now)
        if why:
            raise self._refusals.refused(why, "invalid_dpop_proof")
        try:
            await self._store.commit(Change(spent=(spent(held),)))
        except Conflict as conflict:
            if conflict.kind != SPENT:
                raise
            raise self._refusals.refused("the proof was used before", "invalid_dpop_proof") from None
        return bound
