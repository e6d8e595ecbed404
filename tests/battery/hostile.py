"""Every parser of the evidence with what it is given when all is well, what it may raise, and what the worst would hand it.

Used by `test_parsers.py` on every change and by `bench/battery/parsers.py`, which a coverage-guided fuzzer drives.
"""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

import interlock_verify as alone
from interlock.adapters.keys import verify
from interlock.domain import canonical, disclosure, dsse
from interlock.domain.chain import verified
from interlock.domain.cosignature import parse_cosigner
from interlock.domain.disclosure import MAX_DISCLOSURE_BYTES, DisclosureError
from interlock.domain.dsse import DsseError
from interlock.domain.entry_proof import parse_entry_proof
from interlock.domain.evidence import Packet
from interlock.domain.grant import GrantError, read_grant
from interlock.domain.ids import ActionId
from interlock.domain.jwk import b64
from interlock.domain.jws import MAX_BYTES
from interlock.domain.keyring import Keyring, keyid
from interlock.domain.merkle import leaf_hash
from interlock.domain.note import MAX_NOTE_BYTES, NoteError, parse_checkpoint, parse_note, parse_proof, parse_vkey
from interlock.domain.packet import verify_packet
from interlock.domain.possession import prove, proven
from interlock.domain.quorum import PolicyFileError, parse_policy
from interlock.domain.testimony import Reader
from interlock.domain.tiles import TileError, decode_bundle, encode_bundle
from interlock.domain.token import TokenError
from interlock.domain.witnessing import parse_request
from tests.domain import delegations as tokens
from tests.domain.logs import KEYS, OpenLog, filled
from tests.foreign.files import proof_of

_LOG: Final[OpenLog] = filled(30)
_NOTE: Final = (_LOG.note or "").encode()
_LEAF: Final = _LOG.rows[7].leaf
_TEXT: Final = _LOG.rows[7].disclosures[0]
_PACKET: Final = msgspec.json.encode(
    Packet(action=ActionId("a-2"), checkpoint=_LOG.note or "", entries=(_LOG.rows[2],), proofs=(("AA==",),))
)
_VKEY: Final = KEYS.log.verifier.vkey().encode()
_BUNDLE: Final = encode_bundle([row.leaf for row in _LOG.rows[:3]])
_POLICY: Final = f"log {KEYS.log.verifier.vkey()}\nquorum none\n".encode()


_INTRODUCED: Final = dsse.parse(_LEAF).payload.replace(b"/evidence/action/v1", b"/evidence/key/v1")


class Target(msgspec.Struct, frozen=True):
    """One parser: what reads the bytes, what it may raise, and a good input."""

    read: Callable[[bytes], object]
    raises: tuple[type[Exception], ...]
    good: bytes


def _statement(leaf: bytes) -> object:
    """An entry, whatever its bytes: what is wrong with it is a finding."""
    row = _LOG.rows[7]
    entry = msgspec.structs.replace(row, leaf=leaf, leaf_hash=leaf_hash(leaf))
    return Reader(Keyring(KEYS.log.verifier, (KEYS.gate.verifier,), verify), verify).read(entry)


def _key_entry(payload: bytes) -> object:
    """An entry that speaks of keys, signed by the gate whatever it says."""
    row = _LOG.rows[7]
    signature = dsse.Signature(keyid=keyid(KEYS.gate.verifier), sig=KEYS.gate.sign(dsse.pae(dsse.IN_TOTO, payload)))
    leaf = dsse.encode(dsse.Envelope(payload=payload, payload_type=dsse.IN_TOTO, signatures=(signature,)))
    entry = msgspec.structs.replace(row, leaf=leaf, leaf_hash=leaf_hash(leaf), action=None)
    return Reader(Keyring(KEYS.log.verifier, (KEYS.gate.verifier,), verify), verify).read(entry)


def _packet(data: bytes) -> object:
    return verify_packet(msgspec.json.decode(data, type=Packet), KEYS.log.verifier, (KEYS.gate.verifier,), verify)


def _canonical(data: bytes) -> object:
    return canonical.encode(msgspec.json.decode(data))


_CHAIN: Final = tokens.three()
_CALL: Final = tokens.call_of(tokens.read(_CHAIN), "shop.refund", {"amount": 1})
_PROOF: Final = prove(_CALL, jti="p", now=tokens.NOW, public=tokens.public(tokens.CY), sign=tokens.CY.sign).encode()
_TOOLS: Final = b'{"tools":{"t":{"a":{"constraint_type":"all","constraints":[{"constraint_type":"range","min":1}]}}}}'


def _token(data: bytes) -> object:
    return verified((*_CHAIN[:2], data.decode("latin-1")), issuers=tokens.ISSUERS, verify=verify)


def _claims(data: bytes) -> object:
    """The last token of a chain, properly signed by a holder who says in it what he likes."""
    # No more than makes it too long: what is tried is the reading, not the signing.
    text = f"{_CHAIN[2].partition('.')[0]}.{b64(data[:MAX_BYTES])}"
    return _token(f"{text}.{b64(tokens.BO.sign(text.encode()))}".encode())


def _proof(data: bytes) -> object:
    return proven(data.decode("latin-1"), _CALL, holder=tokens.public(tokens.CY), now=tokens.NOW, verify=verify)


_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

