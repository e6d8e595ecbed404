"""Chains of task tokens: what they are good for, and every way of making more of one than was given."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.keys import SigningKey, verify
from interlock.domain.canonical import JsonValue
from interlock.domain.chain import MAX_CHAIN_BYTES
from interlock.domain.constraint import Constraint
from interlock.domain.grant import Grant, GrantError, meet, narrower
from interlock.domain.jwk import b64, thumbprint
from interlock.domain.possession import REMEMBER_MS, Proof, prove, proven
from interlock.domain.revocation import Revocation, marks, refusal, revoked
from interlock.domain.token import MAX_LIFE_S, SKEW_MS, Code, Token, TokenError, hash_of
from interlock.services.chains import Chains
from tests.domain.delegations import (
    ANA,
    AUDIENCE,
    BO,
    CALLS,
    CY,
    EVE,
    GRANTS,
    ISSUERS,
    KID,
    NOW,
    PLANE,
    altered,
    call_of,
    called,
    forged,
    handed,
    parts,
    public,
    read,
    refunds,
    rooted,
    three,
)

GOOD: dict[str, JsonValue] = {"amount": 50, "currency": "EUR", "order": "o-1"}


def refused(texts: tuple[str, ...], code: Code, **how: object) -> str:
    """The words with which a call under `texts` is refused; it must be for `code`."""
    said: dict[str, object] = {"tool": "shop.refund", "arguments": GOOD, "by": CY} | how
    with pytest.raises(TokenError) as caught:
        called(texts, **said)  # type: ignore[arg-type]  # each case says what it changes
    assert caught.value.code == code
    return caught.value.detail


def widened(**claims: object) -> tuple[str, ...]:
    """The chain of three with other claims in Cy's token, signed by Bo as the honest one was."""
    one, two, three_ = three()
    return one, two, altered(three_, BO, **claims)


def granting(**arguments: object) -> list[dict[str, object]]:
    """Cy's authorization_details with other constraints."""
    tools = parts(three()[2])[1]["authorization_details"][0]["tools"]
    return [{"type": "attenuating_agent_token", "tools": {"shop.refund": tools["shop.refund"] | arguments}}]


def test_the_last_of_three_holders_may_call() -> None:
    """A chain of three hops with its proof grants what its last token grants."""
    called(three(), "shop.refund", GOOD, by=CY)


# -- the nineteen ------------------------------------------------------------------------------------------------------
@pytest.mark.proves("tokens.attacks")
def test_attack_widened_range() -> None:
    """1: a higher bound than the parent's is refused, though properly signed."""
    amount = {"constraint_type": "range", "min": 0, "max": 301}
    words = refused(widened(authorization_details=granting(amount=amount)), "token_widened")
    assert "a whole number at least 0 and at most 301 is not within" in words


@pytest.mark.proves("tokens.attacks")
def test_attack_added_tool() -> None:
    """2: a tool the parent does not have is refused."""
    details = granting()
    tools = details[0]["tools"]
    assert isinstance(tools, dict)
    tools["shop.delete"] = {}
    words = refused(widened(authorization_details=details), "token_widened")
    assert "`shop.delete` is not among what was granted before" in words


@pytest.mark.proves("tokens.attacks")
def test_attack_added_currency() -> None:
    """3: a value more in a list is refused."""
    currency = {"constraint_type": "one_of", "values": ["EUR", "GBP", "USD"]}
    refused(widened(authorization_details=granting(currency=currency)), "token_widened")


@pytest.mark.proves("tokens.attacks")
def test_attack_dropped_argument() -> None:
    """4: leaving an argument's constraint out is refused, and so is leaving all of them out."""
    amount = {"amount": {"constraint_type": "range", "max": 1, "min": 0}}
    fewer: tuple[dict[str, Any], ...] = (amount, {})
    for arguments in fewer:
        details = [{"type": "attenuating_agent_token", "tools": {"shop.refund": arguments}}]
        refused(widened(authorization_details=details), "token_widened")


