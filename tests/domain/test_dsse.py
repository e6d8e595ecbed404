"""Envelopes: the bytes that are signed, one written form, and nothing but DsseError for the rest."""

import json
import re
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from interlock.domain import canonical
from interlock.domain.dsse import IN_TOTO, DsseError, Envelope, Signature, encode, pae, parse
from interlock.domain.tiles import MAX_LEAF_BYTES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PLAIN = TEXT.filter(lambda text: not re.search(r'["\\\x00-\x1f]', text))
"""What an envelope says in words: nothing that JSON would have to escape."""
SIGNATURES = st.lists(st.builds(Signature, keyid=PLAIN, sig=st.binary(min_size=1, max_size=80)), min_size=1, max_size=3)
ENVELOPES = st.builds(
    Envelope,
    payload=st.binary(max_size=300),
    payload_type=PLAIN.filter(bool),
    signatures=SIGNATURES.map(tuple),
)
SAMPLE = Envelope(payload=b'{"a":1}', payload_type=IN_TOTO, signatures=(Signature(keyid="k1", sig=b"\xfb\xff"),))
SAMPLE_BYTES = (
    b'{"payload":"eyJhIjoxfQ==","payloadType":"application/vnd.in-toto+json",'
    b'"signatures":[{"keyid":"k1","sig":"+/8="}]}'
)


