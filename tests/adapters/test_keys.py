"""Key files: made once and whole, private, interchangeable with Go's, and refused with words when anything is off."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey as Oracle

from interlock.adapters.keys import KeyFolder, SigningKey, fresh, verify
from interlock.domain.errors import KeyFileError
from interlock.domain.note import parse_note, parse_vkey, signature_line, verify_note

ORIGIN = "shop.example/log"

# The example in the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> KeyFolder:
    made = KeyFolder(tmp_path / "state" / "keys")
    made.create(ORIGIN)
    return made


def _refusal(folder: KeyFolder) -> str:
    with pytest.raises(KeyFileError) as caught:
        folder.load()
    return caught.value.detail


def test_what_was_made_is_what_is_loaded(tmp_path: Path) -> None:
    """The keys that `create` gives are those that the folder holds, and they sign what their public halves verify."""
    folder = KeyFolder(tmp_path / "keys")
    made = folder.create(ORIGIN)

    loaded = folder.load()
    assert (loaded.log.line(), loaded.gate.line()) == (made.log.line(), made.gate.line())
    assert folder.public() == (made.log.verifier, made.gate.verifier)
    assert (made.log.verifier.name, made.gate.verifier.name) == (ORIGIN, f"{ORIGIN}/gate")
    assert verify(loaded.gate.verifier.public, b"said", made.gate.sign(b"said"))


def test_a_key_of_go_signs_as_in_go(folder: KeyFolder) -> None:
    """The private key printed in the documentation of Go's note package is read, and gives the signature printed there."""
    for name in ("log.key", "gate.key"):
        (folder.path / name).write_text(GO_KEY + "\n")
    for name in ("log.pub", "gate.pub"):
        (folder.path / name).write_text(GO_VKEY + "\n")

    key = folder.load().log
    line = signature_line(key.verifier.name, key.verifier.key_id(), key.sign(GO_TEXT))
    assert line == GO_LINE
    verify_note(parse_note(GO_TEXT + b"\n" + line), parse_vkey(GO_VKEY), verify)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), flip=st.integers(0, 511))
def test_signatures_are_ed25519(seed: bytes, message: bytes, flip: int) -> None:
    """Signatures are those of the reference interface, verify, and do not once a single bit differs."""
    key = SigningKey("any", seed)
    signature = key.sign(message)

    broken = bytearray(signature)
    broken[flip // 8] ^= 1 << flip % 8
    assert signature == Oracle(seed).sign(message).signature
    assert verify(key.verifier.public, message, signature)
    assert not verify(key.verifier.public, message, bytes(broken))
    assert not verify(key.verifier.public, message + b".", signature)


@pytest.mark.parametrize(("public", "signature"), [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(32), b"short")])
def test_verify_says_no_to_what_is_no_key_and_no_signature(public: bytes, signature: bytes) -> None:
    """Keys and signatures of the wrong length do not verify, and raise nothing."""
    assert not verify(public, b"said", signature)


@pytest.mark.proves("evidence.keys_private")
def test_private_files_are_private_under_any_umask(tmp_path: Path) -> None:
    """The folder is its owner's alone and so are the private files, even where new files are open to everybody."""
    before = os.umask(0)
    try:
        KeyFolder(tmp_path / "keys").create(ORIGIN)
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert (modes["log.key"], modes["gate.key"]) == (0o600, 0o600)


@pytest.mark.proves("evidence.keys_kept")
def test_keys_are_never_overwritten(folder: KeyFolder) -> None:
    """A second `create` is refused, leaves the first keys as they were and nothing beside them."""
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    with pytest.raises(KeyFileError, match="never overwritten"):
        folder.create(ORIGIN)

    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before
    assert list(folder.path.parent.iterdir()) == [folder.path]