@pytest.mark.proves("tokens.attacks")
def test_attack_longer_life() -> None:
    """5: an end after the parent's is refused; and a life of more than 15 minutes is no token, whoever signs it."""
    one, two, last = three()
    exp = parts(two)[1]["exp"]
    refused((one, two, altered(last, BO, exp=exp + 1)), "token_malformed")
    refused((one, two, altered(last, BO, exp=exp + 1, iat=exp - 10)), "token_widened")
    refused((altered(one, PLANE, exp=exp + 1),), "token_malformed")


@pytest.mark.proves("tokens.attacks")
def test_attack_depth() -> None:
    """6: handing on more often than allowed is refused, under any depth that the child claims."""
    texts = three()
    child = {
        **parts(texts[2])[1],
        "iss": "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + thumbprint(public(CY)),
        "par_hash": hash_of(texts[2].rpartition(".")[0].encode()),
    }
    refused((*texts, forged({**child, "del_depth": 3}, CY)), "token_malformed")
    refused((*texts, forged({**child, "del_depth": 2}, CY)), "token_depth")
    with pytest.raises(TokenError, match="may not be handed on any further"):
        handed(texts, CY, EVE, refunds(1))


@pytest.mark.proves("tokens.attacks")
def test_attack_raised_depth() -> None:
    """7: a child that may be handed on more often than its parent is refused."""
    refused(widened(del_max_depth=3), "token_depth")


@pytest.mark.proves("tokens.attacks")
def test_attack_re_parented() -> None:
    """8: a token put under another parent, even of the same holder and with as much, is refused."""
    one, _, last = three()
    other = handed((one,), ANA, BO, refunds(400), jti="jti-other")
    refused((*other, last), "token_broken_link")


@pytest.mark.proves("tokens.attacks")
def test_attack_foreign_key() -> None:
    """9: a child signed by somebody else is refused, whichever key it names."""
    one, two, last = three()
    refused((one, two, altered(last, EVE)), "token_broken_link")
    refused((one, two, forged(parts(last)[1], EVE, kid=thumbprint(public(BO)))), "token_signature")


@pytest.mark.proves("tokens.attacks")
def test_attack_missing_middle() -> None:
    """10: a chain with a token left out, at either end or within, is refused."""
    one, two, last = three()
    refused((one, last), "token_broken_link")
    refused((two, last), "token_untrusted")
    refused((last,), "token_untrusted")
    refused((one, two, two, last), "token_broken_link")
    refused((last, two, one), "token_untrusted")


@pytest.mark.proves("tokens.attacks")
def test_attack_self_minted_root() -> None:
    """11: a root that is not signed by the control plane is refused, whichever key it names."""
    claims = parts(rooted())[1]
    refused((forged(claims, EVE),), "token_untrusted")
    refused((forged(claims, EVE, kid=KID),), "token_signature")
    refused((forged({**claims, "iss": "https://elsewhere.example"}, PLANE),), "token_untrusted")


@pytest.mark.proves("tokens.attacks")
def test_attack_thief_key() -> None:
    """12: who has the chain but not its holder's key makes no call."""
    refused(three(), "proof_signature", by=EVE)
    proof = prove(call_of(read(three()), "shop.refund", GOOD), jti="p", now=NOW, public=public(CY), sign=EVE.sign)
    refused(three(), "proof_signature", proof=proof)
    refused(three(), "proof_signature", by=BO)


@pytest.mark.proves("tokens.attacks")
def test_attack_over_limit() -> None:
    """13: a value beyond the last token's bound is refused, though the ones before would grant it."""
    words = refused(three(), "token_not_granted", arguments={**GOOD, "amount": 101})
    assert words == "`amount` of `shop.refund` must be a whole number at least 0 and at most 100"


@pytest.mark.proves("tokens.attacks")
def test_attack_extra_argument() -> None:
    """14: an argument that is not named is refused."""
    refused(three(), "token_not_granted", arguments={**GOOD, "force": True})


