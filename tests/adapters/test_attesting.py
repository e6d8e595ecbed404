"""Tokens of identity providers and trust domains: taken when their issuer signed them for us, and for nobody else."""

import gzip
import hashlib
import hmac
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import anyio
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.attesting import LaterTokens
from interlock.adapters.attesting.published import AGAIN_MS, KEPT_MS, MAX_BYTES, OLDEST_MS, Published
from interlock.adapters.attesting.tokens import Tokens
from interlock.domain.attesting import Attestation, Oidc, Spire, Subjects
from interlock.domain.errors import EffectorError, NotAllowed
from interlock.domain.ids import AgentName
from tests.adapters.issuers import Provider, Signer, b64, jwk_of, signed

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
ISSUER = "https://issuer.example"
PLANE = "spiffe://agents.example/interlock"
AG = AgentName("ag")
Claims = Mapping[str, object]


@pytest.fixture(name="provider", scope="module")
def _provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture(autouse=True)
def _as_it_was(provider: Provider) -> Iterator[None]:
    published = json.loads(json.dumps(provider.published))
    yield
    provider.published, provider.body, provider.status = published, None, 200


def attestation(provider: Provider) -> Attestation:
    """Both kinds of tokens are taken."""
    subjects: Subjects = {"repo:acme/shop": (AG,)}
    oidc = Oidc(issuer=ISSUER, audience="interlock", keys=provider.address, subjects=subjects)
    return Attestation(methods=("oidc", "spire"), oidc=(oidc,), spire=Spire(trust_domain="shop.example", bundle="b"))


