"""Access tokens of others at the gateway's door: every way one may be wrong, and proofs of the key it is bound to."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.adapters.bearing import LaterAccessTokens
from interlock.adapters.bearing.access_tokens import JwtAccessTokens
from interlock.adapters.memory import Faults
from interlock.domain.access_token import AccessIssuer, Client, Resource
from interlock.domain.bearer import Bearer, Bounds, Surface
from interlock.domain.borne import Borne
from interlock.domain.dpop import canonical
from interlock.domain.duration import HOUR, MINUTE, SECOND
from interlock.domain.errors import EffectorError, NotAdmitted, NotAllowed, RateExceeded, StoreError
from interlock.domain.grant import anything_with
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.selector import Selector
from interlock.domain.throttle import FROM_ONE_PLACE
from interlock.services.plane import ControlPlane
from interlock.testing.world import World, contract
from tests.adapters.issuers import Provider, Signer, b64, jwk_of, signed

pytestmark = pytest.mark.anyio

ISSUER = "https://id.example"
RESOURCE = "https://gateway.example/mcp"
METADATA = "https://gateway.example/.well-known/oauth-protected-resource/mcp"
AG = AgentName("ag")
ED = {"alg": "Ed25519", "kid": "ed", "typ": "at+jwt"}


@pytest.fixture(name="provider", scope="module")
def _provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture(autouse=True)
def _as_it_was(provider: Provider) -> Iterator[None]:
    published = json.loads(json.dumps(provider.published))
    yield
    provider.published, provider.body, provider.status = published, None, 200


def issuer(provider: Provider, **changes: Any) -> AccessIssuer:
    """Whose tokens are taken, for one client."""
    made = AccessIssuer(
        issuer=ISSUER,
        keys=provider.address,
        clients=(Client(name="assistant", agent=AG, purpose="tidy up", surfaces=("mcp", "models")),),
    )
    return msgspec.structs.replace(made, **changes)


async def ready(provider: Provider, *, faults: Faults | None = None, **changes: Any) -> World:
    """A world at whose door such tokens count."""
    resource = Resource(resource=RESOURCE, issuers=(issuer(provider, **changes),))
    tokens = JwtAccessTokens(resource, Path())
    world = World(access_tokens=tokens, resource=resource, faults=faults)
    await world.apply(contract(), contract("thing.look", effect="read"), contract("other.put"))
    return world


def claims(world: World, **changes: Any) -> dict[str, object]:
    """Of a token that counts, with changes; None takes one away."""
    now = world.clock.now() // SECOND
    made: dict[str, object] = {
        "iss": ISSUER,
        "sub": "ana",
        "aud": RESOURCE,
        "client_id": "assistant",
        "iat": now,
        "exp": now + 300,
        "jti": "t-1",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def token(world: World, provider: Provider, header: Mapping[str, object] = ED, **changes: Any) -> str:
    """A token of the issuer's."""
    return signed(provider.ed, header, claims(world, **changes))


async def admitted(
    world: World, text: str, *, surface: Surface = "mcp", process: ControlPlane | None = None, **borne: Any
) -> Bearer:
    """Who bears it."""
    said: dict[str, object] = {"authorization": (f"Bearer {text}",), "address": "192.0.2.1", **borne}
    return await (process or world.plane).bearing.admit(msgspec.convert(said, Borne), surface)


async def refusal(world: World, text: str, **said: Any) -> NotAdmitted:
    """Why it lets nobody in; and nothing of it is said."""
    with pytest.raises(NotAdmitted) as caught:
        await admitted(world, text, **said)
    told = f"{caught.value.problem()} {caught.value.challenge}"
    assert all(part not in told for part in text.split(".") if len(part) > 8)
    return caught.value


