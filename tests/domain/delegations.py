"""Made-up constraints, grants and chains of task tokens, and tokens that no honest holder would write."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from hypothesis import strategies as st

from interlock.adapters.keys import SigningKey, fresh, verify
from interlock.domain.canonical import JsonValue, encode
from interlock.domain.chain import Chain, verified
from interlock.domain.constraint import Constraint, ConstraintError, read_constraint
from interlock.domain.grant import Grant, read_grant
from interlock.domain.jwk import thumbprint
from interlock.domain.minting import Holder, Tree, derived, minted
from interlock.domain.possession import Call, prove, proven

NOW = 1_800_000_000_000
AUDIENCE = "plane.default.interlock.internal"
PLANE, ANA, BO, CY, EVE = (fresh(name) for name in ("plane", "ana", "bo", "cy", "eve"))
TREE = Tree(audience=AUDIENCE, tenant="default", root="task-1", initiator="user:4f1a", run="run-7")

SCALARS: tuple[JsonValue, ...] = (None, False, True, -2, 0, 1, 2, 3, 7, 200, "", "a", "b", "1", "true", "\u00e9")
UNIVERSE: tuple[JsonValue, ...] = (
    *SCALARS,
    *([each] for each in SCALARS[:12]),
    [],
    ["a", "b"],
    ["b", "a"],
    ["a", "b", "1"],
    ["a", "a"],
    [0, 1],
    [True],
    [["a"]],
    [1, "a"],
    {},
    {"k": 1},
    {"k": True},
    {"k": "a", "l": None},
)
"""Every value that the rules of constraints are tried on."""


def public(key: SigningKey) -> bytes:
    """The 32 bytes of its public key."""
    return key.verifier.public


KID = thumbprint(public(PLANE))
ISSUERS = {KID: public(PLANE)}


def _lists(values: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[list[JsonValue]]:
    return st.lists(values, min_size=1, max_size=4)


_VALUES: st.SearchStrategy[JsonValue] = st.sampled_from(UNIVERSE)
_BOUNDS = st.none() | st.integers(-3, 9) | st.sampled_from([199, 200, 5000])
_FORMS: tuple[st.SearchStrategy[dict[str, Any]], ...] = (
    st.builds(lambda value: {"constraint_type": "exact", "value": value}, _VALUES),
    st.builds(lambda values: {"constraint_type": "one_of", "values": values}, _lists(_VALUES)),
    st.builds(lambda values: {"constraint_type": "not_one_of", "excluded": values}, _lists(_VALUES)),
    st.builds(lambda values: {"constraint_type": "subset", "allowed": values}, _lists(st.sampled_from(SCALARS))),
    st.builds(lambda values: {"constraint_type": "contains", "required": values}, _lists(st.sampled_from(SCALARS))),
    st.just({"constraint_type": "wildcard"}),
    st.builds(
        lambda low, high: {
            "constraint_type": "range",
            **({} if low is None and high is not None else {"min": low or 0}),
            **({} if high is None else {"max": max(high, low if low is not None else high)}),
        },
        _BOUNDS,
        _BOUNDS,
    ),
)
_LEAVES = st.one_of(*_FORMS)


def _within(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda kind, parts: {"constraint_type": kind, "constraints": parts},
        st.sampled_from(["all", "any"]),
        st.lists(inner, min_size=1, max_size=3),
    )


def _readable(form: dict[str, Any]) -> Constraint | None:
    try:
        return read_constraint(form)
    except ConstraintError:
        return None


CONSTRAINTS: st.SearchStrategy[Constraint] = (
    st.recursive(_LEAVES, _within, max_leaves=6).map(_readable).filter(lambda each: each is not None)  # type: ignore[assignment]  # none is left
)

PAIRS: st.SearchStrategy[tuple[Constraint, Constraint]] = st.tuples(CONSTRAINTS, CONSTRAINTS) | st.sampled_from(
    _FORMS
).flatmap(lambda form: st.tuples(form.map(read_constraint), form.map(read_constraint)))
"""Two constraints, half of the time of one form: by chance alone they would seldom have anything to do with each other."""

TOOLS = ("shop.refund", "shop.price", "shop.note")
ARGUMENTS = ("amount", "to")
GRANTS: st.SearchStrategy[Grant] = st.builds(
    lambda tools: Grant(tools=tools),
    st.dictionaries(
        st.sampled_from(TOOLS),
        st.dictionaries(st.sampled_from(ARGUMENTS), CONSTRAINTS, max_size=2),
        max_size=3,
    ),
)
CALLS: st.SearchStrategy[tuple[str, dict[str, JsonValue]]] = st.tuples(
    st.sampled_from(TOOLS), st.dictionaries(st.sampled_from(ARGUMENTS), _VALUES, max_size=2)
)


def refunds(
    most: int = 500, currencies: tuple[str, ...] = ("EUR", "USD"), more: dict[str, JsonValue] | None = None
) -> Grant:
    """Refunds of any order up to so much, in one of these currencies; and whatever other tools."""
    refund: dict[str, JsonValue] = {
        "amount": {"constraint_type": "range", "min": 0, "max": most},
        "currency": {"constraint_type": "one_of", "values": list(currencies)},
        "order": {"constraint_type": "wildcard"},
    }
    return read_grant({"tools": {"shop.refund": refund, **(more or {})}})


def rooted(grant: Grant | None = None, **more: Any) -> str:
    """The text of a root for Ana, from the control plane."""
    said: dict[str, Any] = {
        "task": "task-1",
        "jti": "jti-1",
        "now": NOW,
        "ends_at": NOW + 3_600_000,
        "kid": KID,
        "sign": PLANE.sign,
    } | more
    return minted(TREE, Holder(agent="ana", key=public(ANA)), grant or refunds(), **said)


def handed(texts: tuple[str, ...], by: SigningKey, to: SigningKey, grant: Grant, **more: Any) -> tuple[str, ...]:
    """The chain with a child for `to`, signed by the holder of the last."""
    n = len(texts) + 1
    said: dict[str, Any] = {"task": f"task-{n}", "jti": f"jti-{n}", "now": NOW, "sign": by.sign} | more
    holder = Holder(agent=to.verifier.name, key=public(to))
    return (*texts, derived(read(texts), holder, grant, **said))


def three() -> tuple[str, str, str]:
    """A chain of three hops: Ana up to 500, Bo up to 300, Cy up to 100."""
    texts = handed(handed((rooted(),), ANA, BO, refunds(300)), BO, CY, refunds(100))
    return texts[0], texts[1], texts[2]


def read(texts: tuple[str, ...]) -> Chain:
    """The chain, if it verifies."""
    return verified(texts, issuers=ISSUERS, verify=verify)


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a text, whoever signed it."""
    header, payload, _ = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split("."))
    return json.loads(header), json.loads(payload)