@pytest.mark.proves("tokens.attacks")
def test_attack_bool_as_int() -> None:
    """15: true is not 1, and "50" is not 50."""
    refused(three(), "token_not_granted", arguments={**GOOD, "amount": True})
    refused(three(), "token_not_granted", arguments={**GOOD, "amount": "50"})


@pytest.mark.proves("tokens.attacks")
@given(later=st.integers(0, 10 * REMEMBER_MS), made=st.integers(NOW, NOW + 999))
@settings(max_examples=60, deadline=None)
def test_attack_replay(later: int, made: int) -> None:
    """16: the same proof again has the `jti` that is remembered, or is too old: there is no moment between the two."""
    chain = read(three())
    call = call_of(chain, "shop.refund", GOOD)
    text = prove(call, jti="p", now=made, public=public(CY), sign=CY.sign)

    def again() -> str:
        return proven(text, call, holder=chain.holder, now=made + later, verify=verify).jti

    if later > REMEMBER_MS:
        with pytest.raises(TokenError) as caught:
            again()
        assert caught.value.code == "proof_time"
    elif later <= SKEW_MS:
        assert again() == "p"


@pytest.mark.proves("tokens.attacks")
def test_attack_proof_of_another_call() -> None:
    """17: a proof for other arguments, another tool, task, token, key or control plane is refused, with which it is."""
    chain = read(three())
    for other in (
        call_of(chain, "shop.refund", {**GOOD, "amount": 51}),
        call_of(chain, "shop.price", GOOD),
        call_of(chain, "shop.refund", GOOD, key="once"),
        call_of(read(three()[:2]), "shop.refund", GOOD),
    ):
        proof = prove(other, jti="p", now=NOW, public=public(CY), sign=CY.sign)
        assert "made for another call" in refused(three(), "proof_other", proof=proof)


@pytest.mark.proves("tokens.attacks")
@pytest.mark.proves("tokens.revoked_with_ancestor")
@pytest.mark.parametrize("hop", [0, 1, 2])
@pytest.mark.parametrize("kind", ["token", "holder", "instance", "agent", "task", "root", "user"])
def test_attack_revoked_ancestor(hop: int, kind: str) -> None:
    """18: whatever of any token of the chain was revoked refuses the chain, and nobody else's."""
    chain = read(three())
    token = chain.tokens[hop]
    name = {
        "token": token.jti,
        "holder": token.holder,
        "instance": token.holder,
        "agent": token.agent,
        "task": token.task,
        "root": token.root,
        "user": token.sub,
    }[kind]
    orders = (Revocation(kind=kind, name=name, since_at=NOW),)  # type: ignore[arg-type]  # the kinds above

    found = revoked(orders, marks(chain))

    assert found is not None
    assert "revoked" in refusal(found, chain)
    elsewhere = tuple(Revocation(kind=each.kind, name="another", since_at=NOW) for each in orders)
    assert revoked(elsewhere, marks(chain)) is None


@pytest.mark.proves("tokens.attacks")
@pytest.mark.parametrize("alg", ["none", "None", "HS256", "EdDSA", "ES256", ""])
def test_attack_algorithm(alg: str) -> None:
    """19: any other algorithm than the one is refused before a signature is looked at, at the root and below."""
    one, two, last = three()
    refused((forged(parts(one)[1], PLANE, alg=alg),), "token_malformed")
    refused((one, two, forged(parts(last)[1], BO, alg=alg)), "token_malformed")
    refused((one, two, last.rpartition(".")[0] + "."), "token_malformed")


# -- what else ---------------------------------------------------------------------------------------------------------
def test_texts_of_another_kind_are_no_tokens() -> None:
    """A proof, a credential or any other signed text in a token's place is refused, and a token in a proof's."""
    one, two, last = three()
    for typ in ("pop+jwt", "wit+jwt", "JWT", ""):
        refused((one, two, forged(parts(last)[1], BO, typ=typ)), "token_malformed")
    refused(three(), "proof_malformed", proof=last)


