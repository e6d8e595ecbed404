"""How records become text for a store, and back: one JSON form, the same in every store.

A store compares revisions and never looks into the text for it. Versions that are filed under their own digest are
stored once and never changed; readers may keep them.
"""

from typing import Final, NamedTuple, TypeVar, cast

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.record import Record
from interlock.domain.release import Release
from interlock.domain.whatif import Decided

R = TypeVar("R", bound=Record)

UNCHANGING: Final[frozenset[str]] = frozenset(kind.kind for kind in (Agent, Bundle, Contract, Release))
"""The kinds that are filed under their digest."""

decided_of: Final = msgspec.json.Decoder(Decided).decode
"""Reads of an action's text what is needed to ask again. ValueError when it is none."""
_encode: Final = msgspec.json.Encoder().encode
_decoders: Final[dict[type[Record], msgspec.json.Decoder[Record]]] = {}


class Filed(NamedTuple):
    """A record as it is about to be stored: the revision it must still be at, and its text at the next one."""

    kind: str
    key: str
    revision: int
    body: str
    record: Record


def filed(record: Record) -> Filed:
    """Write `record` down as it will be once saved. ValueError for a new revision of what never changes."""
    if record.revision and record.kind in UNCHANGING:
        raise ValueError(f"a stored {record.kind} never changes; store a new version under its own digest")
    return Filed(record.kind, record.key, record.revision, text_of(record.saved()), record)


def text_of(record: Record) -> str:
    """The JSON text of `record`, as stored."""
    return _encode(record).decode()


def record_of(kind: type[R], body: str) -> R:
    """Read a record back. ValueError when the text is not one of this kind."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = cast("msgspec.json.Decoder[Record]", msgspec.json.Decoder(kind))
    return cast(R, decoder.decode(body))
