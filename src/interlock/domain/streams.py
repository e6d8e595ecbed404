"""The streams of a log: the entries of one run of one process, numbered without a gap, each naming the one before it."""

from typing import Final, NamedTuple

from interlock.domain.evidence import PREDICATE_BASE
from interlock.domain.statement import KEY_TYPE, Said

RUN_TYPE: Final = f"{PREDICATE_BASE}/run/v1"


class _Place(NamedTuple):
    seq: int = 0
    leaf: bytes = b""
    opened: bool = False
    closed: bool = False


class Streams:
    """Follows every stream through the entries of a log, in order. One small value a stream is kept, nothing an entry."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    def follow(self, kind: str, said: Said, leaf: bytes) -> list[str]:
        """What is wrong with the place of an entry of `kind`, whose leaf hash is `leaf`, in its stream."""
        stream = said.stream.id
        before = self._places.get(stream, _Place())
        problems: list[str] = []
        if said.stream.seq != before.seq + 1:
            problems.append(f"it is number {said.stream.seq} of stream `{stream}`, after number {before.seq}")
        elif said.stream.prev != before.leaf.hex():
            problems.append(f"it does not name the entry before it in stream `{stream}`")
        if before.closed:
            problems.append(f"it stands in stream `{stream}`, which was closed before")
        opens, closes = kind == RUN_TYPE and said.phase == "opened", kind == RUN_TYPE and said.phase == "closed"
        if opens and before.opened:
            problems.append(f"it opens stream `{stream}` once more")
        if closes and said.entries != said.stream.seq:
            problems.append(f"it closes a stream of {said.entries} entries, and is its number {said.stream.seq}")
        # Whoever hands its key over records nothing after it.
        ends = closes or (kind == KEY_TYPE and said.phase == "rotated")
        self._places[stream] = _Place(said.stream.seq, leaf, before.opened or opens, before.closed or ends)
        return problems

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._places)

    @property
    def unclosed(self) -> tuple[str, ...]:
        """Those of which it is not known that they go no further: each is a prefix of what its run recorded, or will."""
        return tuple(stream for stream, place in self._places.items() if not place.closed)
