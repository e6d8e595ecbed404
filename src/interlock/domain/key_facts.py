"""What is recorded of keys: that a log begins with them, that one replaces another, that one may have been lost."""

from typing import Literal

from interlock.domain.canonical import JsonValue
from interlock.domain.evidence import Fact, digest_of_said
from interlock.domain.keyring import Role
from interlock.domain.note import VerifierKey


def introduction(log: VerifierKey, gate: VerifierKey, at: int) -> Fact:
    """The first fact of a log: the keys it begins with."""
    return _fact("introduced", log.name, {"log": log.vkey(), "gate": gate.vkey()}, {}, at)


def rotation(
    origin: str, role: Role, old: VerifierKey, new: VerifierKey, at: int, private: dict[str, JsonValue]
) -> Fact:
    """The fact that `new` takes over from `old`. Its two signatures are made where its index is known."""
    return _fact("rotated", origin, {"role": role, "key": new.vkey(), "replaces": old.vkey()}, private, at)


def retirement(origin: str, role: Role, key: str, since: int, at: int, private: dict[str, JsonValue]) -> Fact:
    """The fact that `key`, replaced before, may have been in somebody else's hands from entry `since` on."""
    return _fact("retired", origin, {"role": role, "key": key, "since": since, "reason": "compromised"}, private, at)


def _fact(
    phase: Literal["introduced", "rotated", "retired"],
    origin: str,
    body: dict[str, JsonValue],
    private: dict[str, JsonValue],
    at: int,
) -> Fact:
    return Fact(
        phase=phase,
        subject="key",
        subject_id=origin,
        subject_digest=digest_of_said(phase, body),
        observed_at=at,
        body=body,
        private=private,
    )
