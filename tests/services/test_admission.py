"""Admission: no call is decided that is not proven to be of an instance of the task's agent."""

from base64 import urlsafe_b64encode
from collections.abc import Callable

import msgspec
import pytest

from interlock.adapters.issuing import Before, InstanceKey, KeyIssuer
from interlock.adapters.keys import fresh
from interlock.domain.action import Action
from interlock.domain.credential import CREDENTIAL, Credential, credential_of, unverified
from interlock.domain.enrolling import Enrolling
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import ContractName, Digest
from interlock.domain.jwk import jwk
from interlock.domain.possession import FORM, Call, prove
from interlock.domain.presented import MAX_BYTES, REFUSALS, Code, Presented, called
from interlock.domain.proposal import Proposal
from interlock.domain.spiffe import plane_id
from interlock.sdk.identity import Identity
from interlock.services.plane import ControlPlane
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio

PUT = contract()
DOMAIN = "t.interlock.internal"


async def ready() -> World:
    """A world whose gate asks who calls."""
    world = World(proven=True)
    await world.apply(PUT)
    return world


async def asked(world: World, n: int = 1, *, key: str | None = None) -> Proposal:
    """A call that shows nothing yet."""
    return Proposal(
        task=await world.task(), contract=ContractName("thing.put"), arguments={"n": n}, idempotency_key=key
    )


