"""Enrolment from outside: a bootstrap token lets one instance in, once; what vouches for others is believed as far as it goes."""

import asyncio

import msgspec
import pytest

from interlock.adapters.issuing import InstanceKey
from interlock.adapters.memory import Faults
from interlock.domain.attesting import Attestation, Method, Recognised
from interlock.domain.credential import Credential, unverified
from interlock.domain.duration import DAY, HOUR, MINUTE
from interlock.domain.enrolling import Enrolling
from interlock.domain.errors import ContractError, InterlockError, NotAllowed, NotFound, StoreError
from interlock.domain.ids import AgentName, Person
from interlock.domain.instance import TOKEN_PREFIX, BootstrapToken, Instance
from interlock.domain.jwk import jwk
from interlock.domain.possession import prove
from interlock.domain.spiffe import plane_id
from interlock.sdk.identity import Shows
from interlock.services.plane import ControlPlane
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.world import World, contract
from tests.services.test_admission import asked

pytestmark = pytest.mark.anyio

DOMAIN = "t.interlock.internal"
RITA = Person("rita")
OUTSIDE = Attestation(methods=("bootstrap", "oidc"))


class Vouching:
    """Says of everybody what it is told to say."""

    def __init__(self, by: Method = "oidc") -> None:
        self.by: Method = by

    async def recognised(self, evidence: str, agent: AgentName, *, audience: str, now: int) -> Recognised:
        """Whoever brings `yes` is recognised."""
        del agent, audience, now
        if evidence != "yes":
            raise NotAllowed("no")
        return Recognised(self.by, "https://issuer.example", "mark-workload")


async def ready(faults: Faults | None = None, attestation: Attestation = OUTSIDE, by: Method = "oidc") -> World:
    """A world in which nobody is recognised by being there."""
    world = World(proven=True, faults=faults, attestation=attestation, attestor=Vouching(by))
    await world.apply(contract())
    return world


async def enrol(
    world: World,
    evidence: str,
    by: Method = "bootstrap",
    *,
    key: InstanceKey | None = None,
    agent: str = "ag",
    process: ControlPlane | None = None,
) -> Credential:
    """The claims of the credential that an instance is given for `evidence`."""
    key = key or InstanceKey()
    wanted = Enrolling(agent=AgentName(agent), jwk=jwk(key.public), by=by, evidence=evidence)
    call = wanted.call(plane_id(DOMAIN))
    proof = prove(call, jti=world.ids.new(), now=world.clock.now(), public=key.public, sign=key.sign)
    text = await (process or world.plane).enrolment.enrol(msgspec.structs.replace(wanted, proof=proof))
    return unverified(text)


async def refusal(world: World, evidence: str, by: Method = "bootstrap", agent: str = "ag") -> str:
    """Why an instance is not let in."""
    with pytest.raises(InterlockError) as caught:
        await enrol(world, evidence, by, agent=agent)
    return caught.value.detail


@pytest.mark.proves("identity.bootstrap_once")
async def test_a_bootstrap_token_lets_one_instance_in() -> None:
    """The first instance that brings it gets a credential that says so, acts, and is in the log; a second one is refused."""
    world = await ready()
    secret, made = await world.plane.inviting.offer(world.agent, by=RITA)
    identity = world.identity(shown=Shows("bootstrap", lambda _: secret))

    action = await world.plane.gate.propose(await identity.presented(await asked(world)))

    assert action.caller is not None
    assert action.caller.attested == "bootstrap"
    assert await refusal(world, secret) == "the bootstrap token was used before, by another instance"
    told = {each["phase"]: each for each in map(predicate, await audited(world.store, world.keys))}
    assert (told["offered"]["agent"], told["enrolled"]["attested"]) == ("ag", "bootstrap")
    assert (told["enrolled"]["instance"], told["enrolled"]["token"]) == (action.caller.instance, made.id)


async def test_of_the_secret_nothing_is_kept() -> None:
    """Neither a record, nor the log, nor a refusal holds a word of the token; who made it stands behind a commitment."""
    world = await ready()
    secret, made = await world.plane.inviting.offer(world.agent, by=RITA)
    await enrol(world, secret)
    words = await refusal(world, secret)

    entries = await audited(world.store, world.keys)
    kept = msgspec.json.encode(await world.store.all(BootstrapToken)) + msgspec.json.encode(
        await world.store.all(Instance)
    )
    told = b"".join(each.leaf + "".join(each.disclosures).encode() for each in entries)
    assert secret.startswith(TOKEN_PREFIX)
    assert secret.removeprefix(TOKEN_PREFIX).encode() not in kept + told + words.encode()
    assert made.digest.encode() not in told
    offered = next(each for each in map(predicate, entries) if each["phase"] == "offered")
    assert "rita" not in str(offered)
    assert "by" in offered["commitments"]


@pytest.mark.proves("identity.bootstrap_once")
async def test_of_many_instances_at_once_one_is_let_in() -> None:
    """Ten instances in two processes come with one token at once: one gets a credential, one entry says so."""
    world = await ready()
    secret, _ = await world.plane.inviting.offer(world.agent, by=RITA)
    processes = (world.plane, world.another("w2"))

    came = await asyncio.gather(
        *(enrol(world, secret, process=processes[n % 2]) for n in range(10)), return_exceptions=True
    )

    let_in = [each for each in came if isinstance(each, Credential)]
    assert len(let_in) == 1
    assert all(isinstance(each, NotAllowed) for each in came if each not in let_in)
    entries = [predicate(each) for each in await audited(world.store, world.keys)]
    assert [each["instance"] for each in entries if each["phase"] == "enrolled"] == [let_in[0].instance]


