"""Who makes a call: the first thing the gate asks, of everything that is proposed.

1. Sizes, before anything is parsed.
2. The credential: its form, our signature, then what it says: plane, tenant, agent, times.
3. The chain of task tokens, where one is brought: its signatures, links and narrowing, then whether it counts now, and is held by
   this very instance. Where the task was handed on, that it is the chain of that task.
4. The proof of possession: its form, the signature of the credential's key, then whether it is of this call and of now.
5. What is in force: the agent, and the release the credential was given for.
6. That the proof was not used before. Nothing but the transaction that stores the action can know: it stores the proof
   as well, so of two calls with one proof, in whatever processes, one holds.

A credential that was found in order is not parsed and verified again; when it counts is asked every time.
"""

from collections.abc import Awaitable
from hashlib import sha256
from typing import Final, NamedTuple, Protocol, TypeVar, cast

import msgspec

from interlock.domain import credential as credentials
from interlock.domain.canonical import JsonValue
from interlock.domain.chain import Chain
from interlock.domain.control import Control
from interlock.domain.credential import CREDENTIAL, Credential
from interlock.domain.delegation import unfit
from interlock.domain.duration import SECOND
from interlock.domain.errors import Conflict, NotAllowed
from interlock.domain.ids import AgentName, Digest
from interlock.domain.jwk import thumbprint
from interlock.domain.jws import JwsError, NotSigned
from interlock.domain.possession import Call, Proof, proven
from interlock.domain.presented import KEPT_MS, REFUSALS, SPENT, Caller, Code, Presented, Spent, called, writable
from interlock.domain.proposal import Proposal
from interlock.domain.spiffe import SpiffeError, agent_of, plane_id
from interlock.domain.task import Task
from interlock.domain.token import TokenError
from interlock.ports.clock import Clock
from interlock.ports.issuer import Issuer
from interlock.services.chains import Chains
from interlock.services.orders import StandingOrders

T = TypeVar("T")

MOST_KEPT: Final = 4096
"""Credentials that are remembered as well signed."""


_CODES: Final[dict[str, Code]] = {
    "proof_malformed": "proof_form",
    "proof_signature": "proof_signature",
    "proof_other": "proof_other",
    "proof_time": "proof_time",
    "token_malformed": "token_malformed",
    "token_untrusted": "token_untrusted",
    "token_signature": "token_signature",
    "token_broken_link": "token_broken_link",
    "token_depth": "token_depth",
    "token_widened": "token_widened",
    "token_expired": "token_expired",
    "token_not_yet": "token_not_yet",
}
"""What the pure checks call it, and what a refusal does."""


class Admitted(NamedTuple):
    """A call that is who it says."""

    caller: Caller | None
    """None only from a door that asks nobody, as tests have it."""
    release: Digest | None
    """Which its credential was given for."""
    chain: Chain | None = None
    """The task tokens it showed, which hold and are held by the caller."""
    spent: tuple[Spent, ...] = ()
    """What must be stored with whatever comes of it."""
    outside: bool = False
    """Whether it came from outside this process."""

    @property
    def instance(self) -> str:
        """The thumbprint of whose call it is; empty where nobody was asked."""
        return "" if self.caller is None else self.caller.instance

    def holds(self, task: Task) -> bool:
        """Whether the task is the caller's to act in. One that was opened by nobody who showed anything, as people and tests open
        them, is any caller's in this process, and no caller's outside of it."""
        if self.caller is None:
            return True
        return task.holder == self.caller.instance or not (task.holder or self.outside)


class Door(Protocol):
    """Lets calls in."""

    def admit(self, proposal: Proposal) -> Admitted | Code:
        """Who makes the call, or why it is not let in. Asks nothing that can change under a decision."""
        ...

    def standing(self, admitted: Admitted, agent: AgentName, control: Control) -> Code | None:
        """Why, under `control`, a call that was admitted is not to be decided all the same."""
        ...


