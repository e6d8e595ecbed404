"""Cosigners of both kinds are checked, and what cannot be checked has not signed."""

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from interlock.adapters import cosigners
from interlock.adapters.cosigners import can_check, check_cosigner
from interlock.domain.cosignature import MLDSA44, CosignerKey, cosignatures, cosigned_text, parse_cosigner, timestamped
from interlock.domain.note import Checkpoint, NoteError, parse_note, signature_line


def test_an_ml_dsa_cosignature_counts_like_any_other() -> None:
    """A key of type 6 travels as a vkey, and its signature counts for its own checkpoint, time and name alone."""
    private = MLDSA44PrivateKey.generate()
    key = CosignerKey(name="w.example/pq", public=private.public_key().public_bytes_raw(), kind=MLDSA44)
    checkpoint = Checkpoint(origin="a.example/log", size=7, root=bytes(32))
    signature = private.sign(cosigned_text(key, 9, checkpoint))
    assert parse_cosigner(key.vkey()) == key

    counted: list[bool] = []
    for at_s, body, signed in (
        (9, checkpoint.body(), signature),
        (8, checkpoint.body(), signature),
        (9, Checkpoint(origin="a.example/log", size=8, root=bytes(32)).body(), signature),
        (9, checkpoint.body(), signature[:-1] + bytes([signature[-1] ^ 1])),
    ):
        line = signature_line(key.name, key.key_id(), timestamped(at_s, signed))
        try:
            found = cosignatures(parse_note(body + b"\n" + line), [key], check_cosigner)
        except NoteError:
            counted.append(False)
        else:
            counted.append([each.at_s for each in found] == [9])
    assert counted == [True, False, False, False]


def test_what_cannot_be_checked_has_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library a key of type 6 is said to be beyond us, and none of its signatures counts."""
    monkeypatch.setattr(cosigners, "_mldsa", lambda: None)
    private = MLDSA44PrivateKey.generate()
    key = CosignerKey(name="w", public=private.public_key().public_bytes_raw(), kind=MLDSA44)

    assert not can_check(MLDSA44)
    assert not check_cosigner(key, b"said", private.sign(b"said"))
