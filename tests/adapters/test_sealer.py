"""The sealer: what it signs verifies, what is private stays out of the leaf, and any result can be recorded."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.keys import Keys, fresh, verify
from interlock.adapters.sealer import MAX_PRIVATE_BYTES, LogSealer
from interlock.adapters.system import SystemClock, SystemIds
from interlock.domain import disclosure, dsse
from interlock.domain.canonical import JsonValue, encode
from interlock.domain.errors import InterlockError
from interlock.domain.evidence import Entry, Fact, Position
from interlock.domain.ids import ActionId, Digest, StreamId
from interlock.domain.merkle import EMPTY_ROOT, leaf_hash
from interlock.domain.note import open_checkpoint, parse_note, parse_vkey
from interlock.domain.tiles import MAX_LEAF_BYTES

KEYS = Keys(log=fresh("shop.example/log"), gate=fresh("shop.example/log/gate"))
SEALER = LogSealer(KEYS, StreamId("run-1"), SystemIds())
FIRST = Position(stream=StreamId("run-1"), seq=1, prev="")

plain_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _fact(**changes: Any) -> Fact:
    values: dict[str, Any] = {
        "phase": "outcome",
        "subject": "action",
        "subject_id": "a-1",
        "subject_digest": Digest("c" * 64),
        "observed_at": 1_800_000_000_123,
        "body": {"state": "done"},
        "action": ActionId("a-1"),
        "seq": 3,
    }
    return Fact(**values | changes)


def _predicate(entry: Entry) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(dsse.parse(entry.leaf).payload)["predicate"]
    return said


def opened(entry: Entry) -> dict[str, Any]:
    """The private values as a reader of packet and disclosures finds them, each held against its commitment."""
    commitments = _predicate(entry).get("commitments", {})
    found: dict[str, Any] = {}
    for text in entry.disclosures:
        read = disclosure.parse(text)
        assert commitments[read.name] == disclosure.digest_of(text)
        found[read.name] = read.value
    assert set(found) | {"alg"} == set(commitments) or not found
    return found


@pytest.mark.proves("evidence.entries_signed")
def test_a_leaf_is_an_envelope_that_the_gate_signed() -> None:
    """A leaf is a DSSE envelope with an in-toto Statement, signed by the gate's key, filed under what it says."""
    entry = SEALER.seal(_fact(), 7, Position(stream=StreamId("run-1"), seq=8, prev="ab" * 32))

    envelope = dsse.parse(entry.leaf)
    (signature,) = envelope.signatures
    assert verify(KEYS.gate.verifier.public, dsse.pae(envelope.payload_type, envelope.payload), signature.sig)
    assert KEYS.gate.verifier.vkey().startswith(signature.keyid + "+")
    assert encode(json.loads(envelope.payload)) == envelope.payload
    assert entry.leaf_hash == leaf_hash(entry.leaf)
    assert (entry.index, entry.stream, entry.seq, entry.action, entry.phase) == (7, "run-1", 8, "a-1", "outcome")
    assert _predicate(entry)["stream"] == {"id": "run-1", "seq": 8, "prev": "ab" * 32}


@pytest.mark.proves("evidence.private_committed")
@given(private=st.dictionaries(st.sampled_from(["toolArgs", "toolResult", "nonce"]), plain_values))
def test_private_values_are_committed_to_and_open(private: dict[str, JsonValue]) -> None:
    """Whatever private values a fact has, its disclosures give exactly them, and each fits its commitment."""
    assert opened(SEALER.seal(_fact(private=private), 0, FIRST)) == private


@pytest.mark.proves("evidence.private_committed")
def test_no_private_value_stands_in_the_leaf() -> None:
    """The leaf holds no private text, and two commitments to one value differ, so that no guess can be checked."""
    private: dict[str, JsonValue] = {"initiator": "ana.meier@example.com"}
    one, two = (SEALER.seal(_fact(private=private), 0, FIRST) for _ in range(2))

    assert b"ana.meier" not in dsse.parse(one.leaf).payload
    assert _predicate(one)["commitments"]["initiator"] != _predicate(two)["commitments"]["initiator"]