async def test_what_a_token_does_not_let_in() -> None:
    """A token that nobody made, one of another agent, one whose time is over, and one after the other kind was named."""
    world = await ready()
    secret, _ = await world.plane.inviting.offer(world.agent, by=RITA, lasts_ms=MINUTE)
    made_up = await refusal(world, secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    for text in ("", "x" * 70_000, "a.b.c"):
        with pytest.raises(InterlockError):
            await enrol(world, text)
    other = await refusal(world, secret, agent="other")
    world.clock.advance(MINUTE)

    assert made_up == "nobody made such a bootstrap token"
    assert "other" in other
    assert await refusal(world, secret) == "the bootstrap token has expired"
    assert await refusal(world, secret, "spire") == "nothing here attests an instance in that way"
    assert await refusal(world, secret, "local") == "nothing here attests an instance in that way"


@pytest.mark.parametrize("what", ["failed, not stored", "failed, but stored"])
async def test_an_answer_that_is_lost_is_asked_for_again(what: str) -> None:
    """Where the commit fails the token still counts; where it was stored and nobody heard, it counts for the same key alone."""
    faults = Faults()
    world = await ready(faults)
    secret, _ = await world.plane.inviting.offer(world.agent, by=RITA)
    key = InstanceKey()
    faults.at[faults.writes + 1] = "not stored" if what == "failed, not stored" else "stored"

    if what == "failed, not stored":
        with pytest.raises(StoreError):
            await enrol(world, secret, key=key)
        assert (await world.store.all(Instance)) == []
    else:
        await enrol(world, secret, key=key)

    again = await enrol(world, secret, key=key)
    assert again.instance == jwk(key.public).thumbprint
    assert await refusal(world, secret) == "the bootstrap token was used before, by another instance"
    entries = [predicate(each)["phase"] for each in await audited(world.store, world.keys)]
    assert entries.count("enrolled") == 1


async def test_who_may_let_an_instance_in() -> None:
    """The decision owner and whoever answers for the engineering; nobody else, for no agent that is not in force, for no week."""
    world = await ready()
    offer = world.plane.inviting.offer

    await offer(world.agent, by=Person("ana"))
    for person in ("ria", "mallory"):
        with pytest.raises(NotAllowed):
            await offer(world.agent, by=Person(person))
    with pytest.raises(NotFound):
        await offer(AgentName("nobody"), by=RITA)
    for lasts in (0, DAY + 1):
        with pytest.raises(ContractError):
            await offer(world.agent, by=RITA, lasts_ms=lasts)


async def test_an_agent_that_is_suspended_lets_nobody_in() -> None:
    """A token and the word of others open nothing while the agent may not act."""
    world = await ready()
    secret, _ = await world.plane.inviting.offer(world.agent, by=RITA)
    await world.plane.agents.move(world.agent, "suspend", by=RITA, why="because")

    assert await refusal(world, secret) == "agent `ag` is suspended"
    assert await refusal(world, "yes", "oidc") == "agent `ag` is suspended"


@pytest.mark.proves("identity.vouched")
async def test_what_others_vouch_for_is_recorded_and_renewed() -> None:
    """Who vouched is in the open, for whom behind a commitment; the renewal needs no new word and moves the expiry."""
    world = await ready()
    identity = world.identity(shown=Shows("oidc", lambda _: "yes"))
    first = await world.plane.gate.propose(await identity.presented(await asked(world)))
    world.clock.advance(50 * MINUTE)
    second = await world.plane.gate.propose(await identity.presented(await asked(world)))

    assert first.caller is not None
    assert second.caller is not None
    assert (first.caller.instance, first.caller.attested) == (second.caller.instance, "oidc")
    assert first.caller.credential != second.caller.credential
    (seen,) = await world.plane.instances.seen()
    assert (seen.attested, seen.actions, seen.credential) == ("oidc", 2, second.caller.credential)
    assert seen.expires_at is not None
    assert seen.expires_at > world.clock.now() + 59 * MINUTE
    entries = await audited(world.store, world.keys)
    (told,) = [each for each in map(predicate, entries) if each["phase"] == "enrolled"]
    assert told["issuer"] == "https://issuer.example"
    assert "mark-workload" not in str(told)
    assert told["fieldEvidence"] == {"issuer-asserted": ["workload"]}


async def test_an_attestor_says_only_what_it_was_asked() -> None:
    """One that recognises in another way than was asked for lets nobody in, and its no is a no."""
    world = await ready(by="spire")

    assert await refusal(world, "yes", "oidc") == "nothing here attests an instance in that way"
    assert await refusal(world, "no", "oidc") == "no"


async def test_a_way_that_is_closed_renews_nothing() -> None:
    """Once interlock.yaml no longer names how an instance was recognised, its credential is not renewed."""
    world = await ready()
    identity = world.identity(shown=Shows("oidc", lambda _: "yes"))
    await identity.presented(await asked(world))
    world.attestation = Attestation(methods=("bootstrap",))
    closed = world.another("w2")

    def held() -> Credential:
        return next(iter(identity._held.values())).claims

    text = next(iter(identity._held.values())).text

    wanted = Enrolling(agent=world.agent, jwk=held().cnf.jwk, credential=text)
    key = identity._key
    proof = prove(
        wanted.call(plane_id(DOMAIN)), jti=world.ids.new(), now=world.clock.now(), public=key.public, sign=key.sign
    )
    with pytest.raises(NotAllowed):
        await closed.enrolment.enrol(msgspec.structs.replace(wanted, proof=proof))


async def test_credentials_last_as_long_as_is_said() -> None:
    """`lasts` is how long a credential counts."""
    world = await ready(attestation=Attestation(methods=("oidc",), lasts_ms=2 * HOUR))

    credential = await enrol(world, "yes", "oidc")

    assert (credential.exp - credential.iat) * 1000 == 2 * HOUR
