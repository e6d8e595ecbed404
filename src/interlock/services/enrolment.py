"""Giving credentials to instances that were recognised.

1. Sizes, before anything is parsed.
2. Whoever asks proves that it holds the private key it asks for.
3. It is recognised: by being here, by a bootstrap token, by the word of somebody outside; or it shows the credential it has.
4. What is in force is looked at: the agent may act, and its release is what the credential is given for.
5. An instance that was recognised from outside is recorded, with the token it spent. *A crash before leaves the token as it
   was; one after leaves it spent by this instance, which may ask again.*
6. The credential is signed.
"""

from collections.abc import Mapping
from typing import Final

from interlock.domain import credential as credentials
from interlock.domain.attesting import Attestation, Recognised
from interlock.domain.change import Change
from interlock.domain.control import Standing
from interlock.domain.credential import CREDENTIAL, Credential, credential_of
from interlock.domain.enrolling import LOCAL, Enrolling, Expected
from interlock.domain.errors import Conflict, KeyFileError, NotAllowed
from interlock.domain.ids import AgentName
from interlock.domain.in_force import must_act, standing_of
from interlock.domain.instance import BootstrapToken, Instance, enrolled, instance_of
from interlock.domain.jwk import Jwk
from interlock.domain.jws import JwsError
from interlock.domain.possession import proven
from interlock.domain.presented import MAX_BYTES
from interlock.domain.revocation import revoked
from interlock.domain.spiffe import SpiffeError, plane_id
from interlock.domain.token import TokenError
from interlock.ports.attestor import Attestor
from interlock.ports.clock import Clock, Ids
from interlock.ports.issuer import Issuer
from interlock.ports.store import Store
from interlock.services.admission import refused
from interlock.services.inviting import Inviting
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

_NOWHERE: Final = "this control plane issues no credentials: it holds no key to sign them with"


