"""Whether a log still says what was recorded.

Nothing stored is believed: leaf hashes, tiles and the root are computed again from the leaves, what an entry is filed under
is compared with what its signed Statement says, and every clear text with its commitment. Nor is the gate that signed:
streams are numbered, and actions go through what they may (`trails`). The first finding is the first thing wrong in the
order of the log.

What this shows is that everything up to the checkpoint is unaltered and complete. That the checkpoint is the latest one
only a retained checkpoint or the store's own records can show, and nothing here shows that a statement is true.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from interlock.domain.anchoring import ANCHOR_TYPE, Anchor, Anchors, Sandwich, lacking, unseconded
from interlock.domain.callers import Callers
from interlock.domain.evidence import Entry, Finding, Verification
from interlock.domain.ids import ActionId
from interlock.domain.keyring import Keyring
from interlock.domain.merkle import EMPTY_ROOT, HASH_BYTES, Frontier, leaf_hash, root_of
from interlock.domain.note import (
    Checkpoint,
    NoteError,
    SignedNote,
    VerifyFunction,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
)
from interlock.domain.statement import ERASURE_TYPE, LOSS_TYPE, Said, covered
from interlock.domain.streams import Streams
from interlock.domain.testimony import Reader, Reading
from interlock.domain.tiles import WIDTH, Tile, TileId
from interlock.domain.trails import Trails

LOST: Final = "a clear text it commits to is lost without an erasure"
MAX_FINDINGS: Final = 100
"""After so many there is nothing to learn from more."""


class LogCheck:
    """Takes a log's entries in order, a chunk at a time, and holds them against a checkpoint.

    Who had to sign the checkpoint is known only when the log's keys were followed to it. It keeps one place per stream and
    one `Trail` per action, and nothing per entry. `anchors` are all that the log holds.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        head: SignedNote | None,
        ring: Keyring,
        verify: VerifyFunction,
        anchors: Anchors,
        retained: Sequence[SignedNote] = (),
    ) -> None:
        self.checkpoint = checkpoint
        self.ring = ring
        self.findings: list[Finding] = []
        self.signatures = 0
        self.next = 0
        self.trails = Trails()
        self._head = head
        self._verify = verify
        self._reader = Reader(ring, verify)
        self._retained = [(each, parse_checkpoint(each.text)) for each in retained]
        self._roots: dict[int, bytes] = {}
        self._notes: dict[int, str] = {}
        self._unsure: list[tuple[SignedNote, Checkpoint]] = []
        self._anchors = anchors
        self._wanted = {each.size for _, each in (*self._retained, *anchors.held.values())}
        self._sandwich = Sandwich(anchors.counting, anchors.trust.skew_ms)
        self._streams = Streams()
        self._callers = Callers()
        self._frontier = Frontier()
        self._above: list[tuple[int, list[bytes]]] = []
        self._whole = True
        self._bare: dict[int, ActionId | None] = {}
        self.erased: set[int] = set()
        """Entries whose clear texts an erasure has destroyed."""
        self.acknowledged: set[int] = set()
        """Entries whose clear texts two persons said to be lost."""
        self.sealed = 0
        """Entries whose clear texts are sealed with keys that are not here."""

    @property
    def unexplained(self) -> dict[int, ActionId | None]:
        """Entries whose clear texts are gone without an erasure or a word about it, with the action each is about."""
        known = self.erased | self.acknowledged
        return {index: action for index, action in sorted(self._bare.items()) if index not in known}

    @property
    def enough(self) -> bool:
        """Whether there are so many findings that reading on is of no use."""
        return len(self.findings) >= MAX_FINDINGS

    def found(self, place: str, problem: str) -> None:
        """Note one thing wrong."""
        if not self.enough:
            self.findings.append(Finding(place=place, problem=problem))

    def next_tile(self) -> TileId | None:
        """The lowest tile over the entries to be taken next, or None when all were."""
        left = self.checkpoint.size - self.next
        return TileId(level=0, n=self.next // WIDTH, width=min(left, WIDTH)) if left > 0 else None

    def expect(self, notes: Iterable[tuple[int, str]]) -> None:
        """The checkpoints that the log holds over the entries that are taken next, each behind the size it is filed under."""
        self._notes = dict(notes)

    def take(self, tile: TileId, stored: bytes | None, entries: Sequence[Entry]) -> list[Tile]:
        """Check the entries under `tile`, as far as the log gave them, and the hashes `stored` as that tile.

        Gives the tiles above it that became full, to be compared too.
        """
        if stored is None:
            self.found(tile.path(), "it is missing")
        given = {entry.index: entry for entry in entries}
        hashes: list[bytes] = []
        for place in range(tile.width):
            index = tile.n * WIDTH + place
            entry = given.get(index)
            if entry is None:
                self.found(f"entry {index}", "it is missing")
                self._whole = False
                continue
            hashes.append(leaf_hash(entry.leaf))
            self._read(entry, hashes[-1])
            if stored is not None and stored[place * HASH_BYTES : (place + 1) * HASH_BYTES] != hashes[-1]:
                self.found(f"entry {index}", "the tree holds another entry in its place")
            self._advance(hashes[-1])
        self.next += tile.width
        return self._filled(root_of(hashes)) if self._whole and tile.width == WIDTH else []

    def compare(self, tile: Tile, stored: bytes | None) -> None:
        """Hold a stored tile against the one computed."""
        if stored != tile.hashes:
            self.found(tile.id.path(), "it is missing" if stored is None else "it is not the tile of these entries")

    def last_tiles(self) -> list[Tile]:
        """The partial tiles above the lowest level, once every entry was taken."""
        return [
            Tile(id=TileId(level=level, n=n, width=len(edge)), hashes=b"".join(edge))
            for level, (n, edge) in enumerate(self._above, 1)
            if edge and self._whole
        ]

    def finish(self) -> Verification:
        """Compare the roots, hold the notes against the keys, and give what was found."""
        if self._whole and self._frontier.root() != self.checkpoint.root:
            self.found(f"checkpoint of {self.checkpoint.size}", "its root is not that of these entries")
        for index in self.unexplained:
            self.found(f"entry {index}", LOST)
        for note, stated in self._unsure:
            if not self.ring.signed(note, stated.size):
                self.found(f"checkpoint of {stated.size}", "it is not signed by the key that the log had there")
        unsigned = self._unsigned()
        kept = [finding for note, each in self._retained for finding in self._unkept(note, each)]
        good = list(self._held(kept))
        # Whose log this is comes before what is in it.
        findings = (*unsigned, *self.findings, *kept)[:MAX_FINDINGS]
        trusted = self.checkpoint if self.checkpoint.size and not unsigned else None
        return Verification(
            size=self.next,
            checkpoint=trusted,
            findings=findings,
            signatures=self.signatures,
            streams=self._streams.count,
            unclosed=self._streams.unclosed,
            keys=self.ring.windows,
            suspicions=self.ring.suspicions(self.next),
            erased=len(self._bare.keys() & self.erased),
            lost=len((self._bare.keys() & self.acknowledged) - self.erased),
            sealed=self.sealed,
            anchors=len(good),
            witnessed=max((each.checkpoint.size for each in good), default=0),
            witnessed_at=good[-1].last_ms if good else None,
        )

    def _held(self, findings: list[Finding]) -> Iterable[Anchor]:
        """The anchors that count, once the log was read. Whether one counts or not, it is of this log, or else found."""
        strange: set[int] = set()
        for index, (note, checkpoint) in self._anchors.held.items():
            if index >= self.next:
                continue
            try:
                open_checkpoint(note, self.ring.log_at(checkpoint.size), self._verify)
                if self._roots.get(checkpoint.size, EMPTY_ROOT) != checkpoint.root:
                    raise NoteError("its root is not that of these entries")
            except NoteError as error:
                strange.add(index)
                problem = f"the checkpoint it anchors is not this log's: {error}"
                findings.append(Finding(place=f"entry {index}", problem=problem))
        good = [each for each in self._anchors.counting if each.index < self.next and each.index not in strange]
        lacks = lacking(good, self._anchors.trust)
        if lacks is not None:
            findings.append(Finding(place="anchors", problem=lacks))
        yield from good

    def cover(self, entry: Entry) -> None:
        """An erasure that was carried out after the checkpoint, while the entries before it were read."""
        reading = self._reader.read(entry)
        if reading.kind == ERASURE_TYPE and not reading.problems:
            self._erasure(entry.index, reading)

    def _erasure(self, index: int, reading: Reading) -> None:
        try:
            self.erased.update(covered(reading.payload, index))
        except ValueError as error:
            self.found(f"entry {index}", f"what it says was erased cannot be read: {error}")

    def _loss(self, index: int, reading: Reading) -> None:
        try:
            self.acknowledged.update(covered(reading.payload, index, "acknowledged"))
        except ValueError as error:
            self.found(f"entry {index}", f"what it says is lost cannot be read: {error}")

    def _disclosed(self, entry: Entry, said: Said) -> None:
        """What was committed to is there, or sealed, or an erasure says that it is gone: which may stand further on."""
        if len(entry.disclosures) < len(said.commitments) - ("alg" in said.commitments):
            if entry.sealed:
                self.sealed += 1
            else:
                self._bare[entry.index] = None if said.action_id is None else ActionId(said.action_id)

    def _unsigned(self) -> list[Finding]:
        """What is wrong with the head and with the keys of the log."""
        if self._head is None:
            return []
        problems = self.ring.objections(self._head, self.checkpoint)
        second = unseconded(self._head, self._anchors.trust)
        if second is not None:
            problems.append(second)
        return [Finding(place="checkpoint", problem=each) for each in problems]

    def _unkept(self, note: SignedNote, kept: Checkpoint) -> Iterable[Finding]:
        """What is wrong between this log and a checkpoint of it that was kept."""
        longer = kept.size > self.checkpoint.size
        problem = self.ring.unlike(note, kept, self.checkpoint.size)
        if problem:
            yield Finding(place=f"retained checkpoint of {kept.size}", problem=problem)
        elif longer:
            said = f"the log here has only {self.checkpoint.size} entries: it is an older copy, or its end was cut off"
            yield Finding(place=f"retained checkpoint of {kept.size}", problem=said)
        elif self._roots.get(kept.size, kept.root) != kept.root:
            yield Finding(place=f"retained checkpoint of {kept.size}", problem="its root is not that of these entries")

    def _advance(self, leaf: bytes) -> None:
        """Move the frontier on, and remember the roots that are to be compared."""
        self._frontier = self._frontier.append((leaf,))
        if self._frontier.size in self._wanted and self._whole:
            self._roots[self._frontier.size] = self._frontier.root()
        note = self._notes.pop(self._frontier.size, None)
        if note is not None and self._whole and self._frontier.size != self.checkpoint.size:
            self._earlier(note)

    def _earlier(self, text: str) -> None:
        """A checkpoint beside an entry is over exactly what was read so far, and a key of this log has signed it."""
        place = f"checkpoint of {self._frontier.size}"
        try:
            note = parse_note(text.encode())
            stated = parse_checkpoint(note.text)
        except (NoteError, UnicodeEncodeError) as error:
            self.found(place, str(error))
            return
        if (stated.size, stated.root) != (self._frontier.size, self._frontier.root()):
            self.found(place, "it is not over these entries")
        elif not self.ring.signed(note, stated.size):
            # Which key was in force here may only be known further on.
            self._unsure.append((note, stated))

    def _read(self, entry: Entry, leaf: bytes) -> None:
        place = f"entry {entry.index}"
        reading = self._reader.read(entry)
        said = reading.said
        self.signatures += reading.signatures
        for problem in reading.problems:
            self.found(place, problem)
        if said is None:
            return
        for problem in (
            *self._streams.follow(reading.kind, said, leaf),
            *self.trails.follow(reading.subject, said),
            *self._callers.follow(reading.kind, reading.subject, said),
        ):
            self.found(place, problem)
        self._disclosed(entry, said)
        if reading.kind == ERASURE_TYPE and not reading.problems:
            self._erasure(entry.index, reading)
        elif reading.kind == LOSS_TYPE and not reading.problems:
            self._loss(entry.index, reading)
        self._time(entry, leaf, reading)

    def _time(self, entry: Entry, leaf: bytes, reading: Reading) -> None:
        """An entry stands between the anchors around it; and an anchor is the one that was looked at beforehand."""
        wrong = None if reading.observed_ms is None else self._sandwich.squeeze(entry.index, reading.observed_ms)
        if wrong is not None:
            self.found(f"entry {entry.index}", wrong)
        if (reading.kind == ANCHOR_TYPE) != (self._anchors.hashes.get(entry.index) == leaf):
            self.found(f"entry {entry.index}", "the store lists other anchors than the log holds")
        elif problem := self._anchors.problems.get(entry.index):
            self.found(f"entry {entry.index}", problem)

    def _filled(self, root: bytes) -> list[Tile]:
        """Add the root of a full tile to the one above it, and give the tiles that this fills."""
        full: list[Tile] = []
        level = 1
        while True:
            if level > len(self._above):
                self._above.append((0, []))
            n, edge = self._above[level - 1]
            edge.append(root)
            if len(edge) < WIDTH:
                return full
            full.append(Tile(id=TileId(level=level, n=n), hashes=b"".join(edge)))
            self._above[level - 1] = (n + 1, [])
            root = root_of(edge)
            level += 1
