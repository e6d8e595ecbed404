"""COSE receipts: RFC 9942 over the log's own tree, which is that of RFC 9162 (vds 1, RFC9162_SHA256).

A receipt is a COSE_Sign1 (RFC 9052, tag 18): protected are the algorithm EdDSA (-8), the key's id, the CWT claims issuer and
subject, and the kind of tree (395: 1); unprotected (396) is the inclusion proof; the payload is the root, and detached. The key
is the log's own, Ed25519: its id is the one of its vkey.
"""

from collections.abc import Sequence
from typing import Final

import cbor2

from interlock.adapters.keys import SigningKey
from interlock.domain import dsse
from interlock.domain.keyring import keyid

_EDDSA: Final = -8
_ALG, _KID, _CLAIMS, _TREE, _PROOFS = 1, 4, 15, 395, 396
_RFC9162_SHA256: Final = 1
_INCLUSION: Final = -1
_SIGN1: Final = 18


class CoseReceipts:
    """Receipts of one log."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def receipt(self, index: int, size: int, path: Sequence[bytes], root: bytes) -> bytes:
        """See `Receipts.receipt`."""
        verifier = self._key.verifier
        protected = cbor2.dumps(
            {
                _ALG: _EDDSA,
                _KID: verifier.key_id(),
                _CLAIMS: {1: verifier.name, 2: f"entry {index}"},
                _TREE: _RFC9162_SHA256,
            },
            canonical=True,
        )
        signed = cbor2.dumps(["Signature1", protected, b"", root], canonical=True)
        proof = cbor2.dumps([size, index, list(path)], canonical=True)
        parts = [protected, {_PROOFS: {_INCLUSION: [proof]}}, None, self._key.sign(signed)]
        return cbor2.dumps(cbor2.CBORTag(_SIGN1, parts), canonical=True)

    def envelope(self, payload: bytes) -> bytes:
        """See `Receipts.envelope`. What the log's key signs there is never an entry: those are the gate's."""
        signed = dsse.Signature(keyid=keyid(self._key.verifier), sig=self._key.sign(dsse.pae(dsse.IN_TOTO, payload)))
        return dsse.encode(dsse.Envelope(payload=payload, payload_type=dsse.IN_TOTO, signatures=(signed,)))