def claims(**changes: object) -> dict[str, object]:
    """Of a token that counts, with changes; None takes one away."""
    made: dict[str, object] = {"iss": ISSUER, "sub": "repo:acme/shop", "aud": "interlock", "exp": NOW // 1000 + 60}
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


async def by(provider: Provider, text: str, *, folder: Path = Path(), now: int = NOW, agent: AgentName = AG) -> str:
    """By whom an instance is recognised that brings `text`."""
    found = await Tokens(attestation(provider), folder).recognised(text, agent, audience=PLANE, now=now)
    return f"{found.by} {found.issuer} {found.subject}"


async def refused(provider: Provider, text: str, *, folder: Path = Path(), now: int = NOW) -> str:
    """Why nobody is recognised."""
    with pytest.raises(NotAllowed) as caught:
        await by(provider, text, folder=folder, now=now)
    return caught.value.detail


@pytest.mark.proves("identity.vouched")
async def test_a_token_of_an_issuer_is_taken(provider: Provider) -> None:
    """Signed with RS256, ES256, EdDSA or Ed25519 by a key that the issuer publishes, for us, for a subject that is named."""
    keys: tuple[tuple[str, Signer, str], ...] = (
        ("RS256", provider.rsa, "rsa"),
        ("ES256", provider.ec, "ec"),
        ("EdDSA", provider.ed, "ed"),
        ("Ed25519", provider.ed, "ed"),
    )
    for alg, key, kid in keys:
        for typ in ({}, {"typ": "JWT"}):
            text = signed(key, {"alg": alg, "kid": kid, **typ}, claims(aud=["other", "interlock"], more={"x": [1.5]}))
            assert await by(provider, text) == f"oidc {ISSUER} repo:acme/shop"


@pytest.mark.proves("identity.vouched")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": "https://other.example"}, "JWT-SVID"),
        ({"iss": f"{ISSUER}/"}, "JWT-SVID"),
        ({"aud": "other"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": "interlock "}, "audience"),
        ({"sub": "repo:acme/shop:pull"}, "subject"),
        ({"sub": "REPO:acme/shop"}, "subject"),
        ({"sub": None}, "subject"),
        ({"exp": None}, "ends"),
        ({"exp": NOW // 1000 - 31}, "expired"),
        ({"exp": "2099"}, "does not say"),
        ({"nbf": NOW // 1000 + 31}, "does not count yet"),
        ({"iat": NOW // 1000 + 31}, "does not count yet"),
    ],
)
async def test_a_token_counts_for_whom_and_when_it_says(provider: Provider, changes: Claims, said: str) -> None:
    """Another issuer, audience or subject, no end, or another time: refused, in words that quote nothing."""
    text = signed(provider.ec, {"alg": "ES256", "kid": "ec"}, claims(**changes))
    folder = Path()
    if said == "JWT-SVID":
        # Whatever is of no issuer that is named may still be a JWT-SVID, whose keys are not there.
        with pytest.raises((EffectorError, NotAllowed)):
            await by(provider, text, folder=folder)
        return

    why = await refused(provider, text)

    assert said in why
    assert "acme" not in why
    assert "other" not in why.replace("somebody else", "")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
async def test_clocks_of_issuers_may_differ_by_half_a_minute(provider: Provider, name: str) -> None:
    """A token that expired 29 seconds ago, or begins in 29 seconds, counts."""
    seconds = NOW // 1000 + (-29 if name == "exp" else 29)

    assert await by(provider, signed(provider.ec, {"alg": "ES256", "kid": "ec"}, claims(**{name: seconds})))


@pytest.mark.proves("identity.no_confusion")
async def test_an_algorithm_is_not_taken_for_another(provider: Provider) -> None:
    """No signature, HMAC with a public key as its secret, a key of another kind, what a header asks for beside: refused."""
    good = claims()
    unsigned = signed(None, {"alg": "none", "kid": "rsa"}, good)
    pem = provider.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raw = provider.ed.public_key().public_bytes_raw()
    forged: list[str] = []
    for secret in (pem, pem.strip(), raw, json.dumps(jwk_of(provider.rsa, "rsa")).encode()):
        for alg in ("HS256", "RS256", "ES256", "EdDSA"):
            for kid in ("rsa", "ec", "ed"):
                text = signed(None, {"alg": alg, "kid": kid}, good)[:-1]
                forged.append(f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}")
    own = ec.generate_private_key(ec.SECP256R1())
    asks: list[dict[str, object]] = [
        {"jwk": jwk_of(own, "ec")},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/x"},
        {"x5c": ["MII"]},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
    ]
    for more in asks:
        forged.append(signed(own, {"alg": "ES256", "kid": "ec", **more}, good))
        forged.append(signed(provider.ec, {"alg": "ES256", "kid": "ec", **more}, good))
    swapped = [
        signed(provider.ec, {"alg": "ES256", "kid": "rsa"}, good),
        signed(provider.rsa, {"alg": "RS256", "kid": "ec"}, good),
        signed(provider.rsa, {"alg": "PS256", "kid": "rsa"}, good),
        signed(provider.ed, {"alg": "EdDSA", "kid": "ec"}, good),
        signed(own, {"alg": "ES256", "kid": "ec"}, good),
        signed(provider.ec, {"alg": "ES256", "kid": "nobody"}, good),
        signed(provider.ec, {"alg": "ES256"}, good),
        *(
            signed(provider.ec, {"alg": "ES256", "kid": "ec", "typ": typ}, good)
            for typ in ("wit+jwt", "pop+jwt", "logout+jwt")
        ),
    ]

    for text in (unsigned, f"{unsigned}x", *forged, *swapped):
        assert "token" in await refused(provider, text), text


async def test_weak_and_odd_keys_sign_nothing(provider: Provider) -> None:
    """An RSA key of 1024 bits, a symmetric key that is published, two keys of one name, one for encryption: none counts."""
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  it is to be refused
    again = ec.generate_private_key(ec.SECP256R1())
    provider.published["keys"] += [
        jwk_of(weak, "weak"),
        {"kty": "oct", "kid": "oct", "k": b64(b"secret")},
        jwk_of(again, "ec", use="sig"),
        jwk_of(provider.ed, "enc", use="enc"),
    ]
    text = signed(None, {"alg": "HS256", "kid": "oct"}, claims())[:-1]

    for each in (
        signed(weak, {"alg": "RS256", "kid": "weak"}, claims()),
        f"{text}.{b64(hmac.digest(b'secret', text.encode(), hashlib.sha256))}",
        signed(provider.ec, {"alg": "ES256", "kid": "ec"}, claims()),
        signed(provider.ed, {"alg": "EdDSA", "kid": "enc"}, claims()),
    ):
        await refused(provider, each)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=80), st.binary(max_size=60).map(lambda data: f"{b64(data)}.{b64(data)}.x")))
def test_whatever_is_brought_is_refused_by_name(text: str) -> None:
    """No text that nobody signed ends in anything but a refusal."""
    import_free = Tokens(Attestation(methods=("oidc",), oidc=()), Path())
    with pytest.raises(NotAllowed):
        import_free.recognised(text, AG, audience=PLANE, now=NOW).send(None)


async def test_a_token_that_was_changed_is_refused(provider: Provider) -> None:
    """Every byte of a token that is changed, added or cut off makes it none."""
    good = signed(provider.ec, {"alg": "ES256", "kid": "ec"}, claims())
    tokens = Tokens(attestation(provider), Path())
    assert (await tokens.recognised(good, AG, audience=PLANE, now=NOW)).by == "oidc"

    for place in range(0, len(good), 3):
        for changed in (good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :], good[:place]):
            if _same(good, changed):
                continue
            with pytest.raises((NotAllowed, EffectorError)):
                await tokens.recognised(changed, AG, audience=PLANE, now=NOW)
    with pytest.raises(NotAllowed):
        await tokens.recognised(good + "A" * 20_000, AG, audience=PLANE, now=NOW)


def _same(one: str, other: str) -> bool:
    """Whether only the bits of the last character differ that stand for nothing."""
    return len(one) == len(other) and one[:-1] == other[:-1]


@pytest.mark.proves("identity.vouched")
async def test_a_jwt_svid_is_taken_by_the_bundle(provider: Provider, tmp_path: Path) -> None:
    """A JWT-SVID of the trust domain, for us, names the agent; of another domain, path, audience or kind of key it does not."""
    key, x509 = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    bundle = {
        "spiffe_sequence": 1,
        "spiffe_refresh_hint": 60,
        "keys": [jwk_of(key, "svid", use="jwt-svid"), jwk_of(x509, "x509", use="x509-svid"), jwk_of(x509, "any")],
    }
    (tmp_path / "b").write_text(json.dumps(bundle))
    good = {"sub": "spiffe://shop.example/agent/ag", "aud": [PLANE], "exp": NOW // 1000 + 60}
    head = {"alg": "EdDSA", "kid": "svid", "typ": "JWT"}

    assert await by(provider, signed(key, head, good), folder=tmp_path) == f"spire shop.example {good['sub']}"
    for wrong in (
        {"sub": "spiffe://other.example/agent/ag"},
        {"sub": "spiffe://shop.example/agent/other"},
        {"sub": "spiffe://shop.example/agent/x/../ag"},
        {"sub": "spiffe://shop.example/ns/ag"},
        {"sub": "https://shop.example/agent/ag"},
        {"aud": "interlock"},
        {"exp": NOW // 1000 - 60},
    ):
        await refused(provider, signed(key, head, {**good, **wrong}), folder=tmp_path)
    for kid in ("x509", "any", ""):
        await refused(provider, signed(x509, {"alg": "ES256", "kid": kid}, good), folder=tmp_path)


async def test_what_a_workload_may_be_is_named(provider: Provider, tmp_path: Path) -> None:
    """With `subjects` a JWT-SVID lets a workload be the agents that are named for it, and no other; of another domain, none."""
    key = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "b").write_text(json.dumps({"keys": [jwk_of(key, "svid", use="jwt-svid")]}))
    named = ("spiffe://shop.example/ns/shop", "spiffe://other.example/ns/shop")
    spire = Spire(trust_domain="shop.example", bundle="b", subjects=dict.fromkeys(named, (AG,)))
    tokens = Tokens(Attestation(methods=("spire",), spire=spire), tmp_path)

    def svid(sub: str) -> str:
        return signed(key, {"alg": "EdDSA", "kid": "svid"}, {"sub": sub, "aud": PLANE, "exp": NOW // 1000 + 60})

    found = await tokens.recognised(svid("spiffe://shop.example/ns/shop"), AG, audience=PLANE, now=NOW)
    assert found.by == "spire"
    for text, agent in (
        (svid("spiffe://shop.example/ns/shop"), AgentName("other")),
        (svid("spiffe://shop.example/agent/ag"), AG),
        (svid("spiffe://other.example/ns/shop"), AG),
        (svid("spiffe://shop.example/ns/shop/x"), AG),
    ):
        with pytest.raises(NotAllowed):
            await tokens.recognised(text, agent, audience=PLANE, now=NOW)


async def test_keys_are_fetched_within_bounds(provider: Provider) -> None:
    """What is too long, too much, no JWKS, an error or a redirect gives no key, and a named error says where."""
    text = signed(provider.ec, {"alg": "ES256", "kid": "ec"}, claims())
    many = json.dumps({"keys": [jwk_of(provider.ec, str(n)) for n in range(101)]}).encode()
    for body, status in (
        (b"x" * (MAX_BYTES + 1), 200),
        (many, 200),
        (b"[]", 200),
        (b'{"keys": 1}', 200),
        (b'{"keys": [', 200),
        (b"", 500),
        (b"", 302),
    ):
        provider.body, provider.status = body or None, status
        with pytest.raises(EffectorError) as caught:
            await by(provider, text)
        assert provider.address in caught.value.detail
        provider.body, provider.status = None, 200
    nowhere = Published(Path())
    for place in ("http://127.0.0.1:9/keys", "none.json", "https://[bad/"):
        with pytest.raises(EffectorError):
            await nowhere.key(place, "k", "sig", NOW)


class Dripping(httpx.AsyncBaseTransport):
    """An issuer that answers without end, a byte at a time; or with what is packed."""

    def __init__(self, packed: bytes = b"") -> None:
        self._packed = packed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `AsyncBaseTransport`."""
        del request
        if self._packed:
            return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(self._packed))
        return httpx.Response(200, stream=_Drops())


class _Drops(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await anyio.sleep(0.01)


async def test_an_issuer_that_answers_too_slowly_or_packed_gives_no_key() -> None:
    """However often a byte comes: nobody waits longer than for one that says nothing. And nothing is unpacked."""
    packed = gzip.compress(json.dumps({"keys": []}).encode())
    for transport in (Dripping(), Dripping(packed)):
        slow = Published(Path(), transport, 0.1)
        with anyio.fail_after(2), pytest.raises(EffectorError):
            await slow.key("https://issuer.example/keys", "k", "sig", NOW)


async def test_keys_are_kept_and_looked_for_again(provider: Provider) -> None:
    """Keys are fetched once in minutes; a new key is found at once, one that nobody has is not asked for without end; and an
    issuer that does not answer goes on counting for an hour."""
    tokens = Tokens(attestation(provider), Path())

    async def taken(key: Signer, kid: str, at: int) -> bool:
        text = signed(key, {"alg": "ES256", "kid": kid}, claims(exp=at // 1000 + 60))
        try:
            await tokens.recognised(text, AG, audience=PLANE, now=at)
        except (NotAllowed, EffectorError):
            return False
        return True

    first = provider.asked
    assert [await taken(provider.ec, "ec", NOW + n) for n in range(5)] == [True] * 5
    assert provider.asked == first + 1
    for n in range(50):
        assert not await taken(provider.ec, "made-up", NOW + AGAIN_MS + n)
    assert provider.asked == first + 2
    new = ec.generate_private_key(ec.SECP256R1())
    provider.published["keys"].append(jwk_of(new, "new"))
    assert await taken(new, "new", NOW + 2 * AGAIN_MS + 100)
    provider.status = 500
    assert await taken(new, "new", NOW + KEPT_MS + 60_000)
    assert not await taken(new, "new", NOW + OLDEST_MS + 120_000)


async def test_without_its_library_a_token_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed the error says which to install."""
    for name in ("joserfc", "interlock.adapters.attesting.tokens"):
        monkeypatch.setitem(sys.modules, name, None)
    later = LaterTokens(Attestation(methods=("oidc",)), Path())

    with pytest.raises(EffectorError) as caught:
        await later.recognised("a.b.c", AG, audience=PLANE, now=NOW)

    assert "interlock[identity]" in caught.value.next_step
