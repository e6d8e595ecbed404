"""A log of one's own making, signed by real keys, and its export: whatever a test wants recorded, in whatever order."""

import shutil
import zipfile
from base64 import b64encode
from collections.abc import Callable
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias, cast

import anyio
import msgspec

from interlock.adapters.keys import SigningKey, fresh, verify
from interlock.adapters.parcel import parcel_at
from interlock.domain import dsse
from interlock.domain.canonical import JsonValue, encode
from interlock.domain.disclosure import Disclosure, OpenValue, digest_of
from interlock.domain.evidence import Entry, Fact, Phase, Position, Subject, statement
from interlock.domain.export import Exported, Wish, sealed_text
from interlock.domain.ids import ActionId, Digest, StreamId
from interlock.domain.keyring import keyid
from interlock.domain.merkle import leaf_hash, root_of
from interlock.domain.note import Checkpoint, NoteError, parse_checkpoint, parse_note, signature_line
from interlock.domain.tiles import WIDTH
from interlock.services.audit import Verifying
from interlock.services.exporting import Enclosed, export
from interlock_verify import Key, Options, Report, key_of, verify_export


class Tray:
    """A shelf over the files of a bag."""

    def __init__(self, place: Path, files: dict[str, bytearray]) -> None:
        self._place = place
        self._files = files

    @property
    def place(self) -> str:
        """See `Shelf.place`."""
        return str(self._place)

    async def read(self, name: str, *, limit: int) -> bytes | None:
        """See `Shelf.read`."""
        del limit
        return bytes(self._files[name]) if name in self._files else None

    async def put(self, name: str, data: bytes) -> bool:
        """See `Shelf.put`."""
        self._files[name] = bytearray(data)
        return True

    async def swap(self, name: str, data: bytes, *, given: bytes | None) -> None:
        """See `Shelf.swap`."""
        del given
        self._files[name] = bytearray(data)

    async def clear(self, folder: str) -> None:
        """See `Shelf.clear`."""