class Forger:
    """Makes credentials and proofs by hand: whatever is not said otherwise is as it should be."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.key = InstanceKey()
        self.signer = world.issuer

    async def credential(self, **changes: object) -> Credential:
        """The claims of one that counts, with changes."""
        control = (await self.world.plane.orders.current()).control
        good = credential_of(
            trust_domain=DOMAIN,
            tenant="t",
            agent=self.world.agent,
            release=control.agents[self.world.agent].release,
            key=jwk(self.key.public),
            attested="local",
            now=self.world.clock.now(),
            life_ms=3_600_000,
            jti="c1",
        )
        return msgspec.structs.replace(good, **changes)

    def proof(self, proposal: Proposal, *, at: int = 0, audience: str = "", key: InstanceKey | None = None) -> str:
        """A proof of `proposal`, made `at` ms from now."""
        call = called(
            proposal.task.id,
            proposal.contract,
            proposal.arguments,
            proposal.idempotency_key,
            audience=audience or plane_id(DOMAIN),
        )
        return self.proven(call, at=at, key=key)

    def proven(self, call: Call, *, at: int = 0, key: InstanceKey | None = None) -> str:
        """A proof of `call`."""
        key = key or self.key
        now = self.world.clock.now() + at
        return prove(call, jti=self.world.ids.new(), now=now, public=key.public, sign=key.sign)

    async def sign(self, credential: Credential | None = None) -> str:
        """The text of a credential."""
        claims = credential or await self.credential()
        return CREDENTIAL.sign(claims, kid=self.signer.kid, sign=self.signer.sign)

    async def present(self, proposal: Proposal, credential: Credential | None = None, proof: str = "") -> Action:
        """Call with these."""
        presented = Presented(credential=await self.sign(credential), proof=proof or self.proof(proposal))
        return await call(self.world, proposal, presented)


async def call(
    world: World, proposal: Proposal, presented: Presented | None, process: ControlPlane | None = None
) -> Action:
    """Propose with what is presented."""
    proposal = msgspec.structs.replace(proposal, presented=presented)
    return await (process or world.plane).gate.propose(proposal)


def refused(action: Action) -> str:
    """Why it was refused, by code."""
    assert action.state == "refused", action
    assert action.reasons[0].startswith("interlock.")
    assert action.caller is None
    return action.reasons[0].removeprefix("interlock.")


@pytest.mark.proves("identity.each_call")
async def test_a_call_is_recorded_with_the_instance_that_proved_to_make_it() -> None:
    """The first entry of an action names the instance, its credential, by what it was recognised, and the proof."""
    world = await ready()
    identity = world.identity()
    wanted = await identity.presented(await asked(world))

    action = await world.plane.gate.propose(wanted)

    assert wanted.presented is not None
    credential = unverified(wanted.presented.credential)
    assert action.state == "dispatching"
    assert action.caller is not None
    told = predicate((await audited(world.store, world.keys))[-1])
    assert (told["instance"], told["credential"], told["attested"], told["proof"]) == (
        credential.instance,
        credential.jti,
        "local",
        action.caller.proof,
    )


async def test_whoever_shows_nothing_is_refused() -> None:
    """A call without a credential is refused, with nothing of what it brought, and takes no key."""
    world = await ready()
    wanted = await asked(world, key="k")
    wanted = msgspec.structs.replace(wanted, justification="trust me", arguments={"n": 77})

    action = await call(world, wanted, None)

    assert refused(action) == "presented_missing"
    assert (action.arguments, action.justification) == ({}, "")
    assert action.idempotency_key != "k"


Change = Callable[[World, Credential], Credential]


def later(world: World, credential: Credential, seconds: int) -> Credential:
    """The same, given so much later."""
    del world
    return msgspec.structs.replace(credential, iat=credential.iat + seconds, exp=credential.exp + seconds)


CHANGES: dict[Code, tuple[Change, ...]] = {
    "credential_release": (lambda _, each: msgspec.structs.replace(each, release=Digest("f" * 64)),),
    "credential_expired": (lambda w, each: later(w, each, -3_600 - 31), lambda w, each: later(w, each, -90_000)),
    "credential_early": (lambda w, each: later(w, each, 31),),
    "credential_tenant": (lambda _, each: msgspec.structs.replace(each, tenant="other"),),
    "credential_agent": (lambda _, each: msgspec.structs.replace(each, sub=f"spiffe://{DOMAIN}/agent/other"),),
    "credential_foreign": (
        lambda _, each: msgspec.structs.replace(each, iss="spiffe://elsewhere/interlock"),
        lambda _, each: msgspec.structs.replace(each, sub="spiffe://elsewhere/agent/ag"),
        lambda _, each: msgspec.structs.replace(each, sub=f"spiffe://{DOMAIN}/agent/x/../ag"),
    ),
    "credential_form": (
        lambda _, each: msgspec.structs.replace(each, instance="A" * 43),
        lambda _, each: msgspec.structs.replace(each, exp=each.iat + 86_401),
        lambda _, each: msgspec.structs.replace(each, exp=each.iat),
    ),
}


@pytest.mark.proves("identity.credential_counts")
@pytest.mark.parametrize(("code", "change"), [(code, change) for code, all_ in CHANGES.items() for change in all_])
async def test_a_credential_counts_for_its_release_agent_tenant_and_hour_alone(code: Code, change: Change) -> None:
    """One that we signed for another release, agent or tenant, or for another time, is refused and says why."""
    world = await ready()
    forger = Forger(world)

    action = await forger.present(await asked(world), change(world, await forger.credential()))

    assert refused(action) == code
    assert REFUSALS[code].words in action.reasons[1]


@pytest.mark.parametrize("seconds", [-3_629, 29])
async def test_clocks_may_differ_by_half_a_minute(seconds: int) -> None:
    """A credential that is at most 30 seconds old or young of age counts."""
    world = await ready()
    forger = Forger(world)

    action = await forger.present(await asked(world), later(world, await forger.credential(), seconds))

    assert action.state == "dispatching"


@pytest.mark.parametrize(("at", "code"), [(-31_000, "proof_time"), (31_000, "proof_time"), (-29_000, ""), (29_000, "")])
async def test_a_proof_counts_for_half_a_minute_either_way(at: int, code: str) -> None:
    """A proof made 31 seconds ago, or by a clock 31 seconds ahead, is refused; at 29 it counts."""
    world = await ready()
    forger = Forger(world)
    wanted = await asked(world)

    action = await forger.present(wanted, proof=forger.proof(wanted, at=at))

    assert (refused(action) if code else "") == code


async def test_a_credential_of_somebody_else_is_refused() -> None:
    """A credential signed by another key, even one that calls itself ours, and one without its signature, are refused."""
    world = await ready()
    forger = Forger(world)
    good = await forger.sign()
    forger.signer = KeyIssuer(fresh("test/log/identity"), DOMAIN)
    foreign = await forger.sign()
    head, claims, _ = foreign.split(".")
    renamed = CREDENTIAL.sign(await forger.credential(), kid=world.issuer.kid, sign=forger.signer.sign)
    unsigned = good.rpartition(".")[0]

    codes: list[str] = []
    for text in (foreign, renamed, unsigned, f"{unsigned}.", f"{head}.{claims}.{'A' * 86}", "x", "é.é.é", "\ud800"):
        wanted = await asked(world)
        codes.append(refused(await call(world, wanted, Presented(credential=text, proof=forger.proof(wanted)))))

    assert codes[:3] == ["credential_foreign", "credential_signature", "credential_form"]
    assert set(codes[3:]) <= {"credential_form", "credential_foreign", "credential_signature"}


def b64(text: str) -> str:
    """base64url."""
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","kid":"%s","typ":"wit+jwt"}',
        '{"alg":"HS256","kid":"%s","typ":"wit+jwt"}',
        '{"alg":"EdDSA","kid":"%s","typ":"wit+jwt"}',
        '{"alg":"Ed25519","kid":"%s","typ":"pop+jwt"}',
        '{"alg":"Ed25519","kid":"%s","typ":"aat+jwt"}',
        '{"alg":"Ed25519","jwk":{},"kid":"%s","typ":"wit+jwt"}',
    ],
)
async def test_an_algorithm_or_a_kind_is_not_taken_for_another(header: str) -> None:
    """Whatever a header asks for, one algorithm and one kind of text count."""
    world = await ready()
    forger = Forger(world)
    claims = (await forger.sign()).split(".")[1]
    signing_input = f"{b64(header % world.issuer.kid)}.{claims}"
    signature = urlsafe_b64encode(world.issuer.sign(signing_input.encode())).rstrip(b"=").decode()
    wanted = await asked(world)

    action = await call(world, wanted, Presented(credential=f"{signing_input}.{signature}", proof=forger.proof(wanted)))

    assert refused(action) == "credential_form"


async def test_the_key_of_an_instance_signs_no_credentials() -> None:
    """A credential signed with an instance's key, and a proof signed with the plane's, are refused."""
    world = await ready()
    forger = Forger(world)
    wanted = await asked(world)
    own = CREDENTIAL.sign(await forger.credential(), kid=world.issuer.kid, sign=forger.key.sign)
    claims = FORM.claims(FORM.parse(forger.proof(wanted)), forger.key.public, world.issuer.verify)
    ours = FORM.sign(claims, kid=world.issuer.kid, sign=world.issuer.sign)

    first = await call(world, wanted, Presented(credential=own, proof=forger.proof(wanted)))
    second = await forger.present(wanted, proof=ours)

    assert (refused(first), refused(second)) == ("credential_signature", "proof_signature")


@pytest.mark.proves("identity.stolen_credential")
async def test_a_stolen_credential_is_worth_nothing_without_its_key() -> None:
    """A credential with a proof by any other key is refused."""
    world = await ready()
    forger, wanted = Forger(world), await asked(world)

    action = await forger.present(wanted, proof=forger.proof(wanted, key=InstanceKey()))

    assert refused(action) == "proof_signature"


async def test_a_proof_is_of_one_call() -> None:
    """A proof of other arguments, another tool, task or key, or for another plane, is refused."""
    world = await ready()
    forger = Forger(world)
    wanted = await asked(world, key="k")
    others = (
        msgspec.structs.replace(wanted, arguments={"n": 2}),
        msgspec.structs.replace(wanted, arguments={"n": True}),
        msgspec.structs.replace(wanted, contract=ContractName("thing.take")),
        msgspec.structs.replace(wanted, task=await world.task()),
        msgspec.structs.replace(wanted, idempotency_key="other"),
        msgspec.structs.replace(wanted, idempotency_key=None),
    )

    codes = [refused(await forger.present(wanted, proof=forger.proof(each))) for each in others]
    elsewhere = await forger.present(wanted, proof=forger.proof(wanted, audience=plane_id("elsewhere")))

    assert codes == ["proof_other"] * len(others)
    assert refused(elsewhere) == "proof_other"


async def test_what_is_too_long_is_not_read() -> None:
    """More than 64 KiB in all, or one text of more than 16 KiB, is refused by its length."""
    world = await ready()
    forger, wanted = Forger(world), await asked(world)
    good = await forger.sign()

    first = await call(world, wanted, Presented(credential=good, proof="x" * MAX_BYTES))
    second = await call(world, wanted, Presented(credential="x" * 20_000, proof=forger.proof(wanted)))
    third = await call(world, wanted, Presented(credential=good, proof="x", chain=("x" * MAX_BYTES,)))

    assert [refused(each) for each in (first, second, third)] == ["presented_size", "credential_form", "presented_size"]


async def test_a_chain_of_nothing_lets_nobody_in() -> None:
    """A call that brings what is no chain of task tokens is refused rather than its chain overlooked."""
    world = await ready()
    forger, wanted = Forger(world), await asked(world)
    presented = Presented(credential=await forger.sign(), proof=forger.proof(wanted), chain=("a.b.c",))

    assert refused(await call(world, wanted, presented)) == "token_malformed"


@pytest.mark.proves("identity.replay")
async def test_a_proof_counts_once_in_whatever_process() -> None:
    """The same call presented again is refused, here, in another process and after a restart; a repeat under a key, too."""
    world = await ready()
    wanted = await world.identity().presented(await asked(world))
    keyed = await world.identity().presented(await asked(world, 5, key="k"))
    first, under = await world.plane.gate.propose(wanted), await world.plane.gate.propose(keyed)

    again = [
        await process.gate.propose(each) for process in (world.plane, world.another("w2")) for each in (wanted, keyed)
    ]

    assert (first.state, under.state) == ("dispatching", "dispatching")
    assert [refused(each) for each in again] == ["proof_replayed"] * 4


async def test_a_repeat_with_a_proof_of_its_own_gets_the_first_answer() -> None:
    """A key that comes back with a new proof gives the first action, also to another instance of the agent."""
    world = await ready()
    wanted = await asked(world, key="k")
    first = await world.plane.gate.propose(await world.identity().presented(wanted))

    second = await world.plane.gate.propose(await world.identity().presented(wanted))

    assert second.id == first.id


async def test_a_refusal_quotes_nothing() -> None:
    """Neither the action nor the log holds a word of what was presented, or of what came with it."""
    world = await ready()
    wanted = msgspec.structs.replace(await asked(world, key="mark-key"), arguments={"mark": "mark-argument"})
    presented = Presented(credential="mark.credential.x", proof="mark.proof.x", chain=())

    await call(world, wanted, presented)

    entries = await audited(world.store, world.keys)
    told = b"".join(entry.leaf + "".join(entry.disclosures).encode() for entry in entries)
    assert b"mark" not in told
    assert b64("mark")[:4].encode() not in b"".join("".join(each.disclosures).encode() for each in entries[-1:])


@pytest.mark.proves("identity.renewed")
async def test_credentials_are_renewed_before_they_expire() -> None:
    """At two thirds of its life a credential is renewed by itself: the same instance, another credential."""
    world = await ready()
    identity = world.identity()
    seen = [await shown(identity, world)]
    for _ in range(4):
        world.clock.advance(41 * 60 * 1000)
        seen.append(await shown(identity, world))
        seen.append(await shown(identity, world))

    assert len({each.instance for each in seen}) == 1
    assert len({each.jti for each in seen}) == 5


async def test_another_release_is_another_credential() -> None:
    """What was shown of the release before is refused; the program that goes on is given a new credential by itself."""
    world = await ready()
    identity, task = world.identity(), await world.task()
    wanted = Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1})
    before = await identity.presented(wanted)

    await world.apply(contract(risk="medium"), PUT, bundle="b2")
    after = await identity.presented(wanted)

    assert refused(await world.plane.gate.propose(before)) == "credential_release"
    assert (await world.plane.gate.propose(after)).caller is not None


@pytest.mark.proves("identity.key_replaced")
async def test_what_a_replaced_key_signed_counts_for_the_time_it_has_left() -> None:
    """A credential by the key before is let in until that time, and not after it, nor where no time is left to it."""
    world = await ready()
    forger, old = Forger(world), world.issuer
    text = await forger.sign()
    new = fresh("test/log/identity")
    until = world.clock.now() + 60_000
    codes: list[str] = []
    for before, ms in ((None, 0), (Before(old.verifier, until), 59_999), (Before(old.verifier, until), 1)):
        world.clock.advance(ms)
        world.issuer = KeyIssuer(new, DOMAIN, before=before, clock=world.clock)
        wanted = await asked(world)
        presented = Presented(credential=text, proof=forger.proof(wanted))
        action = await call(world, wanted, presented, world.another("w2"))
        codes.append(action.state if action.state != "refused" else refused(action))

    assert codes == ["credential_foreign", "dispatching", "credential_foreign"]


async def shown(identity: Identity, world: World) -> Credential:
    """The credential that a call shows, which must be let in."""
    wanted = await identity.presented(await asked(world))
    assert wanted.presented is not None
    assert (await world.plane.gate.propose(wanted)).caller is not None
    return unverified(wanted.presented.credential)


async def test_a_renewal_takes_the_old_key_and_a_credential_that_counts() -> None:
    """Another key, another agent's credential, and one that has expired renew nothing."""
    world = await ready()
    forger = Forger(world)
    good = await forger.credential()
    cases = (
        (good, InstanceKey()),
        (msgspec.structs.replace(good, sub=f"spiffe://{DOMAIN}/agent/other"), forger.key),
        (later(world, good, -3_631), forger.key),
    )
    refusals: list[str] = []
    for claims, key in cases:
        jwk = claims.cnf.jwk if key is forger.key else (await other(world, key)).cnf.jwk
        wanted = Enrolling(agent=world.agent, jwk=jwk, credential=await forger.sign(claims))
        wanted = msgspec.structs.replace(wanted, proof=forger.proven(wanted.call(plane_id(DOMAIN)), key=key))
        with pytest.raises(NotAllowed) as caught:
            await world.plane.enrolment.enrol(wanted)
        refusals.append(caught.value.detail)

    words: tuple[Code, ...] = ("proof_signature", "credential_agent", "credential_expired")
    assert refusals == [REFUSALS[each].words for each in words]


async def other(world: World, key: InstanceKey) -> Credential:
    """A credential of another instance."""
    forger = Forger(world)
    forger.key = key
    return await forger.credential()