class Admission:
    """The door of a control plane."""

    def __init__(self, *, issuer: Issuer | None, tenant: str, clock: Clock) -> None:
        self._issuer = issuer
        self._tenant = tenant
        self._clock = clock
        self._known: dict[str, tuple[bytes, Credential]] = {}
        self._chains = None if issuer is None else Chains(issuer.verify)

    def admit(self, proposal: Proposal) -> Admitted | Code:
        """Steps 1 to 4."""
        presented, issuer = proposal.presented, self._issuer
        if presented is None or issuer is None:
            return "presented_missing"
        task = proposal.task
        audience = plane_id(issuer.trust_domain)
        call = called(task.id, proposal.contract, proposal.arguments, proposal.idempotency_key, audience=audience)
        admitted = self.proven(presented, task.agent, call, issuer)
        if isinstance(admitted, str) or admitted.caller is None:
            return admitted
        fits = unfit(task.id, task.delegated, admitted.chain, admitted.caller.instance)
        return fits or of_another(task, admitted) or admitted

    def possessed(self, presented: Presented, call: Call) -> tuple[AgentName, Admitted] | Code:
        """Who presents this for `call`, as the agent that its credential is of; or why nobody does."""
        issuer = self._issuer
        if issuer is None:
            return "presented_missing"
        if presented.too_long():
            return "presented_size"
        credential = self.credential(presented.credential, issuer)
        if isinstance(credential, str):
            return credential
        try:
            agent = agent_of(credential.sub, issuer.trust_domain)
        except SpiffeError:
            return "credential_foreign"
        admitted = self.proven(presented, agent, call, issuer)
        return admitted if isinstance(admitted, str) else (agent, admitted)

    def proven(self, presented: Presented, agent: AgentName, call: Call, issuer: Issuer) -> Admitted | Code:
        """Who presents this, for `call` as `agent`, or why nobody does. That its chain is of the task is left to be asked."""
        if presented.too_long():
            return "presented_size"
        now = self._clock.now()
        credential = self.credential(presented.credential, issuer)
        if isinstance(credential, str):
            return credential
        wrong = credentials.wrong_with(
            credential, trust_domain=issuer.trust_domain, tenant=self._tenant, agent=agent, now=now
        )
        if wrong is not None:
            return wrong
        chain: Chain | None = None
        if presented.chain:
            found = self.chain(presented.chain, issuer, now)
            if isinstance(found, str):
                return found
            chain = found
            if chain.leaf.agent != agent:
                return "token_agent"
            if chain.holders[-1] != credential.instance:
                return "token_holder"
            call = msgspec.structs.replace(call, token=chain.leaf.jti)
        admitted = self._proof(presented.proof, credential, call, issuer, now, chain)
        return admitted._replace(outside=True) if presented.outside and isinstance(admitted, Admitted) else admitted

    def chain(self, texts: tuple[str, ...], issuer: Issuer, now: int) -> Chain | Code:
        """The chain that `texts` are and that counts at `now`, whoever holds it; or why none does."""
        if self._chains is None:
            return "token_untrusted"
        issuers = issuers_of(issuer)
        try:
            chain = self._chains.verified(texts, issuers)
        except TokenError as error:
            return _CODES[error.code]
        audience = plane_id(issuer.trust_domain)
        refusal = chain.refusal(now, issuers=issuers, audience=audience, tenant=self._tenant)
        return chain if refusal is None else _CODES[refusal.code]

    def standing(self, admitted: Admitted, agent: AgentName, control: Control) -> Code | None:
        """Step 5."""
        standing = control.agents.get(agent)
        if standing is None:
            return "agent_unknown"
        return None if standing.release == admitted.release else "credential_release"

    def credential(self, text: str, issuer: Issuer) -> Credential | Code:
        """What a credential of ours says, whatever time it is of; or why it is none."""
        keys = issuer.keys()
        known = self._known.get(text)
        if known is not None and known[0] in keys.values():
            return known[1]
        try:
            signed = CREDENTIAL.parse(text)
            public = keys.get(signed.header.kid)
            if public is None:
                return "credential_foreign"
            credential = CREDENTIAL.claims(signed, public, issuer.verify)
        except NotSigned:
            return "credential_signature"
        except JwsError:
            return "credential_form"
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[text] = (public, credential)
        return credential

    def _proof(
        self, text: str, credential: Credential, call: Call, issuer: Issuer, now: int, chain: Chain | None
    ) -> Admitted | Code:
        try:
            proof = _proof_of(text, call, credential.cnf.jwk.public, now, issuer)
        except TokenError as error:
            return _CODES[error.code]
        # Not of the whole text: whoever could spell a signature in another way would make it a new proof.
        digest = Digest(sha256(text.rpartition(".")[0].encode()).hexdigest())
        caller = Caller(
            instance=credential.instance,
            credential=credential.jti,
            attested=credential.attested,
            proof=digest,
            token="" if chain is None else chain.leaf.jti,
        )
        return Admitted(caller, credential.release, chain, (Spent(digest, proof.iat * SECOND + KEPT_MS),))


def of_another(task: Task, admitted: Admitted) -> Code | None:
    """Why the task as it is now is not that of who was admitted: another instance may have taken it over meanwhile."""
    # Whose a task is that was handed on, its tokens show.
    return None if task.delegated is not None or admitted.holds(task) else "task_instance"


async def let_in(proposal: Proposal, door: Door, orders: StandingOrders) -> Admitted | Code:
    """Who makes the call, or why it is not let in. What is in force is read again before it is held against anybody."""
    admitted = door.admit(proposal)
    if isinstance(admitted, str):
        return admitted
    agent = proposal.task.agent
    code = door.standing(admitted, agent, (await orders.current()).control)
    if code is not None:
        code = door.standing(admitted, agent, (await orders.refresh()).control)
    return code or admitted


def issuers_of(issuer: Issuer) -> dict[str, bytes]:
    """The keys whose root tokens count, by their thumbprints."""
    return {thumbprint(public): public for public in issuer.keys().values()}


def _proof_of(text: str, call: Call, holder: bytes, now: int, issuer: Issuer) -> Proof:
    """See `possession.proven`. Arguments that cannot be written have a proof all the same: they are refused later, by name."""
    try:
        return proven(text, call, holder=holder, now=now, verify=issuer.verify)
    except TokenError as error:
        if error.code != "proof_other" or writable(cast("dict[str, JsonValue]", call.arguments)):
            raise
    return proven(text, msgspec.structs.replace(call, arguments=None), holder=holder, now=now, verify=issuer.verify)


def words(code: Code) -> str:
    """A refusal as it is told and recorded. Nothing of what was presented stands in it."""
    said = REFUSALS[code]
    return f"{said.words}; {said.next}"


async def once(change: Awaitable[T]) -> T:
    """What `change` gives, which spends a proof. Raises NotAllowed where that was spent before."""
    try:
        return await change
    except Conflict as conflict:
        if conflict.kind != SPENT:
            raise
        raise refused("proof_replayed") from None


def refused(code: Code) -> NotAllowed:
    """A refusal as whoever asks for something else than an action is told of it."""
    said = REFUSALS[code]
    return NotAllowed(said.words, next_step=said.next)
