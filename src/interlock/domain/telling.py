"""A packet told as one: its entries say each thing once, and here they are put together again.

Nothing is verified here. What an entry says of a thing replaces what one before it said; words of people are added up. A clear
text counts only where it opens the commitment of its entry: whatever else lies beside an entry says nothing.
"""

from collections.abc import Iterable
from typing import Final, cast

import msgspec

from interlock.domain import disclosure, dsse
from interlock.domain.canonical import JsonValue
from interlock.domain.disclosure import DisclosureError
from interlock.domain.dsse import DsseError
from interlock.domain.evidence import Entry

Object = dict[str, JsonValue]

_OWN: Final = frozenset(
    {"recordId", "stream", "phase", "times", "commitments", "fieldEvidence", "actionSeq", "state", "withheld"}
)
"""What each entry says of itself alone."""
_PARTS: Final = frozenset({"compensation"})
"""What later entries add to, part by part."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One entry in the course of the action."""

    entry: int
    phase: str
    state: str
    at: str
    problem: str = ""
    """Why it cannot be read."""


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """All that a packet says of its action."""

    moments: tuple[Moment, ...]
    said: Object
    """In the open, by field, as last said; `decisions`, `approvals` and `attempts` hold every one there was."""
    clear: dict[str, list[JsonValue]]
    """The clear texts by name, in the order in which they were committed to."""
    withheld: tuple[str, ...]
    """What was committed to, and is not disclosed here: it was erased, or taken out."""
    whose: dict[str, str]
    """By field or commitment whose word it is, where it is not the gate's own observation."""


def tell(entries: Iterable[Entry]) -> Telling:
    """Put the entries of one action together."""
    moments: list[Moment] = []
    said: Object = {"decisions": [], "approvals": [], "attempts": []}
    clear: dict[str, list[JsonValue]] = {}
    withheld: dict[str, None] = {}
    whose: dict[str, str] = {}
    for entry in entries:
        try:
            predicate = _predicate(entry)
        except (DsseError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError) as error:
            moments.append(Moment(entry=entry.index, phase=entry.phase, state="", at="", problem=str(error)))
            continue
        times = _object(predicate.get("times"))
        moments.append(
            Moment(
                entry=entry.index,
                phase=str(predicate.get("phase", "")),
                state=str(predicate.get("state", "")),
                at=str(times.get("observedAt", "")),
            )
        )
        if "receivedAt" in times:
            said["receivedAt"] = times["receivedAt"]
        _add(said, predicate)
        _open(entry, _object(predicate.get("commitments")), clear, withheld)
        for grade, names in _object(predicate.get("fieldEvidence")).items():
            whose.update({str(name): grade for name in _list(names)})
    return Telling(moments=tuple(moments), said=said, clear=clear, withheld=tuple(withheld), whose=whose)


def _predicate(entry: Entry) -> Object:
    statement = msgspec.json.decode(dsse.parse(entry.leaf).payload, type=dict[str, JsonValue])
    predicate = statement.get("predicate")
    if not isinstance(predicate, dict):
        raise TypeError("it holds no predicate")
    return predicate


def _add(said: Object, predicate: Object) -> None:
    for name, value in predicate.items():
        if name in _OWN:
            continue
        if name in ("decision", "attempt"):
            _list(said[f"{name}s"]).append(value)
        elif name == "approvals":
            _list(said[name]).extend(_list(value))
        elif name in _PARTS and isinstance(value, dict):
            said[name] = {**_object(said.get(name)), **value}
        else:
            said[name] = value


def _open(entry: Entry, commitments: Object, clear: dict[str, list[JsonValue]], withheld: dict[str, None]) -> None:
    closed = {name: digest for name, digest in commitments.items() if name != "alg"}
    for text in entry.disclosures:
        try:
            opened = disclosure.parse(text)
        except DisclosureError:
            continue
        if closed.get(opened.name) == disclosure.digest_of(text):
            del closed[opened.name]
            clear.setdefault(opened.name, []).append(cast(JsonValue, opened.value))
    withheld.update(dict.fromkeys(closed))


def _object(value: JsonValue) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