def test_a_header_cannot_bring_its_own_key() -> None:
    """What a header might ask a verifier to use cannot be said."""
    one, _, _ = three()
    asked: dict[str, Any] = {"jwk": {}, "jku": "https://x.example", "x5c": [], "crit": ["exp"], "zip": "DEF"}
    for more in ({name: value} for name, value in asked.items()):
        refused((forged(parts(one)[1], EVE, kid=KID, **more),), "token_malformed")


@pytest.mark.parametrize(
    "claims",
    [
        {"jku": "https://x.example"},
        {"exp": "1800000900"},
        {"exp": True},
        {"iat": -5, "exp": 10},
        {"del_depth": -1},
        {"del_max_depth": 9},
        {"cnf": {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": "AA"}}},
        {"cnf": {"jwk": {"crv": "P-256", "kty": "EC", "x": "A" * 43}}},
        {"cnf": {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": "A" * 43, "d": "A" * 43}}},
        {"cnf": {"jkt": "A" * 43}},
        {"authorization_details": []},
        {"authorization_details": [{"type": "openid_credential", "tools": {}}]},
        {"sub": ""},
        {"sub": "x" * 300},
        {"budgets": {"calls": -1}},
        {"budgets": {f"u{n}": 1 for n in range(40)}},
        {"par_hash": ""},
        {"release": ""},
    ],
)
def test_claims_that_are_none_of_a_token_are_refused(claims: dict[str, object]) -> None:
    """Whatever a holder signs that a token may not say is refused, though the signature holds."""
    refused(widened(**claims), "token_malformed")


@pytest.mark.proves("tokens.unknown_denies")
def test_an_unknown_constraint_refuses_the_chain() -> None:
    """A type of constraint that is not known refuses the whole chain, at any depth of it."""
    regex = {"constraint_type": "regex", "pattern": ".*"}
    refused(widened(authorization_details=granting(order=regex)), "token_malformed")
    inside = {"constraint_type": "all", "constraints": [{"constraint_type": "wildcard"}, regex]}
    refused(widened(authorization_details=granting(order=inside)), "token_malformed")


@pytest.mark.parametrize("name", ["tenant", "aud", "sub", "root", "run"])
def test_what_the_tree_is_for_stays(name: str) -> None:
    """No child may be for another tenant, control plane, initiator, tree or run."""
    assert f"`{name}`" in refused(widened(**{name: "another"}), "token_widened")


def test_budgets_only_shrink() -> None:
    """A child may name a smaller amount, or one where none before it names any, never a larger: silence lifts nothing."""
    one = rooted(budgets={"calls": 10})
    two = handed((one,), ANA, BO, refunds(), budgets={"calls": 10, "EUR": 5})
    assert read(two).leaf.budgets == {"calls": 10, "EUR": 5}
    words = refused((one, altered(two[1], ANA, budgets={"calls": 11})), "token_widened")
    assert "draw more `calls`" in words
    silent = handed((one,), ANA, BO, refunds())
    assert read(silent).limits == {"calls": 10}
    with pytest.raises(TokenError, match="draw more `calls`"):
        handed(silent, BO, CY, refunds(), budgets={"calls": 11})
    assert read(handed(silent, BO, CY, refunds(), budgets={"calls": 4})).limits == {"calls": 4}


@pytest.mark.proves("tokens.time")
def test_clocks_may_differ_by_thirty_seconds() -> None:
    """30 s of difference are forgiven at either end of a token's life and around a proof, 31 s are not."""
    texts = three()
    exp = parts(texts[2])[1]["exp"] * 1000
    called(texts, "shop.refund", GOOD, by=CY, now=NOW - SKEW_MS)
    refused(texts, "token_not_yet", now=NOW - SKEW_MS - 1000)
    called(texts, "shop.refund", GOOD, by=CY, now=exp + SKEW_MS - 1)
    refused(texts, "token_expired", now=exp + SKEW_MS)

    chain = read(texts)
    call = call_of(chain, "shop.refund", GOOD)
    for off, passes in ((-31, False), (-30, True), (30, True), (31, False)):
        text = prove(call, jti="p", now=NOW + off * 1000, public=public(CY), sign=CY.sign)
        if passes:
            proven(text, call, holder=chain.holder, now=NOW, verify=verify)
        else:
            refused(texts, "proof_time", proof=text)


def test_a_token_ends_with_its_parent_and_its_task() -> None:
    """What is minted ends with the task, in 15 minutes at most; what is derived ends with its parent at the latest."""
    short = rooted(ends_at=NOW + 60_000)
    child = handed((short,), ANA, BO, refunds(), now=NOW + 30_000, lasts_ms=3_600_000)
    assert parts(rooted())[1]["exp"] == NOW // 1000 + MAX_LIFE_S
    assert parts(child[1])[1]["exp"] == NOW // 1000 + 60
    with pytest.raises(TokenError) as caught:
        handed((short,), ANA, BO, refunds(), now=NOW + 60_000)
    assert caught.value.code == "token_expired"


def test_a_token_for_elsewhere_does_not_count_here() -> None:
    """Another control plane, another tenant, and a key that no longer counts refuse a chain that verifies."""
    chain = read(three())
    for issuers, audience, tenant in (
        ({}, AUDIENCE, "default"),
        (ISSUERS, "elsewhere", "default"),
        (ISSUERS, AUDIENCE, "another"),
    ):
        found = chain.refusal(NOW, issuers=issuers, audience=audience, tenant=tenant)
        assert found is not None
        assert found.code == "token_untrusted"


def test_a_wrongly_filed_key_signs_no_root() -> None:
    """A key of the control plane that is filed under another thumbprint than its own verifies nothing."""
    with pytest.raises(TokenError):
        Chains(verify).verified((rooted(),), {KID: public(EVE)})


@pytest.mark.proves("tokens.sizes")
@pytest.mark.parametrize(
    "texts",
    [
        (),
        ("",),
        ("a.b.c",),
        ("\u00e9.b.c",),
        (".".join("a" * 6_000 for _ in range(3)),),
        ("a" * (MAX_CHAIN_BYTES // 3),) * 4,
        three() * 4,
        ("\n".join(three()),),
        ("[" * 16_000 + ".a.b",),
    ],
)
def test_what_is_too_long_or_no_text_is_refused_unparsed(texts: tuple[str, ...]) -> None:
    """No chain, one too long by count or size, and one in no form is refused in words."""
    with pytest.raises(TokenError):
        read(texts)


def test_a_holder_cannot_nest_the_verifier_to_death() -> None:
    """Claims nested as deep as their size allows, properly signed, are refused as any others."""
    one, two, last = three()
    head, _, _ = last.split(".")
    deep = b"[" * 10_000 + b"]" * 10_000
    for value in (deep[:9_000], deep[5_000:14_000]):
        text = _signed(head, value)
        refused((one, two, text), "token_malformed")


def _signed(head: str, payload: bytes) -> str:
    body = f"{head}.{b64(payload)}"
    return f"{body}.{b64(BO.sign(body.encode()))}"


# -- what is kept of a chain -------------------------------------------------------------------------------------------
def counting() -> tuple[list[int], Chains]:
    """A cache, and how many signatures it has looked at."""
    seen: list[int] = []

    def counted(key: bytes, message: bytes, signature: bytes) -> bool:
        seen.append(1)
        return verify(key, message, signature)

    return seen, Chains(counted, kept=2)


@pytest.mark.proves("tokens.cache")
def test_a_chain_is_verified_once_and_asked_anew_each_time() -> None:
    """The second call costs no signature; its times and the keys that count are asked all the same."""
    seen, chains = counting()
    texts = three()
    first, again = chains.verified(texts, ISSUERS), chains.verified(texts, {})

    assert len(seen) == 3
    assert again is first
    assert again.refusal(NOW, issuers={}, audience=AUDIENCE, tenant="default") is not None
    assert again.refusal(NOW + 3_600_000, issuers=ISSUERS, audience=AUDIENCE, tenant="default") is not None


@pytest.mark.proves("tokens.cache")
def test_a_leaf_is_not_known_under_other_parents() -> None:
    """The same last token after other parents, in another order or with one doubled is verified anew, and refused."""
    _, chains = counting()
    one, two, last = three()
    chains.verified((one, two, last), ISSUERS)
    other = handed((one,), ANA, BO, refunds(400), jti="jti-other")
    chains.verified(other, ISSUERS)
    for poisoned in (
        (*other, last),
        (one, last),
        (last,),
        (two, one, last),
        (one, two, two, last),
        (f"{one}\n{two}", last),
    ):
        with pytest.raises(TokenError):
            chains.verified(poisoned, ISSUERS)


@pytest.mark.proves("tokens.cache")
def test_what_does_not_verify_is_not_kept() -> None:
    """A refused chain is refused again, fills nothing, and only so many good ones are kept."""
    seen, chains = counting()
    texts = three()
    chains.verified(texts, ISSUERS)
    for _ in range(5):
        with pytest.raises(TokenError):
            chains.verified((*texts[:2], altered(texts[2], BO, sub="eve")), ISSUERS)
    seen.clear()
    chains.verified(texts, ISSUERS)
    assert not seen

    for n in range(3):
        chains.verified((rooted(jti=f"jti-{n}"),), ISSUERS)
    seen.clear()
    chains.verified(texts, ISSUERS)
    assert len(seen) == 3


# -- for all -----------------------------------------------------------------------------------------------------------
@pytest.mark.proves("tokens.narrowing_sound")
@given(grants=st.lists(GRANTS, min_size=1, max_size=4), call=CALLS, keys=st.permutations([ANA, BO, CY, EVE]))
@settings(max_examples=50, deadline=None)
def test_what_a_chain_grants_every_token_of_it_grants(
    grants: list[Grant], call: tuple[str, dict[str, JsonValue]], keys: list[SigningKey]
) -> None:
    """For all chains: what the last token grants, each before it grants; and one that widens is not even derived."""
    texts: tuple[str, ...] = (rooted(grants[0], max_depth=4),)
    by = ANA
    for grant, to in zip(grants[1:], keys, strict=False):
        parent = read(texts).grant
        if narrower(grant, parent) is None:
            texts = handed(texts, by, to, grant)
        else:
            with pytest.raises(TokenError):
                handed(texts, by, to, grant)
            try:
                both = meet(parent, grant)
            except GrantError:
                break  # too much to say of both: nobody hands it on
            texts = handed(texts, by, to, both)
        by = to

    chain = read(texts)
    if chain.granted(*call) is None:
        assert [token for token in chain.tokens if token.grant.admits(*call) is not None] == []


@given(place=st.integers(0), bit=st.integers(0, 6), hop=st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_no_byte_of_a_chain_may_differ(place: int, bit: int, hop: int) -> None:
    """A chain with one bit flipped anywhere is refused, in words."""
    texts = list(three())
    text = texts[hop].encode()
    place %= len(text)
    texts[hop] = (text[:place] + bytes([text[place] ^ (1 << bit)]) + text[place + 1 :]).decode("ascii")
    with pytest.raises(TokenError):
        read(tuple(texts))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_is_32_bytes(length: int) -> None:
    """Nothing of another length is named as a key, so that no two spellings of one key have two names."""
    with pytest.raises(ValueError, match="32 bytes"):
        thumbprint(bytes(length))


def test_the_page_names_everything() -> None:
    """docs/reference/task-tokens.md tells of every claim, every constraint and every code that there is."""
    page = (Path(__file__).parents[2] / "docs/reference/task-tokens.md").read_text()
    forms = [each.__struct_config__.tag for each in get_args(Constraint)]
    claims = [field.name for kind in (Token, Proof) for field in msgspec.structs.fields(kind)]

    assert [name for name in (*claims, *forms, *get_args(Code)) if f"`{name}`" not in page] == []
