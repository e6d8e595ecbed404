"""Giving credentials to instances that were recognised.

Whoever asks proves that it holds the private key it asks for; then either an attestor says that it may be the agent, or it
shows the credential it has. A renewal looks again at what is in force: another release is another credential.
"""

from collections.abc import Mapping
from typing import Final

from interlock.domain import credential as credentials
from interlock.domain.control import Standing
from interlock.domain.credential import CREDENTIAL, LIFE_MS, Credential, credential_of
from interlock.domain.enrolling import LOCAL, Enrolling, Expected
from interlock.domain.errors import KeyFileError, NotAllowed, NotFound
from interlock.domain.ids import AgentName
from interlock.domain.jws import JwsError
from interlock.domain.names import instead
from interlock.domain.possession import proven
from interlock.domain.presented import MAX_BYTES, REFUSALS, Code
from interlock.domain.spiffe import SpiffeError, plane_id
from interlock.domain.token import TokenError
from interlock.ports.clock import Clock, Ids
from interlock.ports.issuer import Issuer
from interlock.services.orders import StandingOrders

_NOWHERE: Final = "this control plane issues no credentials: it holds no key to sign them with"


class Enrolment:
    """Where instances get their credentials."""

    def __init__(
        self, *, issuer: Issuer | None, orders: StandingOrders, clock: Clock, ids: Ids, tenant: str, local: bool
    ) -> None:
        self._issuer = issuer
        self._orders = orders
        self._clock = clock
        self._ids = ids
        self._tenant = tenant
        self._local = local

    async def expected(self, agent: AgentName) -> Expected:
        """What instances of `agent` are expected to show. Raises NotFound where it is not in force."""
        issuer = self._held()
        standing = (await self._orders.current()).control.agents.get(agent)
        if standing is None:
            standing = await self._standing(agent)
        return Expected(audience=plane_id(issuer.trust_domain), release=standing.release)

    async def enrol(self, asked: Enrolling) -> str:
        """The credential of the instance that asks, for an hour.

        Raises NotAllowed for what is not proven or not attested, NotFound for an agent that is not in force.
        """
        issuer = self._held()
        if sum(map(len, (asked.evidence, asked.credential, asked.proof))) > MAX_BYTES:
            raise _refused("presented_size")
        now = self._clock.now()
        public = asked.jwk.public
        self._must_hold(asked, public, issuer, now)
        attested = self._renewed(asked, issuer, now) if asked.credential else self._attested(asked)
        standing = await self._standing(asked.agent)
        try:
            credential = credential_of(
                trust_domain=issuer.trust_domain,
                tenant=self._tenant,
                agent=asked.agent,
                release=standing.release,
                key=asked.jwk,
                attested=attested,
                now=now,
                life_ms=LIFE_MS,
                jti=self._ids.new(),
            )
            return CREDENTIAL.sign(credential, kid=issuer.kid, sign=issuer.sign)
        except (SpiffeError, JwsError) as error:
            raise NotAllowed(
                f"`{asked.agent}` cannot be named in a credential: {error}", next_step="give the agent a plain name"
            ) from None

    def _held(self) -> Issuer:
        if self._issuer is None:
            raise KeyFileError(_NOWHERE)
        return self._issuer

    async def _standing(self, agent: AgentName) -> Standing:
        control = (await self._orders.refresh()).control
        if agent not in control.agents:
            advice = instead(agent, control.agents, "run `interlock apply`")
            raise NotFound(f"no agent `{agent}` is in force", next_step=advice)
        return control.agents[agent]

    def _must_hold(self, asked: Enrolling, public: bytes, issuer: Issuer, now: int) -> None:
        """The key that is to be in the credential signed that it is."""
        call = asked.call(plane_id(issuer.trust_domain))
        try:
            proven(asked.proof, call, holder=public, now=now, verify=issuer.verify)
        except TokenError as error:
            raise NotAllowed(
                error.detail, next_step="make the proof with the key that is to be in the credential"
            ) from None

    def _attested(self, asked: Enrolling) -> str:
        if asked.by != LOCAL or not self._local:
            raise NotAllowed(
                "nothing here attests an instance in that way", next_step="see `identity:` in interlock.yaml"
            )
        return LOCAL

    def _renewed(self, asked: Enrolling, issuer: Issuer, now: int) -> str:
        """How the holder of a credential was attested. One that has expired is no way in."""
        try:
            signed = CREDENTIAL.parse(asked.credential)
            keys: Mapping[str, bytes] = issuer.keys()
            key = keys.get(signed.header.kid)
            if key is None:
                raise _refused("credential_foreign")
            held: Credential = CREDENTIAL.claims(signed, key, issuer.verify)
        except JwsError:
            raise _refused("credential_form") from None
        wrong = credentials.wrong_with(
            held, trust_domain=issuer.trust_domain, tenant=self._tenant, agent=asked.agent, now=now
        )
        if wrong is not None:
            raise _refused(wrong)
        if held.cnf.jwk != asked.jwk:
            raise _refused("proof_signature")
        return held.attested


def _refused(code: Code) -> NotAllowed:
    said = REFUSALS[code]
    return NotAllowed(said.words, next_step=said.next)