def test_keys_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    """Where a file stands in the way of the folder, `create` says so and leaves nothing."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(KeyFileError, match="cannot be made"):
        KeyFolder(tmp_path / "file" / "keys").create(ORIGIN)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak"])
def test_a_log_has_a_name_that_fits_on_a_line(tmp_path: Path, origin: str) -> None:
    """Names that no note could carry are refused before anything is written."""
    with pytest.raises(KeyFileError, match="cannot name a log"):
        KeyFolder(tmp_path / "keys").create(origin)
    assert list(tmp_path.iterdir()) == []


def test_no_private_key_is_printed(folder: KeyFolder) -> None:
    """Neither key nor pair shows its secret when printed, as a log or a traceback would."""
    keys = folder.load()

    for key in (keys.log, keys.gate):
        secret = key.line().split("+", 4)[4]
        assert secret not in f"{keys!r} {key!r} {key}"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """Without a folder the error names it."""
    assert "there is no key folder" in _refusal(KeyFolder(tmp_path / "none"))


@pytest.mark.proves("evidence.key_errors")
@pytest.mark.parametrize("name", ["log.key", "gate.key", "log.pub", "gate.pub"])
def test_a_missing_file_is_named(folder: KeyFolder, name: str) -> None:
    """Whichever file is missing, the error names that one."""
    (folder.path / name).unlink()

    assert name in _refusal(folder)
    assert "is missing" in _refusal(folder)


@pytest.mark.proves("evidence.key_errors")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_key_that_others_may_read_or_write_is_refused(folder: KeyFolder, mode: int) -> None:
    """Any right of group or world on a private file refuses it, and the error says how to mend that."""
    (folder.path / "gate.key").chmod(mode)

    with pytest.raises(KeyFileError, match=rf"gate\.key` \(mode {mode:04o}\)") as caught:
        folder.load()
    assert "chmod 600" in caught.value.next_step


def test_a_folder_that_others_may_change_is_refused(folder: KeyFolder) -> None:
    """Who may write the folder may exchange the keys in it."""
    folder.path.chmod(0o770)

    assert "others may exchange" in _refusal(folder)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "no newline": lambda line: line[:-1],
    "two lines": lambda line: line * 2,
    "not text": lambda _: b"\xff\xfe\n",
    "a public key": lambda _: GO_VKEY.encode() + b"\n",
    "no base64": lambda line: line[:-10] + b"*********\n",
    "cut short": lambda line: line[:-9] + b"\n",
    # Base64 may hold plus signs too: the first four separate.
    "another seed": lambda line: b"+".join(
        [*line.split(b"+", 4)[:4], b"AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n"]
    ),
    "another name": lambda line: line.replace(b"shop.", b"shup."),
    "an impossible name": lambda line: line.replace(b"shop.", b"sh p."),
    "endless": lambda _: b"P" * 100_000 + b"\n",
}


@pytest.mark.proves("evidence.key_errors")
@pytest.mark.parametrize("name", ["log.key", "gate.key"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_private_key_is_refused(folder: KeyFolder, name: str, how: str) -> None:
    """No damage to a private file is passed over, and the error names the file without showing what is in it."""
    path = folder.path / name
    path.write_bytes(DAMAGE[how](path.read_bytes()))

    said = _refusal(folder)
    assert name in said
    assert "AYEK" not in said


@pytest.mark.parametrize("how", ["another seed", "another name"])
def test_a_damaged_key_is_told_from_an_exchanged_one(folder: KeyFolder, how: str) -> None:
    """A private key that is not the one its line was written for is damaged, whatever stands in the public file."""
    path = folder.path / "gate.key"
    path.write_bytes(DAMAGE[how](path.read_bytes()))

    assert "key id does not belong to it" in _refusal(folder)


def test_a_folder_in_place_of_a_file_is_refused(folder: KeyFolder) -> None:
    """What cannot be read as a file is an error of the key, not of Python."""
    (folder.path / "log.key").unlink()
    (folder.path / "log.key").mkdir(mode=0o700)

    assert "log.key" in _refusal(folder)


@pytest.mark.proves("evidence.key_errors")
def test_halves_of_two_pairs_are_refused(folder: KeyFolder) -> None:
    """A public key that does not belong to the private one beside it would send verifiers after the wrong key."""
    (folder.path / "log.pub").write_text(fresh(ORIGIN).verifier.vkey() + "\n")

    assert "not one pair" in _refusal(folder)


def test_a_damaged_public_key_is_refused(folder: KeyFolder) -> None:
    """A public key whose id does not belong to it is refused, to whoever signs and to whoever only verifies."""
    path = folder.path / "gate.pub"
    path.write_text(path.read_text().replace("shop.", "shup."))

    assert "gate.pub` is not a public key" in _refusal(folder)
    with pytest.raises(KeyFileError):
        folder.public()
