"""A task token: one link of a chain, saying within what its holder may act in one task.

A profile of attenuating agent tokens (draft-niyikiza-oauth-attenuating-agent-tokens), which say authority as RFC 9396 does:
JWS of `domain/jws.py` with `typ` `aat+jwt`. The root is signed by the control plane, every other by the key that its parent
names in `cnf` (RFC 7800). Times are whole seconds since 1970, as RFC 7519 has them; everywhere else here they are milliseconds.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal

import msgspec

from interlock.domain.canonical import MAX_INTEGER
from interlock.domain.grant import Grant, GrantError, Tools, narrower, proper
from interlock.domain.jwk import THUMBPRINT_URI, Confirmation, b64
from interlock.domain.jws import Form

TYP: Final = "aat+jwt"

MAX_LIFE_S: Final = 15 * 60
DEFAULT_DEPTH: Final = 2
"""How often authority may be handed on unless the root says otherwise: to a sub-agent and to a sub-agent of that."""
MAX_DEPTH: Final = 8
SKEW_MS: Final = 30_000
"""By how much the clocks of two machines may differ."""
MAX_WORD: Final = 256
"""How many characters a claim that is a name may have."""
MAX_BUDGETS: Final = 16

Code = Literal[
    "token_malformed",
    "token_untrusted",
    "token_signature",
    "token_broken_link",
    "token_depth",
    "token_widened",
    "token_expired",
    "token_not_yet",
    "token_holder",
    "token_revoked",
    "token_not_granted",
    "proof_malformed",
    "proof_signature",
    "proof_other",
    "proof_time",
    "proof_replayed",
]
"""Why what was presented is refused; each is explained in docs/reference/task-tokens.md."""


class TokenError(ValueError):
    """What was presented is refused. Says why in a sentence for a person, and repeats nothing secret of it."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code: Code = code
        self.detail = detail


class Detail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is granted, as a member of RFC 9396's `authorization_details`."""

    tools: Tools
    type: Literal["attenuating_agent_token"] = "attenuating_agent_token"


