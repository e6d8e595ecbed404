"""Proof that a call comes from whoever holds the key of a task token or credential, and is this very call.

A JWS of `domain/jws.py` with `typ` `pop+jwt`, made anew for each call: it names the tool, the control plane, the task, the
last token of the chain, and the digests of the arguments as the program gave them and of the idempotency key. Taken from one
call it fits no other; that it is used once only is for whoever remembers `jti` to see.
"""

from hashlib import sha256
from typing import Final

import msgspec

from interlock.domain.canonical import MAX_INTEGER, CanonicalError, JsonValue, encode
from interlock.domain.jwk import b64, thumbprint
from interlock.domain.jws import Form, JwsError, NotSigned, Sign, Verify
from interlock.domain.token import MAX_WORD, SKEW_MS, TokenError

TYP: Final = "pop+jwt"
REMEMBER_MS: Final = 2 * SKEW_MS + 1000
"""How long the `jti` of a proof must be remembered: as long as its time, which is in seconds, would still be believed."""


class Proof(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The claims."""

    args: str
    """SHA-256 of the canonical arguments as the program gave them, base64url."""
    aud: str
    """The control plane the call is made to."""
    iat: int
    """When it was made: seconds since 1970."""
    jti: str
    """Unlike that of any other proof by this key."""
    tool: str
    """The contract that is called."""
    key: str = ""
    """SHA-256 of the idempotency key, base64url; empty where the call has none."""
    task: str = ""
    """The task in which the call is made; empty of a call that is in none."""
    token: str = ""
    """The `jti` of the last token of the chain that is presented; empty where none is."""

    def __post_init__(self) -> None:
        if not 0 < len(self.jti) <= MAX_WORD:
            raise ValueError(f"a name has between 1 and {MAX_WORD} characters")
        if not 0 <= self.iat <= MAX_INTEGER:
            raise ValueError("no time of ours")


FORM: Final = Form(TYP, Proof, exact=True)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof is about."""

    tool: str
    audience: str
    arguments: JsonValue
    """As the program gave them, before the contract completes them."""
    idempotency_key: str = ""
    task: str = ""
    token: str = ""


def prove(call: Call, *, jti: str, now: int, public: bytes, sign: Sign) -> str:
    """The proof of `call`, made at `now` (milliseconds) with the key `public`. CanonicalError if the arguments have no form."""
    args, key = _digests(call)
    claims = Proof(
        args=args,
        aud=call.audience,
        iat=now // 1000,
        jti=jti,
        tool=call.tool,
        key=key,
        task=call.task,
        token=call.token,
    )
    return FORM.sign(claims, kid=thumbprint(public), sign=sign)


def proven(text: str, call: Call, *, holder: bytes, now: int, verify: Verify) -> Proof:
    """The proof that `text` is of `call` by the key `holder`, if it is. Raises TokenError.

    That its `jti` was never seen is left to be checked, for REMEMBER_MS after `iat` at least.
    """
    try:
        signed = FORM.parse(text)
        if signed.header.kid != thumbprint(holder):
            raise TokenError("proof_signature", "the proof is made with another key than that of the token's holder")
        proof = FORM.claims(signed, holder, verify)
    except NotSigned:
        raise TokenError("proof_signature", "the proof is not signed by the token's holder") from None
    except JwsError:
        raise TokenError("proof_malformed", "the proof of possession is not in form") from None
    try:
        args, key = _digests(call)
    except CanonicalError:
        raise TokenError("proof_other", "the arguments have no form that a proof could be about") from None
    for said, is_so, words in (
        (proof.tool, call.tool, "tool"),
        (proof.aud, call.audience, "control plane"),
        (proof.task, call.task, "task"),
        (proof.token, call.token, "task token"),
        (proof.args, args, "arguments"),
        (proof.key, key, "idempotency key"),
    ):
        if said != is_so:
            raise TokenError("proof_other", f"the proof was made for another call: its {words} differ")
    if abs(now // 1000 - proof.iat) * 1000 > SKEW_MS:
        raise TokenError("proof_time", f"the proof was not made within {SKEW_MS // 1000} s of now, by the clock here")
    return proof


def _digests(call: Call) -> tuple[str, str]:
    args = b64(sha256(encode(call.arguments)).digest())
    return args, b64(sha256(call.idempotency_key.encode()).digest()) if call.idempotency_key else ""
