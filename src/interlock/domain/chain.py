"""A chain of task tokens, root first: each signed by the holder of the one before it, and each narrower.

What a chain says of itself (signatures, links, narrowing) can never change and is verified once for a text. What can change
is asked on every call: whether its root's key still counts, times, revocation, and the proof of who presents it. Nothing of the
latter is ever kept with the former.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.grant import Grant
from interlock.domain.ids import Digest
from interlock.domain.jwk import thumbprint
from interlock.domain.jws import MAX_BYTES, JwsError, NotSigned, Signed, Verify
from interlock.domain.token import FORM, MAX_DEPTH, Token, TokenError, hash_of, issuer, link_refusal, time_refusal

MAX_CHAIN_BYTES: Final = 48 * 1024
"""All texts together; each is at most 16 KiB."""

Issuers = Mapping[str, bytes]
"""The keys that may sign a root, by their thumbprint: those of the control plane that count now."""


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A chain that holds together. Made by `verified`, and for its own holder by `unverified`, and by nothing else."""

    tokens: tuple[Token, ...]
    """The root first."""
    digest: Digest
    """Of its texts, as `digest_of` makes it: by this it may be kept."""
    signer: str
    """The thumbprint of the key that signed the root."""
    holders: tuple[str, ...]
    """The thumbprint of each token's holder."""
    hash: str
    """What a child of the last token must carry as `par_hash`."""
    grant: Grant
    """What the last token grants, and so each before it."""
    limits: dict[str, int]
    """The least that any token names for each unit."""

    @property
    def root(self) -> Token:
        """The first."""
        return self.tokens[0]

    @property
    def leaf(self) -> Token:
        """The last, whose holder presents the chain."""
        return self.tokens[-1]

    @property
    def holder(self) -> bytes:
        """The key whose possession must be proven: 32 bytes."""
        return self.leaf.cnf.jwk.public

    def refusal(self, now: int, *, issuers: Issuers, audience: str, tenant: str) -> TokenError | None:
        """Why the chain does not count now (`now` in milliseconds), or None. To be asked on every call."""
        if self.signer not in issuers:
            return TokenError(
                "token_untrusted", "the task token is not from this control plane, or from a key that no longer counts"
            )
        if self.root.aud != audience or self.root.tenant != tenant:
            return TokenError("token_untrusted", "the task token is for another control plane")
        for token in self.tokens:
            refusal = time_refusal(token, now)
            if refusal is not None:
                return refusal
        return None

    def granted(self, tool: str, arguments: Mapping[str, JsonValue]) -> TokenError | None:
        """Why a call is not granted, or None. That the last token grants no more than those before it was verified."""
        words = self.grant.admits(tool, arguments)
        return None if words is None else TokenError("token_not_granted", words)


def digest_of(texts: Sequence[str]) -> Digest:
    """The digest of a chain's texts. Raises TokenError where they are too many or too long to look at."""
    if not texts:
        raise TokenError("token_malformed", "there is no task token")
    if len(texts) > MAX_DEPTH + 1:
        raise TokenError("token_depth", f"{len(texts)} task tokens are more than {MAX_DEPTH + 1}")
    if any(len(text) > MAX_BYTES for text in texts) or sum(map(len, texts)) > MAX_CHAIN_BYTES:
        raise TokenError(
            "token_malformed", f"the task tokens are longer than {MAX_CHAIN_BYTES} bytes, or one than {MAX_BYTES}"
        )
    try:
        # Each with its length in front: the same characters cut elsewhere are another chain.
        return Digest(sha256("".join([f"{len(text)}:{text}" for text in texts]).encode("ascii")).hexdigest())
    except UnicodeEncodeError:
        raise TokenError("token_malformed", "a task token is not ASCII") from None


def verified(texts: Sequence[str], *, issuers: Issuers, verify: Verify) -> Chain:
    """The chain that `texts` are, root first, if every signature, link and narrowing holds. Raises TokenError.

    Sizes come before parsing, and of each token its signature before its claims: no claim of an unsigned text is ever read.
    """
    return _read(texts, issuers.get, verify)


def unverified(texts: Sequence[str]) -> Chain:
    """The chain as whoever holds it sees it, to hand it on: its links hold, no signature was looked at. Raises TokenError.

    Nobody is let in by it: what a holder makes of a forged one is refused where it is presented.
    """
    return _read(texts, None, lambda _key, _message, _signature: True)


def _read(texts: Sequence[str], issuer: Callable[[str], bytes | None] | None, verify: Verify) -> Chain:
    digest = digest_of(texts)
    tokens: list[Token] = []
    holders: list[str] = []
    limits: dict[str, int] = {}
    signer, before, key = "", "", b""
    for text in texts:
        signed = _parsed(text)
        if not tokens:
            signer = signed.header.kid
            trusted = b"" if issuer is None else issuer(signer)
            if trusted is None or (issuer is not None and thumbprint(trusted) != signer):
                raise TokenError("token_untrusted", "the first task token is not signed by this control plane")
            key = trusted
        elif signed.header.kid != holders[-1]:
            raise TokenError("token_broken_link", "a token is not signed by the holder of the one before it")
        token = _claims(signed, key, verify)
        refusal = root_refusal(token, signer) if not tokens else link_refusal(token, tokens[-1], before, limits)
        if refusal is not None:
            raise refusal
        # No amount is above what stands there, or it would have been refused.
        limits.update(token.budgets)
        tokens.append(token)
        holders.append(token.holder)
        before, key = hash_of(signed.signing_input), token.cnf.jwk.public
    return Chain(
        tokens=tuple(tokens),
        digest=digest,
        signer=signer,
        holders=tuple(holders),
        hash=before,
        grant=tokens[-1].grant,
        limits=limits,
    )


def root_refusal(token: Token, signer: str) -> TokenError | None:
    """Why `token` is no root signed by the key with thumbprint `signer`, or None."""
    if token.del_depth != 0:
        return TokenError("token_broken_link", "the first task token is not the root: one before it is missing")
    if token.iss != issuer(signer):
        return TokenError("token_untrusted", "the first task token does not name the key it is signed by")
    return None


def _parsed(text: str) -> Signed:
    try:
        return FORM.parse(text)
    except JwsError as error:
        raise TokenError("token_malformed", str(error)) from None


def _claims(signed: Signed, key: bytes, verify: Verify) -> Token:
    try:
        return FORM.claims(signed, key, verify)
    except NotSigned:
        raise TokenError("token_signature", "a task token is not signed by the key it should be") from None
    except JwsError:
        # What it does say is whoever's who signed it, and stands in no refusal.
        raise TokenError(
            "token_malformed", "a task token does not say what a task token must, or more than we know"
        ) from None
