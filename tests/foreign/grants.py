"""The grants of a delegation corpus as chains of our task tokens, presented to our checks."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import msgspec

from interlock.adapters.keys import SigningKey, verify
from interlock.domain import dsse
from interlock.domain.jwk import jwk, thumbprint
from interlock.domain.possession import prove, proven
from interlock.domain.revocation import Revocation, marks, revoked
from interlock.domain.token import TokenError, hash_of, issuer
from tests.domain.delegations import (
    AUDIENCE,
    ISSUERS,
    NOW,
    PLANE,
    call_of,
    forged,
    parts,
    public,
    read,
    refunds,
    rooted,
)

_ROOT = parts(rooted(refunds()))[1]
_CALL: dict[str, Any] = {"amount": 1, "currency": "EUR", "order": "o-1"}


class Case:
    """The records of one case. Signatures are theirs until a grant is written as a token of ours."""

    def __init__(self, folder: Path) -> None:
        case = json.loads((folder / "case.json").read_text())
        self.root = case["policy"]["roots"][0]
        envelopes = [json.loads((folder / name).read_text()) for name in case["records"]]
        said = [(json.loads(b64decode(each["payload"])), each) for each in envelopes]
        self._keys = {one["keyid"]: b64decode(one["public_key"]) for one, _ in said if one["type"] == "registration"}
        self._names = {one["keyid"]: one["identifier"] for one, _ in said if one["type"] == "registration"}
        self.grants = {one["grant_id"]: one for one, _ in said if one["type"] == "grant"}
        self.unsigned = {
            one["grant_id"] for one, by in said if one["type"] == "grant" and not self._by(by, one["issuer"])
        }
        self.revocations = [
            one for one, by in said if one["type"] == "revocation" and self._by(by, one["initiator"]) and self._may(one)
        ]
        self.presented = json.loads(b64decode(json.loads((folder / case["presentation"]).read_text())["payload"]))

    def _by(self, envelope: dict[str, Any], name: str) -> bool:
        """Whether an envelope is signed by the key registered for `name`."""
        message = dsse.pae(envelope["payloadType"], b64decode(envelope["payload"]))
        return any(
            self._names.get(each["keyid"]) == name
            and verify(self._keys[each["keyid"]], message, b64decode(each["sig"]))
            for each in envelope["signatures"]
        )

    def _may(self, revocation: dict[str, Any]) -> bool:
        """Whether who revokes stands above the grant. With us people revoke, and their roles say which."""
        above, grant = set[str](), self.grants.get(revocation["grant_id"])
        while grant is not None:
            above.add(grant["issuer"])
            grant = self.grants.get(grant["parent"])
        return revocation["initiator"] in above


def judged(folder: Path) -> Literal["accept", "reject"]:
    """What our checks say of a call under the chain that the case presents."""
    case = Case(folder)
    said = case.presented
    texts = tuple(_token(case, name) for name in said["chain"])
    orders = [
        Revocation(kind="token", name=each["grant_id"], since_at=NOW)
        for each in case.revocations
        if each["effective_at"] <= said["observed_at"]
    ]
    key = _key(said["presenter"])
    try:
        chain = read(texts)
        call = call_of(chain, "shop.refund", _CALL)
        proof = prove(call, jti="p", now=NOW, public=public(key), sign=key.sign)
        proven(proof, call, holder=chain.holder, now=NOW, verify=verify)
    except TokenError:
        return "reject"
    refusal = chain.refusal(NOW, issuers=ISSUERS, audience=AUDIENCE, tenant="default")
    granted = chain.granted("shop.refund", _CALL) is None
    return "accept" if refusal is None and granted and revoked(orders, marks(chain)) is None else "reject"


def _token(case: Case, name: str) -> str:
    """A grant as a token, below the one it names as its parent."""
    grant = case.grants[name]
    by = PLANE if grant["issuer"] == case.root else _key(grant["issuer"])
    claims = {
        **_ROOT,
        "agent": grant["delegate"],
        "cnf": {"jwk": msgspec.to_builtins(jwk(public(_key(grant["delegate"]))))},
        "iss": issuer(thumbprint(public(by))),
        "jti": name,
        "task": name,
        "del_max_depth": 8,
    }
    if grant["parent"] is not None:
        above = _token(case, grant["parent"])
        claims |= {
            "del_depth": parts(above)[1]["del_depth"] + 1,
            "par_hash": hash_of(above.rpartition(".")[0].encode()),
        }
    text = forged(claims, by)
    return f"{text[:-8]}AAAAAAAA" if name in case.unsigned else text


def _key(name: str) -> SigningKey:
    return SigningKey("holder", sha256(name.encode()).digest())
