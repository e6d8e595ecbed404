"""A corpus of somebody else's record chains, told as logs of ours: `vectors-anchored-chain` of agent-evidence-vectors.

Each stored line becomes an entry, sealed by a gate of ours where the line's own signature holds and broken where it does
not; the link to the line before becomes `prev` and `seq` of its stream. The head over what is stored is always signed with
the log's key, which is more than the corpus grants its attacker; the anchor becomes the retained checkpoint.
"""

import json
from base64 import b64decode
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import msgspec

from interlock.adapters.keys import Keys, fresh, verify
from interlock.adapters.sealer import LogSealer
from interlock.adapters.system import SystemIds
from interlock.domain import dsse
from interlock.domain.canonical import encode
from interlock.domain.evidence import Entry, Fact, Finding, Position
from interlock.domain.ids import ActionId, Digest, StreamId
from interlock.domain.merkle import root_of
from interlock.services.verifying import verify_log
from tests.domain.logs import KEYS, OpenLog

_GENESIS = "0" * 64
_STRANGER = Keys(log=fresh(KEYS.log.verifier.name), gate=KEYS.gate)


class Chains:
    """Every line of every case, as entries."""

    def __init__(self, cases: Path) -> None:
        self.lines = {
            sha256(line).hexdigest(): line
            for store in sorted(cases.glob("*/store.jsonl"))
            for line in store.read_bytes().splitlines()
        }
        self._sealed: dict[str, Entry] = {}

    def findings(self, case: Path) -> tuple[Finding, ...]:
        """What our verification says of a case."""
        asked = json.loads((case / "case.json").read_text())
        digests = [sha256(line).hexdigest() for line in (case / "store.jsonl").read_bytes().splitlines()]
        keys = {name: bytes.fromhex(key) for name, key in asked["keys"].items()}
        log = OpenLog()
        for index, each in enumerate(digests):
            entry = self.entry(each, keys["producer"])
            log.rows.append(msgspec.structs.replace(entry, index=index))
        retained = self._anchor(json.loads((case / "anchor.json").read_text()), keys)
        log.close()
        reading = anyio.run(
            partial(verify_log, log, KEYS.log.verifier, (KEYS.gate.verifier,), verify, retained=(retained,))
        )
        return reading.verification.findings

    def entry(self, digest: str, producer: bytes) -> Entry:
        """The entry that a line stands for; the same line is always the same entry."""
        if digest not in self._sealed:
            said = json.loads(self.lines[digest])
            record = said["record"]
            fact = Fact(
                phase="decided",
                subject="action",
                subject_id="a",
                subject_digest=Digest(digest),
                observed_at=0,
                body={"state": "held"},
                private={"content": record},
                action=ActionId("a"),
            )
            entry = LogSealer(KEYS, StreamId(record["chain"]), SystemIds()).seal(fact, 0, self._place(record, producer))
            if not signed(said, "record", producer):
                entry = msgspec.structs.replace(entry, leaf=_broken(entry.leaf))
            self._sealed[digest] = entry
        return self._sealed[digest]

    def _place(self, record: dict[str, Any], producer: bytes) -> Position:
        if record["prev"] == _GENESIS:
            return Position(stream=StreamId(record["chain"]), seq=1, prev="")
        before = self._position(record["prev"], producer)
        return Position(stream=StreamId(record["chain"]), seq=before[0] + 1, prev=before[1])

    def _position(self, digest: str, producer: bytes) -> tuple[int, str]:
        """Number and leaf hash of a line that another names."""
        if digest not in self.lines:
            return 99, digest
        entry = self.entry(digest, producer)
        return entry.seq, entry.leaf_hash.hex()

    def _anchor(self, said: dict[str, Any], keys: dict[str, bytes]) -> str:
        """A checkpoint over the history that leads to the anchored line."""
        anchor = said["anchor"]
        leaves: list[bytes] = []
        digest = anchor["head"]
        while digest != _GENESIS:
            leaves.insert(0, self.entry(digest, keys["producer"]).leaf_hash)
            digest = json.loads(self.lines[digest])["record"]["prev"]
        signer = KEYS if signed(said, "anchor", keys["anchor"]) else _STRANGER
        return LogSealer(signer, StreamId("any"), SystemIds()).checkpoint(anchor["index"] + 1, root_of(leaves))


def signed(said: dict[str, Any], part: str, key: bytes) -> bool:
    """Whether the corpus's own signature holds, as our canonical form and our verification see it."""
    return verify(key, encode(said[part]), b64decode(said["sig"]))


def _broken(leaf: bytes) -> bytes:
    """The same envelope with a signature that does not hold."""
    envelope = dsse.parse(leaf)
    forged = msgspec.structs.replace(envelope.signatures[0], sig=bytes(64))
    return dsse.encode(msgspec.structs.replace(envelope, signatures=(forged,)))