class Bag:
    """A parcel in memory until it is sealed: a test need not survive a loss of power."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._files: dict[str, bytearray] = {}

    @property
    def shelf(self) -> Tray:
        """See `Parcel.shelf`."""
        return Tray(self._place, self._files)

    def put(self, name: str, data: bytes) -> None:
        """See `Parcel.put`."""
        self._files[name] = bytearray(data)

    def add(self, name: str, data: bytes) -> None:
        """See `Parcel.add`."""
        self._files.setdefault(name, bytearray()).extend(data)

    def seal(self, signed: Callable[[bytes], bytes]) -> None:
        """See `Parcel.seal`."""
        lines = [f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(self._files.items())]
        manifest = "".join(lines).encode()
        self.add("MANIFEST", manifest)
        self.add("MANIFEST.sig", signed(manifest))
        if self._place.suffix == ".zip":
            with zipfile.ZipFile(self._place, "x") as archive:
                for name, data in self._files.items():
                    archive.writestr(name, bytes(data))
        else:
            for name, data in self._files.items():
                path = self._place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def abandon(self) -> None:
        """See `Parcel.abandon`."""


Form: TypeAlias = Callable[[dict[str, Any]], bytes]
"""How a Statement is written down."""

ORIGIN = "test/log"
LOG, GATE = fresh(ORIGIN), SigningKey(f"{ORIGIN}/gate", bytes([7]) * 32)
IDENTITY = SigningKey(f"{ORIGIN}/identity", bytes([8]) * 32)
GATES = {keyid(GATE.verifier): GATE}
"""Every key that a gate of these tests ever had."""
BEGIN = 1_800_000_000_000
MINUTE = 60_000


class Ledger:
    """The port `Log` over what was put."""

    def __init__(self) -> None:
        self.rows: list[Entry] = []
        self.log, self.gate, self.identity = LOG, GATE, IDENTITY
        self.sealing = GATE
        """The gate's key that the log says is in force, whoever signs its entries."""
        self.signers: list[SigningKey] = []
        """The log's key in force, by entry."""
        self.places: dict[str, tuple[int, str]] = {}
        self.seqs: dict[str, int] = {}
        self.now = BEGIN
        self.note = ""

    def put(
        self,
        phase: str,
        subject: str = "action",
        *,
        action: str | None = None,
        state: str = "",
        stream: str = "run-1",
        body: dict[str, Any] | None = None,
        private: dict[str, Any] | None = None,
        seq: int | None = None,
        skip: int = 0,
        form: Form = encode,
    ) -> Entry:
        """Record one fact, a minute after the one before. `seq` numbers it otherwise; `skip` leaves out places; `form` writes
        its Statement otherwise."""
        self.now += MINUTE
        number, prev = self.places.get(stream, (0, ""))
        number += 1 + skip
        if action is not None:
            self.seqs[action] = self.seqs.get(action, 0) + 1 if seq is None else seq
        fact = Fact(
            phase=cast(Phase, phase),
            subject=cast(Subject, subject),
            subject_id=action or "it",
            subject_digest=Digest("d" * 64),
            observed_at=self.now,
            body={**({"state": state} if state else {}), **(body or {})},
            private=private or {},
            action=None if action is None else ActionId(action),
            seq=self.seqs.get(action or "", 0),
        )
        position = Position(stream=StreamId(stream), seq=number, prev=prev)
        entry = self._sealed(fact, position, form)
        self.places[stream] = (number, entry.leaf_hash.hex())
        self.rows.append(entry)
        self.signers.append(self.log)
        return entry

    def act(self, action: str, *, state: str = "done", **private: Any) -> None:
        """A whole action: its intent, and what came of it."""
        body = {"agent": {"id": "ag", "release": "r" * 64}, "resource": {"id": "thing.put"}, "taskId": "t-1"}
        decided = {"decision": {"reported": "allow", "policies": ["all"]}}
        self.put("dispatching", action=action, state="dispatching", body=body | decided, private=private)
        self.put("outcome", action=action, state=state, body=body, private={"toolResult": 1})

    def begin(self) -> "Ledger":
        """Introduce the keys, as the first entry."""
        self.put("introduced", "key", body={"log": LOG.verifier.vkey(), "gate": GATE.verifier.vkey()})
        return self

    def rotate(self, role: str, new: SigningKey, /, **changes: Any) -> None:
        """Record a new key, endorsed by the old one, and use it from then on."""
        old = {"log": self.log, "identity": self.identity}.get(role, self.gate)
        lines = (old.verifier.vkey(), new.verifier.vkey(), str(len(self.rows)))
        text = "\n".join(["interlock key rotation v1", ORIGIN, role, *lines, ""]).encode()
        body = {
            "role": role,
            "key": lines[1],
            "replaces": lines[0],
            "endorsement": b64encode(old.sign(text)).decode(),
            "possession": b64encode(new.sign(text)).decode(),
        }
        # Whoever hands a key over records nothing else.
        self.put("rotated", "key", stream=f"handover-{len(self.rows)}", body=body | changes)
        if role == "log":
            self.log = new
        elif role == "identity":
            self.identity = new
        else:
            self.gate = self.sealing = GATES[keyid(new.verifier)] = new

    def checkpoint(self, size: int | None = None, signer: SigningKey | None = None) -> bytes:
        """A signed note over the first entries."""
        hashes = [row.leaf_hash for row in self.rows[:size]]
        body = Checkpoint(origin=ORIGIN, size=len(hashes), root=root_of(hashes)).body()
        key = signer or (self.signers[size - 1] if size else self.log)
        return body + b"\n" + signature_line(ORIGIN, key.verifier.key_id(), key.sign(body))

    def export(self, place: Path, wish: Wish | None = None, *, durable: bool = False) -> Exported:
        """Export it to `place`, a folder or a zip file that is not there yet. `durable` as a user would, which takes its time."""
        self.note = self.note or self.checkpoint().decode()
        keys = Verifying(log_key=LOG.verifier, gate_keys=(GATE.verifier,), verify=verify)
        enclosed = Enclosed(verifier=b"# a verifier", version="test")

        async def work() -> Exported:
            with parcel_at(place) if durable else nullcontext(Bag(place)) as parcel:
                return await export(
                    self,
                    parcel,
                    wish or Wish(disclosed=None),
                    keys=keys,
                    gate=self.sealing,
                    enclosed=enclosed,
                    place=str(place),
                    now=self.now,
                )

        return anyio.run(work)

    async def head(self) -> str | None:
        """See `Log.head`."""
        return self.note

    async def checkpoint_at(self, size: int) -> str | None:
        """See `Log.checkpoint_at`."""
        return self.checkpoint(size).decode()

    async def checkpoints(self, start: int, stop: int) -> list[tuple[int, str]]:
        """See `Log.checkpoints`."""
        return [(size, self.checkpoint(size).decode()) for size in range(start + 1, min(stop, len(self.rows)) + 1)]

    async def entries(self, start: int, stop: int) -> list[Entry]:
        """See `Log.entries`."""
        return self.rows[start:stop]

    async def entries_of(self, action: ActionId) -> list[Entry]:
        """See `Log.entries_of`."""
        return [row for row in self.rows if row.action == action]

    async def marked(self, *phases: str) -> list[Entry]:
        """See `Log.marked`."""
        return [row for row in self.rows if row.phase in phases]

    async def tile(self, level: int, index: int, width: int) -> bytes | None:
        """See `Log.tile`."""
        hashes = [row.leaf_hash for row in self.rows]
        for _ in range(level):
            hashes = [root_of(hashes[n : n + WIDTH]) for n in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        return b"".join(hashes[index * WIDTH : index * WIDTH + width])

    def _sealed(self, fact: Fact, position: Position, form: Form) -> Entry:
        texts = {
            name: Disclosure(
                salt=sha256(f"{len(self.rows)}{name}".encode()).digest(), name=name, value=cast(OpenValue, value)
            ).encoded()
            for name, value in fact.private.items()
        }
        commitments = {name: digest_of(text) for name, text in texts.items()}
        said = statement(fact, position, record_id=f"r-{len(self.rows)}", commitments=commitments)
        leaf = enveloped(said, self.gate, form)
        return Entry(
            index=len(self.rows),
            leaf=leaf,
            leaf_hash=leaf_hash(leaf),
            stream=position.stream,
            seq=position.seq,
            action=fact.action,
            phase=fact.phase,
            disclosures=tuple(texts.values()),
        )


def _der(tag: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    length = bytes([len(data)]) if len(data) < 128 else b"\x82" + len(data).to_bytes(2, "big")
    return bytes([tag]) + length + data


def token(data: bytes, moment: bytes = b"20270115080500Z", *, kind: str = "608648016503040201") -> str:
    """An RFC 3161 answer over `data` as far as anybody reads who does not look at its signature, in base64."""
    imprint = _der(0x30, _der(0x30, _der(6, bytes.fromhex(kind)), _der(5)), _der(4, sha256(data).digest()))
    info = _der(0x30, _der(2, b"\1"), _der(6, b"*\3\4"), imprint, _der(2, b"\1"), _der(0x18, moment))
    holder = _der(0x30, _der(6, bytes.fromhex("2a864886f70d0109100104")), _der(0xA0, _der(4, info)))
    signed = _der(0x30, _der(2, b"\3"), _der(0x31), holder, _der(0x31))
    content = _der(0x30, _der(6, bytes.fromhex("2a864886f70d010702")), _der(0xA0, signed))
    return b64encode(_der(0x30, _der(0x30, _der(2, b"\0")), content)).decode()


def enveloped(said: dict[str, JsonValue], gate: SigningKey, form: Form = encode) -> bytes:
    """A Statement in its signed envelope."""
    payload = form(said)
    signature = dsse.Signature(keyid=keyid(gate.verifier), sig=gate.sign(dsse.pae(dsse.IN_TOTO, payload)))
    return dsse.encode(dsse.Envelope(payload=payload, payload_type=dsse.IN_TOTO, signatures=(signature,)))


def brought(key: SigningKey) -> Key:
    """A key as the stand-alone verifier holds it."""
    return key_of(key.verifier.vkey())


TRUSTED = (brought(LOG), brought(GATE))


def checked(place: Path, **options: Any) -> Report:
    """What the stand-alone verifier says, with the log's own keys brought unless others are."""
    return verify_export(place, Options(**{"keys": TRUSTED, **options}))


def first(place: Path, **options: Any) -> tuple[str, str]:
    """Place and problem of the first finding; there is one."""
    report = checked(place, **options)
    assert report.verdict == "failed"
    assert report.exit_code == 4
    return report.findings[0]


def listed_again(place: Path) -> None:
    """Write MANIFEST anew and sign it, as somebody does who changed a file, hides it and holds the gate's key."""
    listed_unsigned(place)
    signed_again(place)


def listed_unsigned(place: Path) -> None:
    """Write MANIFEST anew, as somebody does who changed a file on the way to the auditor."""
    names = sorted(each.relative_to(place).as_posix() for each in place.rglob("*") if each.is_file())
    lines = [
        f"{sha256((place / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if name not in ("MANIFEST", "MANIFEST.sig")
    ]
    (place / "MANIFEST").write_text("".join(lines))


def signed_again(place: Path) -> None:
    """Sign MANIFEST anew with the key that signed it before, where there is a checkpoint that can be read."""
    before = parse_note((place / "MANIFEST.sig").read_bytes()).signatures[0]
    gate = GATES[f"{before.name}+{before.key_id.hex()}"]
    try:
        head = parse_checkpoint(parse_note((place / "checkpoint").read_bytes()).text)
    except (NoteError, OSError):
        return
    text = sealed_text(head, (place / "MANIFEST").read_bytes())
    (place / "MANIFEST.sig").write_bytes(text + b"\n" + _line(gate, text))


def _line(key: SigningKey, text: bytes) -> bytes:
    return signature_line(key.verifier.name, key.verifier.key_id(), key.sign(text))


def copied(place: Path, to: Path) -> Path:
    """Another copy, to be changed."""
    return Path(shutil.copytree(place, to))


def lines_in(file: Path) -> list[dict[str, Any]]:
    """The lines of a JSON Lines file."""
    return [msgspec.json.decode(each) for each in file.read_bytes().splitlines()]


def filled(actions: int) -> Ledger:
    """So many whole actions, behind the introduction of the keys."""
    ledger = Ledger().begin()
    for n in range(actions):
        ledger.act(f"a-{n}", toolArgs={"n": n}, initiator="user:ana")
    return ledger