class Enrolment:
    """Where instances get their credentials."""

    def __init__(
        self,
        *,
        issuer: Issuer | None,
        orders: StandingOrders,
        store: Store,
        inviting: Inviting,
        attestor: Attestor | None,
        attestation: Attestation,
        clock: Clock,
        ids: Ids,
        tenant: str,
    ) -> None:
        self._issuer = issuer
        self._orders = orders
        self._store = store
        self._inviting = inviting
        self._attestor = attestor
        self._attestation = attestation
        self._clock = clock
        self._ids = ids
        self._tenant = tenant

    async def expected(self, agent: AgentName) -> Expected:
        """What instances of `agent` are expected to show. Raises NotFound where it is not in force."""
        issuer = self._held()
        standing = (await self._orders.current()).control.agents.get(agent)
        if standing is None:
            standing = await self._standing(agent)
        return Expected(audience=plane_id(issuer.trust_domain), release=standing.release)

    async def enrol(self, asked: Enrolling) -> str:
        """The credential of the instance that asks, for an hour or as long as interlock.yaml says.

        Raises NotAllowed for what is not proven, not attested, or of an agent that may not act; NotFound for an agent that is
        not in force; EffectorError where an attestor cannot tell, and StoreErrors.
        """
        issuer = self._held()
        if sum(map(len, (asked.evidence, asked.credential, asked.proof))) > MAX_BYTES:
            raise refused("presented_size")
        now = self._clock.now()
        self._must_hold(asked, asked.jwk.public, issuer, now)
        await self._must_count(asked.jwk)
        if asked.credential:
            held = self._renewed(asked, issuer, now)
            credential = await self._credential(asked, issuer, held.attested)
            if held.attested != LOCAL:
                await self._seen(credential, asked)
        elif asked.by == LOCAL:
            if LOCAL not in self._attestation.methods:
                raise _unattested()
            credential = await self._credential(asked, issuer, LOCAL)
        else:
            credential = await self._let_in(asked, issuer, now)
        return CREDENTIAL.sign(credential, kid=issuer.kid, sign=issuer.sign)

    async def _must_count(self, key: Jwk) -> None:
        """Raises NotAllowed for the key of an instance that was revoked."""
        control = (await self._orders.refresh()).control
        taken = revoked(control.revocations, frozenset({("instance", key.thumbprint)}))
        if taken is not None:
            raise NotAllowed(await self._orders.taken(taken), next_step="start the program anew, once you know why")

    async def _credential(self, asked: Enrolling, issuer: Issuer, attested: str) -> Credential:
        """Step 4."""
        standing = await self._standing(asked.agent)
        try:
            return credential_of(
                trust_domain=issuer.trust_domain,
                tenant=self._tenant,
                agent=asked.agent,
                release=standing.release,
                key=asked.jwk,
                attested=attested,
                now=self._clock.now(),
                life_ms=self._attestation.lasts_ms,
                jti=self._ids.new(),
            )
        except (SpiffeError, JwsError) as error:
            raise NotAllowed(
                f"`{asked.agent}` cannot be named in a credential: {error}", next_step="give the agent a plain name"
            ) from None

    async def _let_in(self, asked: Enrolling, issuer: Issuer, now: int) -> Credential:
        """Steps 3 to 5 of an instance that nobody here knows."""
        if asked.by not in self._attestation.methods:
            raise _unattested()
        control = (await self._orders.refresh()).control
        standing_of(asked.agent, control)
        must_act(asked.agent, control)
        token, recognised = None, Recognised("bootstrap")
        if asked.by != "bootstrap":
            recognised = await self._vouched(asked, issuer, now)
        while True:
            if asked.by == "bootstrap":
                token = await self._inviting.taken(asked.evidence, asked.agent, asked.jwk.thumbprint)
            credential = await self._credential(asked, issuer, recognised.by)
            if token is not None and token.used_at is not None:
                await self._seen(credential, asked)  # it was let in before, and lost the answer
                return credential
            try:
                await self._record(credential, asked, recognised, token)
            except Conflict:
                continue
            return credential

    async def _vouched(self, asked: Enrolling, issuer: Issuer, now: int) -> Recognised:
        if self._attestor is None:
            raise _unattested()
        audience = plane_id(issuer.trust_domain)
        recognised = await self._attestor.recognised(asked.evidence, asked.agent, audience=audience, now=now)
        if recognised.by != asked.by:
            raise _unattested()
        return recognised

    async def _record(
        self, credential: Credential, asked: Enrolling, recognised: Recognised, token: BootstrapToken | None
    ) -> None:
        now = self._clock.now()
        made = instance_of(credential, asked.agent, await self._before(credential, asked), now)
        used = () if token is None else (token.spent(made.instance, now),)
        await save(self._store, Change(puts=(*used, made), facts=(enrolled(made, recognised, token, now),)))

    async def _seen(self, credential: Credential, asked: Enrolling) -> None:
        """Keep what its last credential is, for who asks which instances there are."""
        while True:
            before = await self._before(credential, asked)
            if before is None:
                return
            made = instance_of(credential, asked.agent, before, before.enrolled_at)
            try:
                await save(self._store, Change(puts=(made,)))
            except Conflict:
                continue
            return

    async def _before(self, credential: Credential, asked: Enrolling) -> Instance | None:
        return await self._store.get(Instance, f"{credential.instance}/{asked.agent}")

    def _held(self) -> Issuer:
        if self._issuer is None:
            raise KeyFileError(_NOWHERE)
        return self._issuer

    async def _standing(self, agent: AgentName) -> Standing:
        return standing_of(agent, (await self._orders.refresh()).control)

    def _must_hold(self, asked: Enrolling, public: bytes, issuer: Issuer, now: int) -> None:
        """The key that is to be in the credential signed that it is."""
        call = asked.call(plane_id(issuer.trust_domain))
        try:
            proven(asked.proof, call, holder=public, now=now, verify=issuer.verify)
        except TokenError as error:
            raise NotAllowed(
                error.detail, next_step="make the proof with the key that is to be in the credential"
            ) from None

    def _renewed(self, asked: Enrolling, issuer: Issuer, now: int) -> Credential:
        """The credential that is held. One that has expired is no way in, nor is one that nobody would be given any more."""
        try:
            signed = CREDENTIAL.parse(asked.credential)
            keys: Mapping[str, bytes] = issuer.keys()
            key = keys.get(signed.header.kid)
            if key is None:
                raise refused("credential_foreign")
            held: Credential = CREDENTIAL.claims(signed, key, issuer.verify)
        except JwsError:
            raise refused("credential_form") from None
        wrong = credentials.wrong_with(
            held, trust_domain=issuer.trust_domain, tenant=self._tenant, agent=asked.agent, now=now
        )
        if wrong is not None:
            raise refused(wrong)
        if held.cnf.jwk != asked.jwk:
            raise refused("proof_signature")
        if held.attested not in self._attestation.methods:
            raise _unattested()
        return held


def _unattested() -> NotAllowed:
    return NotAllowed("nothing here attests an instance in that way", next_step="see `identity:` in interlock.yaml")
