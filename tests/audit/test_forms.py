"""What the stand-alone verifier reads has one form: each departure from it is refused with its own words."""

from base64 import b64encode
from collections.abc import Callable

import pytest

import interlock_verify as alone
from interlock_verify import COSIGNATURE, ED25519, HASH, MAX_NOTE, MAX_SIGNATURES, MAX_SIZE, Key, Wrong

KEY = Key("some.example/log", ED25519, bytes(range(32)))
WITNESS = Key("w.example/w1", COSIGNATURE, bytes(range(1, 33)))
SIGNATURE = f"\N{EM DASH} {KEY.name} {b64encode(KEY.id() + bytes(64)).decode()}\n"
ROOT = b64encode(bytes(HASH)).decode()


def note(text: str = "one\ntwo\n", signatures: str = SIGNATURE) -> bytes:
    """A note of that text, signed by nobody's true signature."""
    return f"{text}\n{signatures}".encode()


def test_what_is_in_its_form_is_read() -> None:
    """A key, a note, a checkpoint, a policy and a tile of entries, as they are written."""
    assert alone.key_of(KEY.line()) == KEY
    assert alone.note_of(note()).text == b"one\ntwo\n"
    assert alone.checkpoint_of(f"some.example/log\n7\n{ROOT}\n".encode()).size == 7
    assert alone.policy_of(f"witness w {WITNESS.line()}\nquorum w\n").quorum == "w"
    assert alone.entries_of(b"\x00\x01a\x00\x00", 2) == [b"a", b""]


def _key(data: bytes, name: str = "some.example/log", key_id: str = "00000000") -> Callable[[], object]:
    return lambda: alone.key_of(f"{name}+{key_id}+{b64encode(data).decode()}")


def _note(data: bytes) -> Callable[[], object]:
    return lambda: alone.note_of(data)


def _head(text: str) -> Callable[[], object]:
    return lambda: alone.checkpoint_of(text.encode())


def _policy(text: str) -> Callable[[], object]:
    return lambda: alone.policy_of(text)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (_key(b""), "not a key of a kind"),
    (_key(bytes([ED25519]) + bytes(31)), "not a key of a kind"),
    (_key(bytes([0x55]) + bytes(32)), "not a key of a kind"),
    (_key(bytes([ED25519]) + bytes(32)), "does not belong to it"),
    (lambda: alone.key_of("a+b"), "name+id+base64"),
    (_note(b"x" * MAX_NOTE + note()), "too long"),
    (_note(b"one\ntwo\n"), "not a text, an empty line"),
    (_note(note()[:-1]), "not a text, an empty line"),
    (_note(note(signatures=SIGNATURE * (MAX_SIGNATURES + 1))), "too many signatures"),
    (_note(note(text="a\rb\n")), "control characters"),
    (_note(note(signatures=SIGNATURE.replace("\N{EM DASH}", "-"))), "a signature line reads"),
    (_note(note(signatures=f"\N{EM DASH} {KEY.name} AAAA\n")), "too short"),
    (_note(b"\xff\n\n" + SIGNATURE.encode()), "not UTF-8"),
    (_head(f"some.example/log\n7\n{ROOT}\nmore\n"), "exactly three lines"),
    (_head(f"some.example/log\n7\n{ROOT}"), "exactly three lines"),
    (_head(f"two words\n7\n{ROOT}\n"), "exactly three lines"),
    (_head("some.example/log\n7\nAAAA\n"), "32 bytes"),
    (_head(f"some.example/log\n{MAX_SIZE + 1}\n{ROOT}\n"), "more than this program reads"),
    (_head(f"some.example/log\n07\n{ROOT}\n"), "decimal digits"),
    (_policy(f"witness w {KEY.line()}\nquorum w\n"), "not the key of a witness"),
    (_policy(f"witness w {WITNESS.line()}\nwitness v {WITNESS.line()}\nquorum w\n"), "there twice"),
    (_policy(f"witness w {WITNESS.line()}\n"), "does not say its quorum"),
    (_policy(f"witness w {WITNESS.line()}\ngroup g 2 w\nquorum g\n"), "cannot be met"),
    (_policy("group g any w\nquorum g\n"), "does not stand above it"),
    (_policy("quorum nobody\n"), "no line of a policy"),
    (lambda: alone.entries_of(b"\x00\x01a", 2), "holds 1 entries, not 2"),
    (lambda: alone.entries_of(b"\x00\x01a\x00\x01b", 1), "holds 2 entries, not 1"),
    (lambda: alone.entries_of(b"\x00\x02a", 1), "cut off"),
    (lambda: alone.strict(b'{"n":' + b"9" * 401 + b"}"), "too long"),
    (lambda: alone.strict(b'{"n":1,"n":1}'), "given twice"),
    (lambda: alone.strict(b'{"n":1.0}'), "no whole number"),
]


@pytest.mark.parametrize(("read", "says"), REFUSED, ids=range(len(REFUSED)))
def test_each_departure_has_its_own_words(read: Callable[[], object], says: str) -> None:
    """A reader of the verdict learns what is wrong with a key, a note, a head, a policy or an entry, not only that it is."""
    with pytest.raises(Wrong, match=says.replace("+", r"\+")):
        read()