class Key:
    """A key of a program's, by which it proves possession."""

    def __init__(self, made: Signer | None = None) -> None:
        self.key = made or ed25519.Ed25519PrivateKey.generate()
        self.alg = {"EllipticCurve": "ES256", "RSAPrivate": "RS256"}.get(type(self.key).__name__[:10], "Ed25519")
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            self.alg = "ES256"
        self.jwk = {name: value for name, value in jwk_of(self.key, "").items() if name != "kid"}
        members = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        self.thumbprint = b64(hashlib.sha256(members.encode()).digest())

    @property
    def cnf(self) -> dict[str, str]:
        """What a token that is bound to it says."""
        return {"jkt": self.thumbprint}

    def proof(self, world: World, text: str, *, header: Mapping[str, object] | None = None, **changes: Any) -> str:
        """A proof for a request with the token `text`."""
        said: dict[str, object] = {
            "jti": world.ids.new(),
            "htm": "POST",
            "htu": RESOURCE,
            "iat": world.clock.now() // SECOND,
            "ath": b64(hashlib.sha256(text.encode()).digest()),
            **changes,
        }
        head = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk, **(header or {})}
        return signed(self.key, head, {name: value for name, value in said.items() if value is not None})


def bears(text: str, *proofs: str) -> dict[str, Any]:
    """A request with a bound token and its proof."""
    return {"authorization": (f"DPoP {text}",), "dpop": proofs}


@pytest.mark.proves("oauth.lets_in")
async def test_a_token_made_for_this_resource_lets_its_client_in(provider: Provider) -> None:
    """Signed by a key that its issuer publishes, for exactly us, of a client that the file names: the agent it names, on behalf
    of the token's subject, and what it came through says issuer and client."""
    world = await ready(provider)
    keys: tuple[tuple[str, Signer, str], ...] = (
        ("RS256", provider.rsa, "rsa"),
        ("ES256", provider.ec, "ec"),
        ("EdDSA", provider.ed, "ed"),
        ("Ed25519", provider.ed, "ed"),
    )
    for alg, key, kid in keys:
        for typ in ("at+jwt", "AT+JWT", "application/at+jwt"):
            text = signed(key, {"alg": alg, "kid": kid, "typ": typ}, claims(world, aud=[RESOURCE], more={"x": [1]}))
            bearer = await admitted(world, text)
            assert (bearer.agent, bearer.initiator, bearer.purpose) == ("ag", "user:ana", "tidy up")
            assert bearer.through == f"oauth:{ISSUER}#assistant"
            assert bearer.key_thumbprint is None
    bearer = await admitted(world, token(world, provider))
    own = await admitted(world, token(world, provider, sub="assistant"))
    assert own.initiator == "system:assistant"
    task = await world.plane.tasks.open(bearer.opening(world.clock.now()))
    assert task.through == bearer.through
    assert bearer.same == (await admitted(world, token(world, provider, jti="t-2"))).same


@pytest.mark.proves("oauth.refuses")
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": 0},
        {"exp": -1},
        {"exp": 1 << 60},
        {"exp": "2100"},
        {"exp": 1e300},
        {"exp": True},
        {"iat": None},
        {"nbf": 1 << 40},
        {"iat": 1 << 40, "exp": (1 << 40) + 5},
        {"aud": None},
        {"aud": "https://gateway.example"},
        {"aud": RESOURCE + "/"},
        {"aud": RESOURCE.upper()},
        {"aud": [RESOURCE, "https://other.example"]},
        {"aud": []},
        {"aud": {"x": RESOURCE}},
        {"iss": None},
        {"iss": ISSUER + "/"},
        {"iss": "https://other.example"},
        {"sub": None},
        {"client_id": None},
        {"client_id": "stranger"},
        {"client_id": "Assistant"},
        {"sub": " "},
        {"sub": "a\nb"},
        {"sub": "x" * 500},
        {"cnf": {"jkt": "x" * 43}},
        {"cnf": {"x5t#S256": "x" * 43}},
        {"cnf": {}},
        {"cnf": "x"},
        {"cnf": [None]},
    ],
)
async def test_a_token_that_says_something_else_lets_nobody_in(provider: Provider, changes: dict[str, Any]) -> None:
    """No end, not begun, endless, for somebody else or for others too, of another issuer, of no client or nobody, or bound to a
    key and borne as if it were not."""
    world = await ready(provider)

    assert (await refusal(world, token(world, provider, **changes))).status in (401, 403)
    assert await world.tasks() == []


