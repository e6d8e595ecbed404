"""A chain of three task tokens with its proof of possession: verified anew, and known from before; beside others.

The others in the same run and on the same machine: a Biscuit of three blocks that says the same (bearer: it proves no
possession), Tenuo's chain of three warrants with its proof, and one EdDSA JWT, which says nothing that can be narrowed. Times
are CPU microseconds of one thread.
"""

import importlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import biscuit_auth as biscuit
import tenuo_core as tenuo
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measure import percentile, show
from interlock.adapters.keys import verify
from interlock.domain.canonical import JsonValue
from interlock.domain.possession import prove, proven
from interlock.services.chains import Chains
from tests.domain.delegations import (
    ANA,
    AUDIENCE,
    BO,
    CY,
    ISSUERS,
    NOW,
    call_of,
    handed,
    public,
    read,
    refunds,
    rooted,
)

ARGUMENTS: dict[str, JsonValue] = {"amount": 50, "currency": "EUR", "order": "o-1"}
MOST = (500, 300, 100)
COUNT = 2_000
_FACTS = 'tool("shop.refund"); args(["amount", "currency", "order"]); arg("amount", 50); arg("currency", "EUR");'


def ours() -> tuple[Callable[[], None], Callable[[], None], Callable[[], None], int]:
    """A verification of a known chain, of a new one, the making of a proof, and the bytes of chain and proof."""
    texts = handed(handed((rooted(refunds(MOST[0])),), ANA, BO, refunds(MOST[1])), BO, CY, refunds(MOST[2]))
    call = call_of(read(texts), "shop.refund", ARGUMENTS)
    proof = prove(call, jti="p", now=NOW, public=public(CY), sign=CY.sign)
    known = Chains(verify)

    def asked(chains: Chains) -> None:
        chain = chains.verified(texts, ISSUERS)
        refusal = chain.refusal(NOW, issuers=ISSUERS, audience=AUDIENCE, tenant="default")
        proven(proof, call, holder=chain.holder, now=NOW, verify=verify)
        if refusal is not None or chain.granted("shop.refund", ARGUMENTS) is not None:
            raise ValueError("refused")

    def made() -> None:
        prove(call, jti="p", now=NOW, public=public(CY), sign=CY.sign)

    size = sum(map(len, texts)) + len(proof)
    return lambda: asked(known), lambda: asked(Chains(verify)), made, size


def biscuits() -> tuple[Callable[[], None], int]:
    """Parsing, verifying and authorizing a Biscuit of three blocks."""
    keys = biscuit.KeyPair()
    checks = [
        'check if tool("shop.refund"), args(["amount", "currency", "order"]), arg("amount", $a), $a >= 0, '
        f'$a <= {most}, arg("currency", $c), $c == "EUR" || $c == "USD"'
        for most in MOST
    ]
    token = biscuit.BiscuitBuilder(checks[0]).build(keys.private_key)
    for check in checks[1:]:
        token = token.append(biscuit.BlockBuilder(check))
    data = bytes(token.to_bytes())

    def asked() -> None:
        builder: Any = biscuit.AuthorizerBuilder(_FACTS + " allow if true;")
        limits = builder.limits()
        limits.max_time = timedelta(seconds=5)
        builder.set_limits(limits)
        builder.build(biscuit.Biscuit.from_bytes(data, keys.public_key)).authorize()

    return asked, len(data)


def warrants() -> tuple[Callable[[], None], int]:
    """Parsing and verifying three of Tenuo's warrants with a proof of possession."""
    plane, *keys = (tenuo.SigningKey.generate() for _ in range(4))
    said = [
        {
            "shop.refund": {
                "amount": tenuo.Range(0, most),
                "currency": tenuo.OneOf(["EUR", "USD"]),
                "order": tenuo.Wildcard(),
            }
        }
        for most in MOST
    ]
    chain = [tenuo.Warrant.issue(plane, capabilities=said[0], ttl_seconds=900, holder=keys[0].public_key)]
    for place in (1, 2):
        chain.append(chain[-1].attenuate(said[place], keys[place - 1], ttl_seconds=900, holder=keys[place].public_key))
    texts = [each.to_base64() for each in chain]
    judge = tenuo.Authorizer(trusted_roots=[plane.public_key])
    proof = bytes(chain[-1].sign(keys[2], "shop.refund", ARGUMENTS, int(time.time())))

    def asked() -> None:
        parsed = [tenuo.Warrant.from_base64(text) for text in texts]
        judge.check_chain(parsed, "shop.refund", ARGUMENTS, signature=proof)

    return asked, sum(map(len, texts)) + len(proof)


def plain() -> tuple[Callable[[], None], int] | None:
    """One EdDSA JWT by PyJWT, whose claims are checked as it checks them; None where it is not installed (group `bench`)."""
    try:
        jwt: Any = importlib.import_module("jwt")
    except ImportError:
        return None
    key = Ed25519PrivateKey.generate()
    text = jwt.encode({"sub": "cy", "aud": AUDIENCE, "exp": int(time.time()) + 900}, key, algorithm="EdDSA")

    def asked() -> None:
        jwt.decode(text, key.public_key(), algorithms=["EdDSA"], audience=AUDIENCE)

    return asked, len(text)


def measured(work: Callable[[], None]) -> tuple[float, float, float]:
    """The least, the median and the 99th percentile of CPU microseconds."""
    for _ in range(COUNT // 10):
        work()
    found: list[float] = []
    for _ in range(COUNT):
        began = time.thread_time_ns()
        work()
        found.append((time.thread_time_ns() - began) / 1000)
    found.sort()
    return found[0], percentile(found, 0.5), percentile(found, 0.99)


async def run() -> None:
    """Measure each, and print."""
    known, new, made, length = ours()
    by_biscuit, their_size = biscuits()
    by_tenuo, tenuo_size = warrants()
    asked = [
        ("three hops and proof, known from before (bound 120)", known, f"{length:,}"),
        ("three hops and proof, new (bound 450)", new, f"{length:,}"),
        ("a proof made", made, ""),
        ("Biscuit, three blocks, no proof", by_biscuit, f"{their_size:,}"),
        ("Tenuo, three warrants and proof", by_tenuo, f"{tenuo_size:,}"),
    ]
    one = plain()
    if one is not None:
        asked.append(("PyJWT, one EdDSA token", one[0], f"{one[1]:,}"))
    rows = [(name, *(f"{each:,.0f}" for each in measured(work)), size) for name, work, size in asked]
    show("A chain of task tokens verified", ("", "CPU least µs", "p50", "p99", "bytes"), rows)
