"""What changed in a record, field by field, and how to take it back.

A change names one place and says what was there and what is there now. Taking it back first looks whether that is
still so: an undo never tramples on what somebody did since. Lists and plain values are replaced whole, objects are
followed into. A field that was not there before is removed again, so the record's text is what it was.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

Doc = dict[str, Any]


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of one record; an unset `was` or `now` is a field that was not there or is not there any more."""

    kind: str
    key: str
    path: tuple[str, ...]
    was: Any = msgspec.UNSET
    now: Any = msgspec.UNSET


class ChangedSinceError(ValueError):
    """A field is no longer what the change made it: taking the change back would undo somebody else's work."""


def between(kind: str, key: str, before: Doc, after: Doc) -> Iterator[Change]:
    """The changes that lead from `before` to `after`."""
    for path, was, now in _differences((), before, after):
        yield Change(kind=kind, key=key, path=path, was=was, now=now)


def undone(record: Doc, change: Change) -> Doc:
    """`record` with `change` taken back. Raises ChangedSinceError where the field is not what the change made it."""
    *parents, name = change.path
    place = record
    for parent in parents:
        place = place.get(parent, {})
    if _text(place.get(name, msgspec.UNSET)) != _text(change.now):
        raise ChangedSinceError(f"`{'/'.join(change.path)}` of `{change.key}` was changed since")
    if change.was is msgspec.UNSET:
        place.pop(name, None)
    else:
        place[name] = change.was
    return record


def written(changes: Sequence[Change]) -> str:
    """Changes as JSON text. Floats keep their value: the shortest text that reads back as the same float."""
    return msgspec.json.encode(changes).decode()


def read(text: str) -> list[Change]:
    """What `written` wrote. Raises msgspec.DecodeError for anything else."""
    return msgspec.json.decode(text, type=list[Change])


def _differences(path: tuple[str, ...], before: Doc, after: Doc) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    for name in before | after:
        was, now = before.get(name, msgspec.UNSET), after.get(name, msgspec.UNSET)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _differences((*path, name), was, now)
        elif _text(was) != _text(now):
            yield (*path, name), was, now


def _text(value: Any) -> str | None:
    """A field's text, or None where there is none: `1`, `1.0` and `true` are three things, `null` is a fourth."""
    return None if value is msgspec.UNSET else json.dumps(value)