async def test_a_claim_that_is_null_is_still_a_claim(provider: Provider) -> None:
    """`cnf: null` is not the absence of `cnf`."""
    world = await ready(provider)
    text = signed(provider.ed, ED, {**claims(world), "cnf": None})
    assert (await refusal(world, text)).status == 401


@pytest.mark.proves("oauth.refuses")
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "PS256"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "dpop+jwt"},
        {"typ": "aat+jwt"},
        {"typ": "application/application/at+jwt"},
        {"kid": "nobody"},
        {"kid": "rsa"},
        {"kid": None},
        {"jwk": {"kty": "OKP"}},
        {"jku": "https://evil.example"},
        {"crit": ["b64"]},
        {"b64": False},
        {"alg": 1},
    ],
)
async def test_a_token_of_another_kind_lets_nobody_in(provider: Provider, header: dict[str, Any]) -> None:
    """Another algorithm, type or key than the file takes, a key that it brings, a place to fetch one from, an extension."""
    world = await ready(provider)
    said = {name: value for name, value in {**ED, **header}.items() if value is not None}
    text = signed(provider.ed, said, claims(world))

    assert (await refusal(world, text)).status == 401


@pytest.mark.proves("oauth.refuses")
async def test_forged_tokens_let_nobody_in(provider: Provider) -> None:
    """An HMAC over a public key, no signature, another's, one letter of the claims changed, claims or headers with a name twice,
    another spelling of base64, and endless ones."""
    world = await ready(provider)
    good = token(world, provider)
    head, body, mark = good.split(".")
    forged = [f"{head}.{body}.", f"{head}.{body}", f"{head}.{b64(b'{}')}.{mark}", good + "A", f"{good}.{mark}", "a.b.c"]
    public = provider.ed.public_key().public_bytes_raw()
    for secret in (public, json.dumps(jwk_of(provider.ed, "ed")).encode()):
        text = signed(None, {**ED, "alg": "HS256"}, claims(world))[:-1]
        forged.append(f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}")
    twice = json.dumps(claims(world, aud="https://other.example"))[:-1] + f', "aud": "{RESOURCE}"}}'
    forged += [
        signed(ed25519.Ed25519PrivateKey.generate(), ED, claims(world)),
        signed(provider.ed, ED, twice.encode()),
        signed(provider.ed, ED, json.dumps(claims(world, x=float("nan"))).encode()),
        signed(provider.ed, ED, b"[" * 5_000),
        signed(provider.ed, ED, b"[]"),
        "A" * 16_000 + "." + body + "." + mark,
    ]
    for nth, text in enumerate(forged):
        assert (await refusal(world, text, address=f"192.0.2.{nth}")).status in (400, 401), text[:80]
    assert (await admitted(world, good)).agent == "ag"


@pytest.mark.proves("oauth.refuses")
async def test_what_the_file_takes_besides(provider: Provider) -> None:
    """`jwt` as a type, other audiences, fewer algorithms, only bound tokens, a longer life: each only where the file says so."""
    world = await ready(
        provider, types=("at+jwt", "jwt"), beside=("account",), algorithms=("Ed25519",), lasts_ms=2 * HOUR
    )
    now = world.clock.now() // SECOND

    await admitted(world, token(world, provider, {**ED, "typ": "JWT"}))
    await admitted(world, token(world, provider, aud=["account", RESOURCE]))
    await admitted(world, token(world, provider, exp=now + 7200))
    await refusal(world, token(world, provider, exp=now + 7201))
    await refusal(world, token(world, provider, {**ED, "alg": "EdDSA"}))
    bound = await ready(provider, bound=True)
    assert "bound to no key" in (await refusal(bound, token(bound, provider))).detail