class Token(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The claims. Building one checks what can be seen of a token alone; raises ValueError."""

    agent: str
    """The holder's name, as its file says it."""
    aud: str
    """The control plane it is for: its name in the trust domain."""
    authorization_details: tuple[Detail, ...]
    """Exactly one."""
    cnf: Confirmation
    """The holder's key, whose possession every call proves."""
    del_depth: int
    """0 of the root, one more of every child."""
    del_max_depth: int
    exp: int
    iat: int
    iss: str
    """The RFC 9278 thumbprint URI of the key that signed it: the control plane's of the root, else the parent's holder's."""
    jti: str
    root: str
    """The outermost task of the tree. The same in the whole chain."""
    sub: str
    """The initiator, on whose behalf all of it is done, by a pseudonym. The same in the whole chain."""
    task: str
    """The task in which the holder may act."""
    tenant: str
    budgets: dict[str, int] = {}
    """What may be drawn at most, by unit. Held by the control plane: a text cannot count."""
    par_hash: str = ""
    """SHA-256 of what the parent's signature is over, base64url. Only the root has none."""
    release: str = ""
    """The digest of the holder's release; empty where whoever handed on could not know it."""
    run: str = ""
    """The run the tree belongs to. The same in the whole chain."""
    work: str = ""
    """Digest of what the task is about (see `handover.py`), base64url; the root has none: its task is open."""

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem is not None:
            raise ValueError(problem)

    @property
    def grant(self) -> Grant:
        """What the holder may call."""
        return Grant(tools=self.authorization_details[0].tools)

    @property
    def holder(self) -> str:
        """The thumbprint of the holder's key."""
        return self.cnf.jwk.thumbprint


FORM: Final = Form(TYP, Token, exact=True)


def details(grant: Grant) -> tuple[Detail, ...]:
    """`grant` as the claim `authorization_details`."""
    return (Detail(tools=grant.tools),)


def issuer(signer: str) -> str:
    """The `iss` of what the key with thumbprint `signer` signs."""
    return THUMBPRINT_URI + signer


def hash_of(signing_input: bytes) -> str:
    """The `par_hash` that a child of a token carries; `signing_input` is the token up to its second dot."""
    return b64(sha256(signing_input).digest())


def link_refusal(child: Token, parent: Token, parent_hash: str, limits: Mapping[str, int]) -> TokenError | None:
    """Why `child` is no narrower child of `parent`, or None. The signature is the caller's to check.

    `limits` is the least that any token so far names for each unit: a parent that is silent about one lifts nothing.

    I1 it is signed for by the parent's holder and I5 names this very parent; I2 it stands one deeper, within the depth
    allowed, which it does not raise; I3 it begins and ends within the parent's life; I4 it grants nothing that the parent does
    not, and draws no more; what the whole tree is for stays. I6, that its holder proves possession, is checked with each call.
    """
    if child.iss != issuer(parent.holder):
        return TokenError("token_broken_link", "a token is not issued by the holder of the one before it")
    if child.par_hash != parent_hash:
        return TokenError("token_broken_link", "a token was not derived from the one before it")
    if child.del_depth != parent.del_depth + 1:
        return TokenError("token_depth", "a token does not stand one deeper than the one before it")
    if child.del_max_depth > parent.del_max_depth:
        return TokenError("token_depth", "a token may be handed on more often than the one before it")
    if child.exp > parent.exp:
        return TokenError("token_widened", "a token lives longer than the one before it")
    if child.iat < parent.iat:
        return TokenError("token_widened", "a token is older than the one before it")
    for name in ("tenant", "aud", "sub", "root", "run"):
        if getattr(child, name) != getattr(parent, name):
            return TokenError("token_widened", f"`{name}` of a token is not that of the one before it")
    for unit, amount in child.budgets.items():
        most = limits.get(unit, amount)
        if amount > most:
            return TokenError(
                "token_widened", f"a token may draw more `{unit}` than one before it: {amount}, not {most}"
            )
    words = narrower(child.grant, parent.grant)
    return (
        None if words is None else TokenError("token_widened", f"a token grants more than the one before it: {words}")
    )


def time_refusal(token: Token, now: int) -> TokenError | None:
    """Why `token` is not in force at `now` (milliseconds), clocks being allowed to differ by SKEW_MS, or None."""
    if now >= token.exp * 1000 + SKEW_MS:
        return TokenError("token_expired", "the task token has expired")
    if now < token.iat * 1000 - SKEW_MS:
        return TokenError("token_not_yet", "the task token is from the future: the clocks differ by more than 30 s")
    return None


def _problem(token: Token) -> str | None:
    """What is wrong with the claims of one token, seen alone."""
    if len(token.authorization_details) != 1:
        return "a token grants by exactly one member of authorization_details"
    for word in (token.agent, token.aud, token.iss, token.jti, token.root, token.sub, token.task, token.tenant):
        if not 0 < len(word) <= MAX_WORD:
            return f"a name has between 1 and {MAX_WORD} characters"
    for word in (token.par_hash, token.release, token.run, token.work):
        if len(word) > MAX_WORD:
            return f"a name has at most {MAX_WORD} characters"
    if not 0 < token.exp - token.iat <= MAX_LIFE_S or not 0 <= token.iat <= MAX_INTEGER - MAX_LIFE_S:
        return f"a token lives for at most {MAX_LIFE_S} seconds"
    if not 0 <= token.del_depth <= token.del_max_depth <= MAX_DEPTH:
        return f"a token stands deeper than it may, which is at most {MAX_DEPTH}"
    if (token.del_depth == 0) != (token.par_hash == ""):
        return "only the root has no parent"
    if len(token.budgets) > MAX_BUDGETS or not all(map(proper, token.budgets)):
        return f"a token has more than {MAX_BUDGETS} budgets, or one without a proper name"
    if any(not 0 <= amount <= MAX_INTEGER for amount in token.budgets.values()):
        return "a budget is below nothing or beyond 2^53 - 1"
    try:
        _ = token.grant
    except GrantError as error:
        return str(error)
    return None
