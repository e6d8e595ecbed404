"""How task tokens come to be: the root from the control plane, a child from the holder of its parent.

Nothing is written here that would be refused when it is presented: both ways end in the checks that verification makes.
"""

from collections.abc import Mapping

import msgspec

from interlock.domain.chain import Chain, root_refusal
from interlock.domain.grant import Grant
from interlock.domain.jwk import Confirmation, jwk
from interlock.domain.jws import Sign
from interlock.domain.token import (
    DEFAULT_DEPTH,
    FORM,
    MAX_DEPTH,
    MAX_LIFE_S,
    Token,
    TokenError,
    details,
    issuer,
    link_refusal,
)


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to hold a token."""

    agent: str
    """By the name in its file."""
    key: bytes
    """Its instance's public key: 32 bytes."""
    release: str = ""


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """What every token of one tree of tasks says alike."""

    audience: str
    tenant: str
    root: str
    """The outermost task."""
    initiator: str
    """By a pseudonym: tokens are seen by more people than may know who it is."""
    run: str = ""


def minted(
    tree: Tree,
    holder: Holder,
    grant: Grant,
    *,
    task: str,
    jti: str,
    now: int,
    ends_at: int,
    kid: str,
    sign: Sign,
    budgets: Mapping[str, int] | None = None,
    max_depth: int = DEFAULT_DEPTH,
) -> str:
    """The text of a root for `holder`, signed by the control plane's key with thumbprint `kid`.

    `now` and `ends_at` are milliseconds; it ends with the task, and 15 minutes from now at the latest. TokenError where
    nothing is left of the time, or the claims are none of a token.
    """
    begins = now // 1000
    root = _built(
        agent=holder.agent,
        aud=tree.audience,
        authorization_details=details(grant),
        cnf=Confirmation(jwk=jwk(holder.key)),
        del_depth=0,
        del_max_depth=max_depth,
        exp=min(begins + MAX_LIFE_S, ends_at // 1000),
        iat=begins,
        iss=issuer(kid),
        jti=jti,
        root=tree.root,
        sub=tree.initiator,
        task=task,
        tenant=tree.tenant,
        budgets=dict(budgets or {}),
        release=holder.release,
        run=tree.run,
    )
    refusal = root_refusal(root, kid)
    if refusal is not None:
        raise refusal
    return FORM.sign(root, kid=kid, sign=sign)


def derived(
    chain: Chain,
    holder: Holder,
    grant: Grant,
    *,
    task: str,
    jti: str,
    now: int,
    sign: Sign,
    lasts_ms: int = MAX_LIFE_S * 1000,
    budgets: Mapping[str, int] | None = None,
    max_depth: int = MAX_DEPTH,
    work: str = "",
) -> str:
    """The text of a child below the last token of `chain`, signed with that one's holder's key: no control plane is asked.

    It ends with its parent at the latest, and may be handed on no more often. Raises TokenError where it would grant more
    than its parent, stand too deep, or have no time left.
    """
    parent = chain.leaf
    # The holder's clock may be behind the one that wrote the parent.
    begins = max(now // 1000, parent.iat)
    child = _built(
        agent=holder.agent,
        aud=parent.aud,
        authorization_details=details(grant),
        cnf=Confirmation(jwk=jwk(holder.key)),
        del_depth=parent.del_depth + 1,
        del_max_depth=min(max_depth, parent.del_max_depth),
        exp=min(begins + lasts_ms // 1000, begins + MAX_LIFE_S, parent.exp),
        iat=begins,
        iss=issuer(parent.holder),
        jti=jti,
        root=parent.root,
        sub=parent.sub,
        task=task,
        tenant=parent.tenant,
        budgets=dict(budgets or {}),
        par_hash=chain.hash,
        release=holder.release,
        run=parent.run,
        work=work,
    )
    refusal = link_refusal(child, parent, chain.hash, chain.limits)
    if refusal is not None:
        raise refusal
    return FORM.sign(child, kid=chain.holders[-1], sign=sign)


def _built(*, iat: int, exp: int, del_depth: int, del_max_depth: int, **claims: object) -> Token:
    if del_depth > del_max_depth:
        raise TokenError("token_depth", "this task may not be handed on any further")
    if exp <= iat:
        raise TokenError("token_expired", "nothing is left of the time of which a token could be given")
    try:
        return msgspec.convert(
            {"iat": iat, "exp": exp, "del_depth": del_depth, "del_max_depth": del_max_depth, **claims}, Token
        )
    except msgspec.ValidationError as error:
        raise TokenError("token_malformed", f"no task token can say this: {error}") from None
