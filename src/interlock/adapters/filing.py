"""How records become text for a store, and back: one JSON form, the same in every store.

A store compares revisions and never looks into the text for it. Versions that are filed under their own digest are
stored once and never changed; readers may keep them.

What is written is read again before it is stored: a value of the wrong type, which Python lets anybody put into a record,
would be found only by whoever needs the record, and by then nobody could mend it.
"""

from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from interlock.domain.action import Action
from interlock.domain.agent import Agent
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.erasure import BLANK, PUBLIC
from interlock.domain.errors import ContractError, IntegrityError
from interlock.domain.record import Record, Withheld
from interlock.domain.release import Release
from interlock.domain.whatif import Decided

R = TypeVar("R", bound=Record)

UNCHANGING: Final[frozenset[str]] = frozenset(kind.kind for kind in (Agent, Bundle, Contract, Release))
"""The kinds that are filed under their digest."""

_decided: Final = msgspec.json.Decoder(Decided).decode
_encode: Final = msgspec.json.Encoder().encode
_decoders: Final[dict[type[Record], msgspec.json.Decoder[Record]]] = {}


class _Part:
    """Some fields of one kind of record, written as a record's own text would have them."""

    def __init__(self, kind: type[Record], names: frozenset[str]) -> None:
        fields = [each for each in msgspec.structs.fields(kind) if each.name in names]
        self._get = attrgetter(*(each.name for each in fields))
        self._kind = msgspec.defstruct(
            f"{kind.__name__}Part",
            [(each.name, each.type, _default(each)) for each in fields],
            omit_defaults=True,
        )

    def text(self, record: Record) -> bytes:
        """A JSON object of those of its fields that are not at their default."""
        return _encode(self._kind(*self._get(record)))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default if field.default is not msgspec.NODEFAULT else msgspec.UNSET


_parts: Final[dict[type[Record], tuple[_Part, _Part]]] = {}


class Cut(NamedTuple):
    """A record's text in two: what stays readable, and what is sealed. Both are JSON objects."""

    public: bytes
    private: bytes

    def whole(self) -> bytes:
        """The record's text."""
        return joined(self.public, self.private)


def cut(record: Record) -> Cut:
    """The text of a record of a kind that has something private."""
    kind = type(record)
    parts = _parts.get(kind)
    if parts is None:
        every = frozenset(each.name for each in msgspec.structs.fields(kind))
        public = PUBLIC[kind.kind]
        parts = _parts[kind] = (_Part(kind, public), _Part(kind, every - public))
    return Cut(parts[0].text(record), parts[1].text(record))


def joined(public: bytes, private: bytes) -> bytes:
    """One JSON object out of two that are not empty. What the second says counts."""
    return public if private == b"{}" else public[:-1] + b"," + private[1:]


def withheld(kind: str, public: bytes, why: Withheld) -> bytes:
    """The text of a record of which only the public part can be read."""
    return joined(public, _encode({**BLANK[kind], "withheld": why}))


class Filed(NamedTuple):
    """A record as it is about to be stored: the revision it must still be at, and its text at the next one."""

    kind: str
    key: str
    revision: int
    body: str
    record: Record
    read: Record
    """What the text says, as whoever reads it next will have it."""
    cut: Cut | None
    """The same text in two, for the kinds that have something private."""


def filed(record: Record) -> Filed:
    """Write `record` down as it will be once saved.

    Raises ContractError for what could not be read again, ValueError for a new revision of what never changes.
    """
    kind = record.kind
    if record.revision and kind in UNCHANGING:
        raise ValueError(f"a stored {kind} never changes; store a new version under its own digest")
    try:
        saved = record.saved()
        apart = cut(saved) if kind in PUBLIC else None
        body = apart.whole() if apart is not None else _encode(saved)
        read = _decoder(type(record)).decode(body)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ContractError(
            f"this {kind} cannot be stored, as nobody could read it again: {error}",
            next_step="nothing was written; give what is named there as the type that is expected",
        ) from None
    return Filed(kind, record.key, record.revision, body.decode(), record, read, apart)


def text_of(record: Record) -> str:
    """The JSON text of `record`, as stored."""
    return _encode(record).decode()


def record_of(kind: type[R], body: str | bytes, key: str = "") -> R:
    """Read a record back. Raises IntegrityError, naming the record, when the text is not one of this kind."""
    try:
        return cast(R, _decoder(kind).decode(body))
    except ValueError as error:
        raise _unreadable(kind, body, key, error) from None


def decided_of(body: str | bytes) -> Decided:
    """Of an action's text what is needed to ask again. Raises IntegrityError when it is none."""
    try:
        return _decided(body)
    except ValueError as error:
        raise _unreadable(Action, body, "", error) from None


def _decoder(kind: type[Record]) -> msgspec.json.Decoder[Record]:
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return decoder


def _unreadable(kind: type[Record], body: str | bytes, key: str, error: ValueError) -> IntegrityError:
    return IntegrityError(
        f"the stored {kind.kind} `{key or _name(body)}` cannot be read: {error}",
        next_step="stop writing and keep the file; something else wrote or altered it: restore a backup beside it, "
        "and hold the two against each other with `interlock verify`",
        kind=kind.kind,
        key=key or _name(body),
    )


def _name(body: str | bytes) -> str:
    """What a text that cannot be read calls itself, if that much can be read."""
    try:
        said = msgspec.json.decode(body, type=_Named)
    except ValueError:
        return "?"
    return said.id or said.name or "?"


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    id: str = ""
    name: str = ""