TARGETS: Final[dict[str, Target]] = {
    "note": Target(parse_note, (NoteError,), _NOTE),
    "checkpoint": Target(parse_checkpoint, (NoteError,), _NOTE.partition(b"\n\n")[0] + b"\n"),
    "proof": Target(parse_proof, (NoteError,), proof_of(_LOG, 7)),
    "proof with its entry": Target(parse_entry_proof, (NoteError, DsseError), proof_of(_LOG, 7)),
    "vkey": Target(lambda data: parse_vkey(data.decode(errors="replace")), (NoteError,), _VKEY),
    "cosigner": Target(lambda data: parse_cosigner(data.decode(errors="replace")), (NoteError,), _VKEY),
    "witness request": Target(parse_request, (NoteError,), b"old 0\n\n" + _NOTE),
    "trust policy": Target(parse_policy, (PolicyFileError,), _POLICY),
    "bundle": Target(decode_bundle, (TileError,), _BUNDLE),
    "envelope": Target(dsse.parse, (DsseError,), _LEAF),
    "statement": Target(_statement, (), _LEAF),
    "key entry": Target(_key_entry, (DsseError,), _INTRODUCED),
    "disclosure": Target(
        lambda data: disclosure.parse(data.decode("latin-1")), (DisclosureError,), _TEXT.encode()
    ),
    "packet": Target(_packet, _JSON, _PACKET),
    "canonical": Target(_canonical, (*_JSON, canonical.CanonicalError), b'{"a":[1,"x",null]}'),
    "task token": Target(_token, (TokenError,), _CHAIN[2].encode()),
    "claims of a task token": Target(_claims, (TokenError,), msgspec.json.encode(tokens.parts(_CHAIN[2])[1], order="sorted")),
    "proof of possession": Target(_proof, (TokenError,), _PROOF),
    "grant": Target(lambda data: read_grant(msgspec.json.decode(data)), (*_JSON, GrantError), _TOOLS),
    "alone: json": Target(alone.strict, (alone.Wrong,), b'{"a":[1,"x",null]}'),
    "alone: note": Target(alone.note_of, (alone.Wrong,), _NOTE),
    "alone: checkpoint": Target(alone.checkpoint_of, (alone.Wrong,), _NOTE.partition(b"\n\n")[0] + b"\n"),
    "alone: key": Target(lambda data: alone.key_of(data.decode(errors="replace")), (alone.Wrong,), _VKEY),
    "alone: policy": Target(lambda data: alone.policy_of(data.decode(errors="replace")), (alone.Wrong,), _POLICY),
    "alone: bundle": Target(lambda data: alone.entries_of(data, 3), (alone.Wrong,), _BUNDLE),
    "alone: envelope": Target(alone.envelope_of, (alone.Wrong,), _LEAF),
    "alone: statement": Target(alone.statement_of, (alone.Wrong,), dsse.parse(_LEAF).payload),
    "alone: disclosure": Target(lambda data: alone.disclosure_of(data.decode("latin-1")), (alone.Wrong,), _TEXT.encode()),
}  # fmt: skip


def refused(target: Target, data: bytes) -> bool:
    """Whether the parser refuses, in a way it says it does. Anything else it raises passes through."""
    try:
        target.read(data)
    except target.raises:
        return True
    return False


def ugly(target: Target) -> Iterator[bytes]:
    """What the worst would send: deep, long, repeated, unwritable, cut, doubled, and good things in the wrong place."""
    good = target.good
    yield from (
        b"",
        b"\0",
        b"\n",
        b"\n\n",
        b"{",
        b"[]",
        b'""',
        b"null",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        good[:-1],
        good + good,
    )
    yield from (good + b"\n", good + b"\0", b"\xef\xbb\xbf" + good, good.upper(), good.replace(b"\n", b"\r\n"))
    yield from (good[: len(good) // 2], good[len(good) // 2 :], bytes(200_000), b"a" * 200_000, b"\n" * 200_000)
    yield from (b"[" * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
    for value in (
        b"NaN",
        b"Infinity",
        b"-0.0",
        b"1e999",
        b"9" * 5000,
        b'"\\ud800"',
        b'"\\u0000"',
        b'"' + b"x" * 70_000 + b'"',
    ):
        yield from (value, b'{"a":' + value + b"}", b"[" + value + b"]", good.replace(b"1", value, 1))
    yield b'{"a":1,"a":2}'
    if good.startswith(b"{"):
        # The same field twice: once as it was, once as somebody else would have it.
        yield good[:-1] + b"," + good[1:]


LONGEST: Final = max(MAX_NOTE_BYTES, MAX_DISCLOSURE_BYTES * 2)


def mutated(good: bytes, choose: Callable[[int], int]) -> bytes:
    """`good` with a few things done to it, each chosen below a bound."""
    data = bytearray(good)
    for _ in range(1 + choose(4)):
        if not data:
            break
        place, what = choose(len(data)), choose(5)
        if what == 0:
            data[place] ^= 1 << choose(8)
        elif what == 1:
            del data[place : place + 1 + choose(8)]
        elif what == 2:
            data[place:place] = data[: choose(len(data))][-40:]
        elif what == 3:
            data[place] = choose(256)
        else:
            data[place : place + 1] = (b"\n", b"+", b" ", b'"', b"\\", b"\xff", b"0", b"=")[choose(8)]
    return bytes(data)
