"""What the log's entries say of an action, in one readable row; and one entry's Statement as plain values.

Both are read from the signed bytes alone. Nothing is verified here: whoever has the row can, from the entries it names.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from interlock.domain import dsse
from interlock.domain.canonical import JsonValue
from interlock.domain.dsse import DsseError
from interlock.domain.evidence import PREDICATE_BASE

Object = dict[str, Any]


class Told(NamedTuple):
    """One entry as its Statement tells it."""

    entry: int
    """Its index in the log."""
    subject: str
    """`action`, `task`, `control`, `key`, `anchor` and so on."""
    name: str
    """What it is about: `urn:interlock:action:...`."""
    phase: str
    at: str
    """When, as the Statement writes it: RFC 3339."""
    action: str
    seq: int
    state: str
    commitments: Mapping[str, str]
    predicate: Object


class _Subject(msgspec.Struct, frozen=True):
    name: str


class _Statement(msgspec.Struct, frozen=True, rename={"predicate_type": "predicateType"}):
    predicate_type: str
    subject: tuple[_Subject, ...]
    predicate: Object


_decode: Final = msgspec.json.Decoder(_Statement).decode


def told(index: int, leaf: bytes) -> Told | None:
    """What the entry of these bytes says, or None where they are no Statement of ours."""
    try:
        said = _decode(dsse.parse(leaf).payload)
    except (DsseError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not said.subject or not said.predicate_type.startswith(f"{PREDICATE_BASE}/"):
        return None
    predicate = said.predicate
    seq = predicate.get("actionSeq", 0)
    return Told(
        entry=index,
        subject=said.predicate_type.removeprefix(f"{PREDICATE_BASE}/").partition("/")[0],
        name=said.subject[0].name,
        phase=str(predicate.get("phase", "")),
        at=str(within(predicate, "times", "observedAt")),
        action=str(predicate.get("actionId", "")),
        seq=seq if type(seq) is int else 0,
        state=str(predicate.get("state", "")),
        commitments=_texts(predicate.get("commitments")),
        predicate=predicate,
    )


def within(value: object, *steps: str) -> Any:
    """What stands under these names, one below the other, or an empty text."""
    for step in steps:
        value = cast(Object, value).get(step, "") if isinstance(value, dict) else ""
    return value


def listed(value: object, *steps: str) -> list[Any]:
    """The list under these names, or an empty one."""
    found = within(value, *steps)
    return [*cast("tuple[Any, ...]", found)] if isinstance(found, list) else []


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One action in one row: what `actions.jsonl` of an export holds."""

    action: str
    task: str = ""
    agent: str = ""
    release: str = ""
    contract: str = ""
    state: str
    facts: int
    """How many numbered facts the log holds of it."""
    entries: tuple[int, ...]
    first_at: str
    last_at: str
    verdict: str = ""
    policies: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    """The roles of those who agreed. Their names are clear texts, and not in the log."""
    effect: str = ""
    """`occurred`, `none` or `unknown`, where it was observed."""
    undone_by: str = ""

    def with_(self, told: Told) -> "Account":
        """It, after one more entry."""
        said = told.predicate
        numbered = bool(told.seq)
        return Account(
            action=self.action,
            task=self.task or str(within(said, "taskId")),
            agent=self.agent or str(within(said, "agent", "id")),
            release=self.release or str(within(said, "agent", "release")),
            contract=self.contract or str(within(said, "resource", "id")),
            state=told.state if numbered else self.state,
            facts=told.seq if numbered else self.facts,
            entries=(*self.entries, told.entry),
            first_at=self.first_at,
            last_at=told.at,
            verdict=str(within(said, "decision", "reported")) or self.verdict,
            policies=tuple(map(str, listed(said, "decision", "policies"))) or self.policies,
            approved_by=(*self.approved_by, *_roles(said)),
            effect=str(within(said, "effect", "observed")) or self.effect,
            undone_by=str(within(said, "compensation", "ref")) or self.undone_by,
        )


def account_of(told: Told) -> Account:
    """The row after an action's first entry."""
    empty = Account(action=told.action, state="", facts=0, entries=(), first_at=told.at, last_at=told.at)
    return empty.with_(told)


def _roles(said: Object) -> tuple[str, ...]:
    """Who agreed in this entry, by role. Each word stands in one entry."""
    words = listed(said, "approvals")
    agreed = [word for word in words if within(word, "verdict") == "approve"]
    return tuple("/".join(map(str, listed(word, "roles"))) for word in agreed)


def _texts(value: object) -> dict[str, str]:
    found = cast(Object, value) if isinstance(value, dict) else {}
    return {name: text for name, text in found.items() if name != "alg" and isinstance(text, str)}


def line(value: JsonValue | msgspec.Struct) -> bytes:
    """One line of a JSON Lines file."""
    return msgspec.json.encode(value) + b"\n"
