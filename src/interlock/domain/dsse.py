"""DSSE envelopes, the entries of the log: https://github.com/secure-systems-lab/dsse, version 1.0.2.

An envelope carries a payload, what kind of payload it is, and signatures over both (`pae`). It is written in one way
only: canonical JSON, standard padded base64. What is not written that way is refused rather than repaired, so that a
repeated key or a second spelling of a signature has nowhere to hide. The key id is a hint that no signature covers.
"""

from typing import Final

import msgspec

from interlock.domain.tiles import MAX_LEAF_BYTES

IN_TOTO: Final = "application/vnd.in-toto+json"


class DsseError(ValueError):
    """Bytes are not an envelope, or an envelope could not be an entry."""


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature over `pae` of the envelope, with a hint at whose it is. In JSON its bytes are base64."""

    # The fields stand in the order of canonical JSON, which is how they are written.
    keyid: str
    sig: bytes


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payload with at least one signature. In JSON its bytes are base64."""

    # The fields stand in the order of canonical JSON, which is how they are written.
    payload: bytes
    payload_type: str = msgspec.field(name="payloadType")
    signatures: tuple[Signature, ...]


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Envelope)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Give the bytes that are signed: type and payload, each behind its length in bytes, so that neither can leak."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def encode(envelope: Envelope) -> bytes:
    """Write the envelope, or raise DsseError when it is unsigned, untyped, longer than an entry may be, or has a type or key id
    that JSON would have to escape: a reader need not know escapes, and has no second spelling to look out for."""
    if not envelope.payload_type:
        raise DsseError("the envelope does not say what its payload is")
    if not envelope.signatures or not all(each.sig for each in envelope.signatures):
        raise DsseError("the envelope is not signed")
    try:
        data = _encoder.encode(envelope)
    except UnicodeEncodeError:
        raise DsseError("the payload type or a key id holds a lone surrogate") from None
    if b"\\" in data:  # base64 has none
        raise DsseError("the payload type or a key id holds a quote, a backslash or a control character")
    if len(data) > MAX_LEAF_BYTES:
        raise DsseError(f"the envelope is {len(data)} bytes long, more than {MAX_LEAF_BYTES}")
    return data


def parse(data: bytes) -> Envelope:
    """Read an envelope that `encode` could have written, verifying no signature; anything else raises DsseError."""
    if len(data) > MAX_LEAF_BYTES:
        raise DsseError(f"the envelope is {len(data)} bytes long, more than {MAX_LEAF_BYTES}")
    try:
        envelope = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DsseError(f"the bytes are not an envelope: {error}") from None
    if encode(envelope) != data:
        raise DsseError("the envelope is not in its one form: keys in order and once, no spaces, standard base64")
    return envelope