def test_pae_is_the_published_example() -> None:
    """The bytes to sign for the example of the DSSE specification are the published ones."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes() -> None:
    """Lengths are those of the encoded bytes, in decimal, zero included."""
    assert pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


@given(TEXT, st.binary(max_size=40), TEXT, st.binary(max_size=40))
def test_pae_keeps_type_and_payload_apart(type_a: str, payload_a: bytes, type_b: str, payload_b: bytes) -> None:
    """Two envelopes that differ in type or payload never have the same bytes to sign."""
    same = (type_a, payload_a) == (type_b, payload_b)

    assert (pae(type_a, payload_a) == pae(type_b, payload_b)) == same


def test_pae_resists_a_moved_boundary() -> None:
    """What looks like the end of the type inside a payload, or the reverse, changes the bytes to sign."""
    assert pae("a", b"b 1 c") != pae("a 1 b", b"c")
    assert pae("a 5 b 1", b"c") != pae("a", b"b 1 1 c")


@pytest.mark.proves("evidence.envelope_one_form")
def test_an_envelope_is_written_in_one_way() -> None:
    """The fields are in order, without spaces, and bytes are standard padded base64."""
    assert encode(SAMPLE) == SAMPLE_BYTES


@given(ENVELOPES)
def test_an_envelope_is_canonical_json(envelope: Envelope) -> None:
    """Any envelope is written as canonical JSON writes the same fields."""
    assert encode(envelope) == canonical.encode(
        {
            "payload": b64encode(envelope.payload).decode(),
            "payloadType": envelope.payload_type,
            "signatures": [{"keyid": each.keyid, "sig": b64encode(each.sig).decode()} for each in envelope.signatures],
        }
    )


@pytest.mark.proves("evidence.envelope_one_form")
@given(ENVELOPES)
def test_an_envelope_reads_back(envelope: Envelope) -> None:
    """Reading what was written gives the envelope again."""
    assert parse(encode(envelope)) == envelope


def test_a_signature_survives_the_round_trip() -> None:
    """What was signed over `pae` verifies after the envelope was written and read."""
    key = SigningKey(bytes(32))
    sig = key.sign(pae(IN_TOTO, b"payload")).signature
    read = parse(encode(Envelope(payload=b"payload", payload_type=IN_TOTO, signatures=(Signature(keyid="", sig=sig),))))

    key.verify_key.verify(pae(read.payload_type, read.payload), read.signatures[0].sig)


@pytest.mark.parametrize(
    "change",
    [
        {"payload_type": ""},
        {"payload_type": "\ud800"},
        {"payload_type": 'a"b'},
        {"signatures": (Signature(keyid="k\n", sig=b"s"),)},
        {"signatures": ()},
        {"signatures": (Signature(keyid="k", sig=b""),)},
        {"signatures": (*SAMPLE.signatures, Signature(keyid="k", sig=b""))},
        {"signatures": (Signature(keyid="\ud800", sig=b"s"),)},
        {"payload": bytes(MAX_LEAF_BYTES)},
    ],
)
def test_refuses_to_write_what_is_no_entry(change: dict[str, Any]) -> None:
    """An envelope without type or signature, or too long for the log, is not written."""
    fields: dict[str, Any] = {
        "payload": SAMPLE.payload,
        "payload_type": SAMPLE.payload_type,
        "signatures": SAMPLE.signatures,
    }
    with pytest.raises(DsseError):
        encode(Envelope(**(fields | change)))


def test_an_envelope_is_at_most_60000_bytes() -> None:
    """The longest envelope passes, one byte more is refused both ways."""
    spare = MAX_LEAF_BYTES - len(encode(SAMPLE))
    longest = Envelope(payload=b"", payload_type=IN_TOTO, signatures=(Signature(keyid="k" * spare, sig=b"s"),))
    missing = MAX_LEAF_BYTES - len(encode(longest))
    longest = Envelope(
        payload=b"", payload_type=IN_TOTO, signatures=(Signature(keyid="k" * (spare + missing), sig=b"s"),)
    )
    data = encode(longest)

    assert len(data) == MAX_LEAF_BYTES
    assert parse(data) == longest
    with pytest.raises(DsseError):
        parse(data.replace(b'"kkk', b'"kkkk'))


def changed(**fields: Any) -> bytes:
    """Give the sample with top-level fields replaced, or left out where None."""
    whole = json.loads(SAMPLE_BYTES) | fields
    kept = {name: value for name, value in whole.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.proves("evidence.envelope_one_form")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"NaN",
        b"\xff",
        b"\xef\xbb\xbf" + SAMPLE_BYTES,
        b" " + SAMPLE_BYTES,
        SAMPLE_BYTES + b"\n",
        SAMPLE_BYTES + SAMPLE_BYTES,
        SAMPLE_BYTES[:-1],
        SAMPLE_BYTES.replace(b":", b": ", 1),
        SAMPLE_BYTES.replace(b'{"payload"', b'{"payload":"eA==","payload"'),
        SAMPLE_BYTES.replace(b'"keyid":"k1"', b'"keyid":"k0","keyid":"k1"'),
        SAMPLE_BYTES.replace(b'{"keyid":"k1","sig":"+/8="}', b'{"sig":"+/8=","keyid":"k1"}'),
        SAMPLE_BYTES.replace(b"application/", b"application\\/"),
        SAMPLE_BYTES.replace(b"k1", b"\\u006b1"),
        SAMPLE_BYTES.replace(b"k1", b"\\ud800"),
        SAMPLE_BYTES.replace(b"k1", b"\xff"),
        SAMPLE_BYTES.replace(b"eyJhIjoxfQ==", b"eyJhIjoxfQ"),
        SAMPLE_BYTES.replace(b"eyJhIjoxfQ==", b"eyJhIjoxfR=="),
        SAMPLE_BYTES.replace(b"eyJhIjoxfQ==", b"eyJh IjoxfQ=="),
        SAMPLE_BYTES.replace(b"eyJhIjoxfQ==", b"!"),
        SAMPLE_BYTES.replace(b"+/8=", b"-_8="),
        changed(extra=1),
        changed(payload=None),
        changed(payloadType=None),
        changed(payloadType=""),
        changed(payloadType=1),
        changed(signatures=None),
        changed(signatures=[]),
        changed(signatures={}),
        changed(signatures=[{"keyid": "k1"}]),
        changed(signatures=[{"sig": "+/8="}]),
        changed(signatures=[{"keyid": "k1", "sig": ""}]),
        changed(signatures=[{"keyid": "k1", "sig": "+/8=", "cert": "x"}]),
        changed(signatures=[{"keyid": None, "sig": "+/8="}]),
        changed(extra=[0]).replace(b"[0]", b"[" * 25_000 + b"]" * 25_000),
        b"[" * MAX_LEAF_BYTES,
        b" " * (MAX_LEAF_BYTES + 1),
    ],
)
def test_refuses_envelopes_in_any_other_form(data: bytes) -> None:
    """A repeated key, a field more or less, another spelling: what we would not have written is refused."""
    with pytest.raises(DsseError):
        parse(data)


def mangle(sample: bytes, place: int, length: int, patch: bytes) -> bytes:
    """Replace one stretch of a good envelope."""
    return sample[:place] + patch + sample[place + length :]


@pytest.mark.proves("log.parsers_closed")
@given(
    st.binary(max_size=200)
    | st.builds(
        mangle,
        ENVELOPES.map(encode),
        st.integers(0, 300),
        st.integers(0, 20),
        st.binary(max_size=6) | st.text(alphabet='{}[]":,\\ A=1', max_size=6).map(str.encode),
    )
)
def test_hostile_bytes_give_a_typed_error(data: bytes) -> None:
    """Any bytes are the one form of some envelope, or DsseError."""
    try:
        envelope = parse(data)
    except DsseError:
        return
    assert encode(envelope) == data