async def test_times_are_held_against_the_clock(provider: Provider) -> None:
    """Thirty seconds of difference between two clocks are let pass, in each direction, and no more."""
    world = await ready(provider)
    now = world.clock.now() // SECOND
    await admitted(world, token(world, provider, iat=now + 29, exp=now + 300))
    await refusal(world, token(world, provider, iat=now + 32, exp=now + 300))
    await admitted(world, token(world, provider, iat=now - 60, exp=now - 29))
    await refusal(world, token(world, provider, iat=now - 60, exp=now - 30))
    await admitted(world, token(world, provider, nbf=now + 29))
    await refusal(world, token(world, provider, nbf=now + 32))


@pytest.mark.proves("oauth.scopes")
async def test_scopes_open_tools_and_no_others(provider: Provider) -> None:
    """A token opens the tools of its scopes, within the client's own; without any such scope, or for a tool of another, the
    answer is 403 with the scopes that would do."""
    bounds = Bounds(tools=anything_with(["thing.put", "thing.look"]), prohibited=(ContractName("other.put"),))
    clients = (Client(name="assistant", agent=AG, purpose="tidy up", bounds=bounds),)
    scopes = {"look": ("thing.look",), "write": ("thing.*", "other.put"), "all": ("*",)}
    world = await ready(provider, scopes=scopes, clients=clients)

    look = await admitted(world, token(world, provider, scope="openid look"))
    write = await admitted(world, token(world, provider, scp=["write"]))
    everything = await admitted(world, token(world, provider, scope="all"))
    none = await refusal(world, token(world, provider, scope="openid"))

    assert [sorted(each.bounds.tools.tools) for each in (look, write, everything) if each.bounds.tools] == [
        ["thing.look"],
        ["thing.look", "thing.put"],
        ["thing.look", "thing.put"],
    ]
    assert (none.status, 'scope="look write all"' in none.challenge) == (403, True)
    world.plane.bearing.must_open(look, "thing.look")
    with pytest.raises(NotAdmitted) as more:
        world.plane.bearing.must_open(look, "thing.put")
    assert (more.value.status, 'scope="write all"' in more.value.challenge) == (403, True)
    assert METADATA in more.value.challenge


async def test_which_client_is_which_agent(provider: Provider) -> None:
    """The first of a client's rules that is for the token's subject counts; one that has none of its own is nobody."""
    clients = (
        Client(name="assistant", subject="ben", agent=AgentName("other"), purpose="b"),
        Client(name="assistant", subject="ana", agent=AG, purpose="a"),
        Client(name="batch", agent=AG, purpose="c", surfaces=("models",)),
    )
    world = await ready(provider, clients=clients)

    assert (await admitted(world, token(world, provider))).purpose == "a"
    assert (await refusal(world, token(world, provider, sub="cleo"))).status == 403
    assert (await refusal(world, token(world, provider, sub="ben"))).detail == "no agent `other` is in force"
    azp = token(world, provider, client_id=None, azp="batch")
    assert (await admitted(world, azp, surface="models")).purpose == "c"
    assert (await refusal(world, azp)).status == 403


@pytest.mark.proves("oauth.records")
async def test_the_subject_may_name_the_records_of_its_tasks(provider: Provider) -> None:
    """A task gets the record that its subject names; a subject that would be read as a pattern names none."""
    bounds = Bounds(data=Selector(records={"customer": ("$sub",), "box": ("*",)}))
    clients = (Client(name="assistant", agent=AG, purpose="tidy up", bounds=bounds),)
    world = await ready(provider, clients=clients)

    found = await admitted(world, token(world, provider, sub="CUS-0007"))
    assert found.bounds.data == Selector(records={"customer": ("CUS-0007",), "box": ("*",)})
    assert found.opening(world.clock.now()).data == found.bounds.data
    assert found.same != (await admitted(world, token(world, provider, sub="CUS-0008"))).same
    for pattern in ("*", "a/*", "/*", "x" * 600, "a*b"):
        assert (await refusal(world, token(world, provider, sub=pattern))).status == 403


