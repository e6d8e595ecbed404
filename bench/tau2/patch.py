"""What changed in a record, field by field, and how to take it back.

A change names one place and says what was there and what is there now. Taking it back first looks whether that is
still so: an undo never tramples on what somebody did since. Lists and plain values are replaced whole, objects are
followed into. A field that was not there before is removed again, so the record's text is what it was.
"""

import json
from collections.abc import Iterator
from typing import Any

Change = dict[str, Any]
"""`kind`, `key`, `path` (a list of field names), `was` and `now`; a missing `was` or `now` is an absent field."""

Doc = dict[str, Any]


class ChangedSinceError(ValueError):
    """A field is no longer what the change made it: taking the change back would undo somebody else's work."""


def between(kind: str, key: str, before: Doc, after: Doc | None) -> Iterator[Change]:
    """The changes that lead from `before` to `after`."""
    for path, sides in _differences([], before, after or {}):
        yield {"kind": kind, "key": key, "path": path} | sides


def undone(record: Doc, change: Change) -> Doc:
    """`record` with `change` taken back. Raises ChangedSinceError where the field is not what the change made it."""
    *parents, name = change["path"]
    place = record
    for parent in parents:
        place = place.get(parent, {})
    if _side(place, name) != _side(change, "now"):
        raise ChangedSinceError(f"`{'/'.join(change['path'])}` of `{change['key']}` was changed since")
    if "was" in change:
        place[name] = change["was"]
    else:
        del place[name]
    return record


def _differences(path: list[str], before: Doc, after: Doc) -> Iterator[tuple[list[str], Change]]:
    for name in before | after:
        was, now = before.get(name), after.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _differences([*path, name], was, now)
        elif _side(before, name) != _side(after, name):
            sides = ({"was": was} if name in before else {}) | ({"now": now} if name in after else {})
            yield [*path, name], sides


def _side(place: Doc, name: str) -> str | None:
    """A field's text, or None where there is none: `1`, `1.0` and `true` are three things, `null` is a fourth."""
    return json.dumps(place[name]) if name in place else None