def forged(claims: dict[str, Any], key: SigningKey, **header: Any) -> str:
    """A text with any claims, signed by `key`, in the one form; and with any header."""
    head = {"alg": "Ed25519", "kid": thumbprint(public(key)), "typ": "aat+jwt", **header}
    text = f"{_b64(encode(head))}.{_b64(encode(claims))}"
    return f"{text}.{_b64(key.sign(text.encode()))}"


def altered(text: str, key: SigningKey, **claims: Any) -> str:
    """The same token with other claims, signed again by `key`."""
    return forged({**parts(text)[1], **claims}, key)


def call_of(chain: Chain, tool: str, arguments: JsonValue, key: str = "") -> Call:
    """A call under the last token of the chain."""
    leaf = chain.leaf
    return Call(tool=tool, audience=AUDIENCE, arguments=arguments, idempotency_key=key, task=leaf.task, token=leaf.jti)


def called(
    texts: tuple[str, ...],
    tool: str,
    arguments: dict[str, JsonValue],
    *,
    by: SigningKey,
    now: int = NOW,
    proof: str | None = None,
) -> None:
    """A call as a gate checks it, short of revocation and of replay. Raises TokenError."""
    chain = read(texts)
    refusal = chain.refusal(now, issuers=ISSUERS, audience=AUDIENCE, tenant="default")
    if refusal is not None:
        raise refusal
    call = call_of(chain, tool, arguments)
    text = proof or prove(call, jti="proof-1", now=now, public=public(by), sign=by.sign)
    proven(text, call, holder=chain.holder, now=now, verify=verify)
    refusal = chain.granted(tool, arguments)
    if refusal is not None:
        raise refusal


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