async def test_the_initiator_may_be_named_by_another_claim(provider: Provider) -> None:
    """An address counts where the issuer verified it; a claim that is no text, or is not there, names nobody."""
    world = await ready(provider, initiator="email")
    good = await admitted(world, token(world, provider, email="ana@example.org", email_verified=True))

    assert good.initiator == "user:ana@example.org"
    for wrong in ({"email": "ana@example.org"}, {"email": 5, "email_verified": True}, {"email_verified": True}):
        assert (await refusal(world, token(world, provider, **wrong))).status == 403
    hostile = await admitted(world, token(world, provider, email="system:root", email_verified=True))
    assert hostile.initiator == "user:system:root"


@pytest.mark.proves("oauth.revoked")
async def test_what_was_revoked_takes_the_tokens_made_before(provider: Provider) -> None:
    """A client, an agent or a user that was revoked: tokens made before that let nobody in, and open tasks are closed; tokens
    that are made afterwards count."""
    for kind, name in (("client", f"{ISSUER}#assistant"), ("agent", "ag"), ("user", "user:ana")):
        world = await ready(provider)
        old = token(world, provider, exp=world.clock.now() // SECOND + 3000)
        bearer = await admitted(world, old)
        task = await world.plane.tasks.open(bearer.opening(world.clock.now()))
        world.clock.advance(MINUTE)
        taken = await world.plane.revoking.revoke(kind, name, by=Person("rita"), why="odd")  # type: ignore[arg-type]
        assert taken.closed == 1, task
        assert "revoked" in (await refusal(world, old)).detail
        with pytest.raises(NotAllowed):
            await world.plane.tasks.open(bearer.opening(world.clock.now()))
        world.clock.advance(MINUTE)
        await admitted(world, token(world, provider))


@pytest.mark.proves("dpop.proven")
@pytest.mark.parametrize("kind", ["ed", "ec", "rsa"])
async def test_a_bound_token_counts_with_a_proof_by_its_key(provider: Provider, kind: str) -> None:
    """Of each kind of key: the proof is of this method, address, token and moment; who bears the token says which key."""
    made: dict[str, Signer] = {
        "ed": ed25519.Ed25519PrivateKey.generate(),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "rsa": rsa.generate_private_key(65537, 2048),
    }
    world, key = await ready(provider, bound=True), Key(made[kind])
    text = token(world, provider, cnf=key.cnf)

    bearer = await admitted(world, text, **bears(text, key.proof(world, text)))

    assert bearer.key_thumbprint == key.thumbprint
    get = key.proof(world, text, htm="GET", htu="https://gateway.example/v1/models")
    again = await admitted(world, text, method="GET", path="/v1/models", surface="models", **bears(text, get))
    assert again.same == bearer.same


@pytest.mark.proves("dpop.proven")
async def test_a_bound_token_alone_lets_nobody_in(provider: Provider) -> None:
    """Stolen without its key: as a plain bearer, with no proof, with a proof by another key or for another token, and a token
    that is bound to none borne as if it were."""
    world, key, thief = await ready(provider), Key(), Key()
    text = token(world, provider, cnf=key.cnf)
    plain = token(world, provider)

    as_bearer = await refusal(world, text)
    assert (as_bearer.status, as_bearer.challenge.startswith("DPoP error=")) == (401, True)
    assert (await refusal(world, text, dpop=(key.proof(world, text),))).status == 401
    for proofs in ((), (thief.proof(world, text),), (key.proof(world, plain),), ("a.b.c",), ("x" * 9000,)):
        refused = await refusal(world, text, **bears(text, *proofs))
        assert refused.challenge.startswith('DPoP error="invalid_dpop_proof"')
    assert (await refusal(world, plain, **bears(plain, key.proof(world, plain)))).status == 401
    swapped = key.proof(world, text, header={"jwk": thief.jwk})
    assert (await refusal(world, text, **bears(text, swapped))).status == 401
    await admitted(world, text, **bears(text, key.proof(world, text)))


@pytest.mark.proves("dpop.proven")
@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": "https://gateway.example/"},
        {"htu": "https://gateway.example/mcp/"},
        {"htu": "https://gateway.example/MCP"},
        {"htu": "https://gateway.example:444/mcp"},
        {"htu": "http://gateway.example/mcp"},
        {"htu": "https://gateway.example.evil/mcp"},
        {"htu": "https://a@gateway.example/mcp"},
        {"htu": "https://gateway.example/x/../mcp"},
        {"htu": "/mcp"},
        {"htu": ""},
        {"htu": None},
        {"iat": None},
        {"iat": 0},
        {"iat": -1},
        {"iat": 1 << 60},
        {"iat": "now"},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"ath": None},
        {"ath": "x"},
    ],
)
async def test_a_proof_of_another_request_is_none(provider: Provider, changes: dict[str, Any]) -> None:
    """Another method, address, time or token, or none said."""
    world, key = await ready(provider), Key()
    text = token(world, provider, cnf=key.cnf)

    refused = await refusal(world, text, **bears(text, key.proof(world, text, **changes)))

    assert refused.challenge.startswith('DPoP error="invalid_dpop_proof"')


