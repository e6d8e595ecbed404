"""Our COSE receipts (RFC 9942), verified by scitt-cose."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlock.adapters.cose import CoseReceipts
from interlock.adapters.keys import SigningKey
from interlock.domain.merkle import inclusion_proof, root_of
from interlock.domain.note import VerifierKey
from interlock.services.inclusion import from_tiles
from tests.domain.logs import KEYS
from tests.foreign.files import SIZE, Files
from tests.foreign.programs import ask, brought

pytestmark = pytest.mark.proves("audit.receipts")
_HEADER = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes: RFC 8410, section 4."""
PLACES = (0, 1, 255, 256, 511, 512, SIZE - 1)


def _receipt(files: Files, index: int, key: SigningKey = KEYS.log) -> bytes:
    root = root_of([row.leaf_hash for row in files.log.rows])

    async def path() -> tuple[bytes, ...]:
        return tuple(await from_tiles(files.log, SIZE, lambda tree: inclusion_proof(index, SIZE, tree)))

    return CoseReceipts(key).receipt(index, SIZE, anyio.run(path), root)


def _said(key: VerifierKey, *asked: tuple[bytes, bytes]) -> list[list[Any]]:
    """What scitt-cose says of receipts, each for a leaf: whether it holds, where it failed, root, size and index."""
    encoded = b64encode(_HEADER + key.public).decode()
    given = {
        "key": f"-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n",
        "receipts": [{"receipt": receipt.hex(), "leaf": leaf.hex()} for receipt, leaf in asked],
    }
    script = Path(__file__).with_name("scitt_check.py")
    answer = ask(brought("scitt/bin/python"), "-I", script, given=json.dumps(given).encode())
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_scitt_cose_verifies_our_receipts(files: Files) -> None:
    """At the edges of tiles and of the log each receipt leads from its leaf to the root that the log's key signed."""
    root = root_of([row.leaf_hash for row in files.log.rows]).hex()

    found = _said(KEYS.log.verifier, *((_receipt(files, index), files.log.rows[index].leaf) for index in PLACES))

    assert found == [[True, None, root, SIZE, index] for index in PLACES]


def test_scitt_cose_rejects_another_entry(files: Files) -> None:
    """The receipt of one entry is none for the one beside it, nor for a leaf with one byte changed."""
    leaf, other = files.log.rows[255].leaf, files.log.rows[256].leaf
    receipt = _receipt(files, 255)

    found = _said(KEYS.log.verifier, (receipt, other), (receipt, leaf[:-1] + b" "), (_receipt(files, 256), leaf))

    assert [ok for ok, *_ in found] == [False, False, False]


def test_scitt_cose_rejects_another_key(files: Files) -> None:
    """Neither a receipt that the gate's key signed, nor one with any byte of it changed, is one of this log: but for the
    size it names, which RFC 9942 does not sign. The root it leads to is the signed one, whatever size stands there."""
    leaf, receipt = files.log.rows[5].leaf, _receipt(files, 5)
    worked = [receipt[:n] + bytes([receipt[n] ^ 1]) + receipt[n + 1 :] for n in range(len(receipt))]

    (strange,) = _said(KEYS.log.verifier, (_receipt(files, 5, KEYS.gate), leaf))
    found = _said(KEYS.log.verifier, *((each, leaf) for each in worked))

    assert strange[:2] == [False, "signature"]
    root = root_of([row.leaf_hash for row in files.log.rows]).hex()
    taken = [each for each in found if each[0]]
    assert {(signed, index) for _, _, signed, _, index in taken} == {(root, 5)}
    assert len(taken) <= 2  # bytes in which the size is written
    assert SIZE not in {size for _, _, _, size, _ in taken}