def test_a_value_too_long_to_keep_is_left_out_and_said_to_be() -> None:
    """In place of a long value stands its size and digest, behind a commitment like any other."""
    value = "x" * (MAX_PRIVATE_BYTES + 1)
    found = opened(SEALER.seal(_fact(private={"toolResult": value, "nonce": "n"}), 0, FIRST))

    text = json.dumps(value).encode()
    assert found == {
        "toolResult": {"leftOut": "it is too long to keep", "bytes": len(text), "sha256": sha256(text).hexdigest()},
        "nonce": "n",
    }


@pytest.mark.parametrize(("size", "kept"), [(196_500, True), (196_600, False)])
def test_the_limit_is_that_of_the_text_kept(size: int, kept: bool) -> None:
    """256 KiB of base64 text, which is 192 KiB of JSON, are kept; more is not."""
    entry = SEALER.seal(_fact(private={"toolResult": "x" * size}), 0, FIRST)

    assert isinstance(opened(entry)["toolResult"], str) is kept
    assert len(entry.disclosures[0]) <= MAX_PRIVATE_BYTES


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    return value


@pytest.mark.proves("evidence.always_recordable")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(2**2000, id="huge integer"),
        pytest.param(_deep(), id="deep"),
        pytest.param({"a": ["\udfff"]}, id="surrogate within"),
        pytest.param(object(), id="no JSON"),
        pytest.param("x" * 5_000_000, id="5 MB"),
    ],
)
def test_any_private_value_can_be_recorded(value: Any) -> None:
    """What JSON cannot write, or nobody would keep, is recorded as left out, with the reason."""
    found = opened(SEALER.seal(_fact(private={"toolResult": value}), 0, FIRST))

    assert found["toolResult"]["leftOut"]


@pytest.mark.parametrize("body", [{"reasonCodes": ["x" * 60_000]}, {"ratio": 0.5}, {"naïve": 1}, {"state": "\ud800"}])
def test_a_body_that_no_leaf_can_hold_is_refused(body: dict[str, Any]) -> None:
    """A body too long for a leaf, or without a canonical form, raises an error of ours and signs nothing."""
    with pytest.raises(InterlockError, match="cannot be recorded"):
        SEALER.seal(_fact(body=body), 0, FIRST)


def test_no_leaf_is_longer_than_the_format_allows() -> None:
    """Just below the limit a leaf is sealed, and it is not longer than 60,000 bytes."""
    entry = SEALER.seal(_fact(body={"reasonCodes": ["x" * 44_000]}), 0, FIRST)

    assert 58_000 < len(entry.leaf) <= MAX_LEAF_BYTES


@pytest.mark.proves("evidence.checkpoints_signed")
@given(size=st.integers(0, 2**62), root=st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_a_note_signed_by_the_log(size: int, root: bytes) -> None:
    """The checkpoint opens with the vkey that the sealer names, and says size and root."""
    note = SEALER.checkpoint(size, root)

    key = parse_vkey(SEALER.log_key)
    checkpoint = open_checkpoint(parse_note(note.encode()), key, verify)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (key.name, size, root)


def test_the_empty_log_has_a_checkpoint() -> None:
    """A log without entries can be signed too."""
    note = SEALER.checkpoint(0, EMPTY_ROOT)

    assert open_checkpoint(parse_note(note.encode()), parse_vkey(SEALER.log_key), verify).size == 0


def _ids() -> Iterator[str]:
    system = SystemIds()
    while True:
        yield system.new()


def test_identifiers_sort_by_when_they_were_made() -> None:
    """A thousand identifiers of one process are distinct, version 7, and sort in the order they were made."""
    made = [made for made, _ in zip(_ids(), range(1000), strict=False)]

    assert sorted(set(made)) == made
    assert {text[14] for text in made} == {"7"}


def test_nonces_are_128_bits_and_do_not_repeat() -> None:
    """A nonce is 32 hexadecimal digits, and no two of a thousand agree."""
    made = {SystemIds().nonce() for _ in range(1000)}

    assert len(made) == 1000
    assert all(len(bytes.fromhex(nonce)) == 16 for nonce in made)


def test_the_clock_gives_milliseconds_in_utc() -> None:
    """The clock's number is one that the identifiers' own timestamps agree with, to the second."""
    now = SystemClock().now()

    assert abs(int(SystemIds().new().replace("-", "")[:12], 16) - now) < 1000