@pytest.mark.proves("dpop.proven")
@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"jwk": None},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"kid": "x"},
        {"jku": "https://evil.example"},
        {"x5c": ["x"]},
        {"d": True},
    ],
)
async def test_a_proof_of_another_kind_is_none(provider: Provider, header: dict[str, Any]) -> None:
    """Another type or algorithm, no key, a secret one, or a private part beside it."""
    world, key = await ready(provider), Key()
    text = token(world, provider, cnf=key.cnf)
    said: dict[str, object] = dict(header)
    if said.pop("d", None):
        said["jwk"] = {**key.jwk, "d": "AAAA"}

    assert (await refusal(world, text, **bears(text, key.proof(world, text, header=said)))).status == 401


@pytest.mark.parametrize(
    "htu",
    [
        "HTTPS://Gateway.Example/mcp",
        "https://gateway.example:443/mcp",
        "https://gateway.example:/mcp",
        "https://gateway.example/%6dcp",
        "https://gateway.example/mcp?x=1",
        "https://gateway.example/mcp#x",
    ],
)
async def test_one_address_may_be_spelled_in_ways_that_are_the_same(provider: Provider, htu: str) -> None:
    """Letters of scheme and host, the port that goes without saying, needless escapes, query and fragment do not differ."""
    world, key = await ready(provider), Key()
    text = token(world, provider, cnf=key.cnf)
    await admitted(world, text, **bears(text, key.proof(world, text, htu=htu)))


@pytest.mark.proves("dpop.once")
async def test_a_proof_counts_once_in_all_processes(provider: Provider) -> None:
    """The same proof again, at once, later, in another process or with another signature over the same name: refused; and thirty
    seconds before or after its time it is none."""
    world, key = await ready(provider), Key()
    other = world.another("w2")
    text = token(world, provider, cnf=key.cnf)
    proof = key.proof(world, text, jti="one")
    await admitted(world, text, **bears(text, proof))

    assert "used before" in (await refusal(world, text, **bears(text, proof))).detail
    assert "used before" in (await refusal(world, text, process=other, **bears(text, proof))).detail
    again = key.proof(world, text, jti="one", htm="POST", more="x")
    assert "used before" in (await refusal(world, text, process=other, **bears(text, again))).detail
    fresh = key.proof(world, text)
    world.clock.advance(31 * SECOND)
    assert "not made within" in (await refusal(world, text, **bears(text, fresh))).detail
    # The name of another key's proof is another name.
    thief = Key()
    theirs = token(world, provider, cnf=thief.cnf)
    await admitted(world, theirs, **bears(theirs, thief.proof(world, theirs, jti="one")))


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.proves("dpop.once")
async def test_a_proof_that_cannot_be_remembered_lets_nobody_in(provider: Provider, fault: str) -> None:
    """A store that fails as it remembers a proof: nobody is let in by it, then or later if it was remembered."""
    faults = Faults()
    world, key = await ready(provider, faults=faults), Key()
    text = token(world, provider, cnf=key.cnf)
    proof = key.proof(world, text)
    faults.at[faults.writes + 1] = "stored" if fault == "stored" else "not stored"

    with pytest.raises(StoreError):
        await admitted(world, text, **bears(text, proof))

    if fault == "stored":
        assert "used before" in (await refusal(world, text, **bears(text, proof))).detail
    else:
        await admitted(world, text, **bears(text, proof))


@pytest.mark.proves("oauth.keys_bounded")
async def test_keys_that_cannot_be_had_let_nobody_in(provider: Provider) -> None:
    """An issuer that does not answer lets nobody in; a key it publishes later is found; made-up key names do not have it asked
    without end; what it took away counts no more once it was asked again."""
    world = await ready(provider)
    provider.status = 500
    with pytest.raises(EffectorError):
        await admitted(world, token(world, provider))
    provider.status = 200
    world.clock.advance(MINUTE)
    await admitted(world, token(world, provider))
    before = provider.asked
    for nth in range(20):
        await refusal(world, token(world, provider, {**ED, "kid": f"k{nth}"}), address=f"192.0.2.{nth}")
    assert provider.asked <= before + 1
    provider.published = {"keys": [jwk_of(provider.ec, "ec")]}
    world.clock.advance(HOUR)
    await refusal(world, token(world, provider))
    await admitted(world, signed(provider.ec, {**ED, "alg": "ES256", "kid": "ec"}, claims(world)))


async def test_forged_tokens_are_counted_by_address_and_expired_ones_are_not(provider: Provider) -> None:
    """Fifty that nobody signed close the door to new ones from there; fifty that are over do not."""
    world = await ready(provider)
    now = world.clock.now() // SECOND
    for _ in range(FROM_ONE_PLACE + 1):
        await refusal(world, token(world, provider, iat=now - 500, exp=now - 100))
    good = token(world, provider)
    await admitted(world, good)
    for _ in range(FROM_ONE_PLACE):
        await refusal(world, "a.b.c")
    with pytest.raises(RateExceeded):
        await admitted(world, token(world, provider, jti="another"))
    await admitted(world, good)


async def test_without_issuers_no_such_token_counts(tmp_path: Path) -> None:
    """Where the file names no issuer, any access token is none, and no library is loaded for it."""
    world = World(access_tokens=LaterAccessTokens(Resource(), tmp_path))
    await world.apply(contract())
    refused = await refusal(world, "a.b.c")
    assert (refused.status, "resource_metadata" in refused.challenge) == (401, False)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "jwk", "x5t", "crit"]), st.text(max_size=8), max_size=4
    ),
    said=st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "exp", "iat", "client_id", "cnf", "scope"]),
        st.none() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=4), max_size=3),
        min_size=1,
        max_size=4,
    ),
    cut=st.integers(0, 40),
)
async def test_whatever_is_altered_is_refused(
    provider: Provider, header: dict[str, str], said: dict[str, object], cut: int
) -> None:
    """Random headers and claims under a true signature, and random cuts, never let in somebody else, and never raise anything
    but a refusal."""
    world = await ready(provider)
    text = signed(provider.ed, {**ED, **header}, {**claims(world), **said})
    text = text[: len(text) - cut] if cut else text
    try:
        bearer = await admitted(world, text)
    except NotAdmitted:
        return
    except EffectorError:
        return
    assert (bearer.agent, bearer.through) == ("ag", f"oauth:{ISSUER}#assistant")
    assert said.get("aud", RESOURCE) in (RESOURCE, [RESOURCE])
    assert "cnf" not in said


@given(
    st.text(max_size=60) | st.from_regex(r"https?://[a-zA-Z0-9.:%-]{1,20}(/[a-zA-Z0-9%._-]{0,10}){0,3}", fullmatch=True)
)
def test_the_one_form_of_an_address_is_its_own(uri: str) -> None:
    """What is canonical stays so, and has neither query nor fragment."""
    found = canonical(uri)
    if found is not None:
        assert canonical(found) == found
        assert "?" not in found
        assert "#" not in found
