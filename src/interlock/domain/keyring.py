"""Which key was in force where in a log: what the log itself says of its keys, followed from the keys a verifier trusts.

The first entry of a log introduces the keys of log and gate. A key is replaced by an entry that both the old key and
the new one have signed (`rotation_text`), for exactly this place in exactly this log. That entry is still the old key's:
an entry is signed by the gate's key in force at its index, a checkpoint by the log's key in force at its last entry.

Whoever trusts any key of the chain can follow it both ways, since each link is signed from both ends. Only the log's end
must not be signed by a key that the trusted one has replaced: an old key that was stolen could sign another history.

The identity key signs nothing in the log, but the credentials of those who act. The log names it when it is first replaced,
and in the gate's name: nobody brings it along to trust, and it leads to no other.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.note import (
    Checkpoint,
    NoteError,
    SignedNote,
    VerifierKey,
    VerifyFunction,
    open_checkpoint,
    parse_vkey,
)

Role = Literal["gate", "log", "identity"]
ROLES: Final[tuple[Role, ...]] = ("gate", "log", "identity")

ABOUT_KEYS: Final = ("introduced", "rotated", "retired")
"""The phases of entries about keys."""

_HEADER: Final = "interlock key rotation v1"


class KeySaid(msgspec.Struct, frozen=True):
    """What an entry about keys says in its predicate."""

    phase: str
    log: str = ""
    gate: str = ""
    role: Role | Literal[""] = ""
    key: str = ""
    replaces: str = ""
    endorsement: str = ""
    possession: str = ""
    since: int | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A key and the entries it was in force for, `first` to `last`; None while it is in force."""

    role: Role
    key: VerifierKey
    first: int
    last: int | None = None
    since_at: str = ""
    """When its entry says it came into force; empty for a key that was trusted and never introduced."""
    until_at: str = ""
    suspect_since: int | None = None
    """From this entry on it may have been in somebody else's hands."""

    def holds(self, index: int) -> bool:
        """Whether entry `index` is in it."""
        return self.first <= index and (self.last is None or index <= self.last)


class Suspicion(NamedTuple):
    """Entries (of the gate's key) or checkpoints (of the log's) that a key signed after it may have been lost, or (of the
    identity key) entries in which others may have acted as agents."""

    role: Role
    key: str
    first: int
    last: int


def keyid(key: VerifierKey) -> str:
    """How an envelope points to the key that signed it: the key's name and id, as in its vkey."""
    return f"{key.name}+{key.key_id().hex()}"


def rotation_text(origin: str, role: Role, old: str, new: str, index: int) -> bytes:
    """What both keys sign when one takes over from the other with entry `index` of the log `origin`."""
    return f"{_HEADER}\n{origin}\n{role}\n{old}\n{new}\n{index}\n".encode()


class Held(NamedTuple):
    """The vkeys in force, by role; None where nobody knows, or nobody holds one."""

    log: str | None
    gate: str | None
    identity: str | None = None


def in_force(before: Held, said: Iterable[KeySaid]) -> Held:
    """What is in force after `said`, in order, from what was before. Nothing is verified."""
    held = before
    for each in said:
        if each.phase == "introduced":
            held = Held(each.log, each.gate, held.identity)
        elif each.phase == "rotated" and each.role:
            held = held._replace(**{each.role: each.key})
    return held


class Keyring:
    """The keys of one log, by role, as far as it was read. `take` is given every entry about keys, in order."""

    def __init__(self, trusted_log: VerifierKey, trusted_gates: Iterable[VerifierKey], verify: VerifyFunction) -> None:
        self.trusted_log = trusted_log
        self.trusted_gates = tuple(trusted_gates)
        self._verify = verify
        self._logs = [Window(role="log", key=trusted_log, first=0)]
        self._gates: dict[str, Window] = {
            keyid(each): Window(role="gate", key=each, first=0) for each in self.trusted_gates
        }
        self._identities: list[Window] = []
        self._gate = self._gates.get(keyid(self.trusted_gates[0])) if len(self.trusted_gates) == 1 else None

    @property
    def windows(self) -> tuple[Window, ...]:
        """Every key there was: the log's, the gate's, then those that signed credentials, each from the first on."""
        return (*self._logs, *self._gates.values(), *self._identities)

    def gate(self, keyid: str) -> Window | None:
        """The window of a gate's key, by what an envelope calls it."""
        return self._gates.get(keyid)

    def log_at(self, size: int) -> VerifierKey:
        """The key that signs the checkpoint of `size` entries."""
        last = max(size - 1, 0)
        return next(each.key for each in self._logs if each.last is None or last <= each.last)

    def take(self, index: int, said: KeySaid, at: str = "") -> list[str]:
        """What entry `index`, observed `at`, says about keys; gives what is wrong with it, and then changes nothing."""
        match said.phase:
            case "introduced":
                return self._introduce(index, said, at)
            case "rotated":
                return self._rotate(index, said, at)
            case "retired":
                return self._retire(index, said)
            case _:
                return [f"it says `{said.phase}` of a key, which means nothing"]

    def mistrusted(self, size: int) -> list[str]:
        """Why the keys of this log, of `size` entries, are not those that the verifier trusts."""
        problems: list[str] = []
        place = next((n for n, each in enumerate(self._logs) if each.key == self.trusted_log), None)
        if place is None:
            problems.append(f"no key of this log is or leads to the one that is trusted, `{keyid(self.trusted_log)}`")
        elif self.log_at(size) in [each.key for each in self._logs[:place]]:
            problems.append(f"it is signed by a key that `{keyid(self.trusted_log)}`, which is trusted, has replaced")
        if self.trusted_gates and not any(self._gates.get(keyid(each)) for each in self.trusted_gates):
            problems.append(
                f"no key of its gate is or leads to the one that is trusted, `{keyid(self.trusted_gates[0])}`"
            )
        return problems

    def signed(self, note: SignedNote, size: int) -> bool:
        """Whether the log's key that was in force at `size` signed the checkpoint in `note`."""
        return self._made(note, self.log_at(size))

    def unlike(self, note: SignedNote, kept: Checkpoint, size: int) -> str:
        """What the signature of a checkpoint that somebody kept says against it, in this log of `size` entries; or nothing.

        A log that was restored from before a change of keys knows nothing of the later key, and goes on under the earlier one.
        """
        if kept.origin != self.trusted_log.name:
            return f"it is of the log `{kept.origin}`"
        signer = next((each for each in self._logs if self._made(note, each.key)), None)
        if signer is None and kept.size > size and self._made(note, self.trusted_log):
            return ""
        if signer is None:
            names = [f"`{each.name}+{each.key_id.hex()}`" for each in note.signatures if each.name == kept.origin]
            said = f"it is not signed by a key of this log, but by {', '.join(names) or 'nobody of its name'}: "
            other = "it is of another log of that name"
            later = "by a later key, and the end of the log is missing here, with the change of keys"
            return said + (f"{later}; or {other}" if kept.size > size else other)
        last, name = max(kept.size - 1, 0), keyid(signer.key)
        if signer.last is not None and last > signer.last:
            return (
                f"it is signed by `{name}`, which was replaced in entry {signer.last}: somebody signed with the replaced key, or "
                "a copy of this log from before that went on by itself"
            )
        return f"it is signed by `{name}`, which came only with entry {signer.first}" if last < signer.first else ""

    def _made(self, note: SignedNote, key: VerifierKey) -> bool:
        try:
            open_checkpoint(note, key, self._verify)
        except NoteError:
            return False
        return True

    def objections(self, note: SignedNote, checkpoint: Checkpoint) -> list[str]:
        """What is wrong with a log's head and with its keys, once these were followed to it."""
        problems = self.mistrusted(checkpoint.size) if checkpoint.size else []
        try:
            open_checkpoint(note, self.log_at(checkpoint.size), self._verify)
        except NoteError as error:
            problems.insert(0, str(error))
        return problems

    def suspicions(self, size: int) -> tuple[Suspicion, ...]:
        """What keys signed that may have been lost by then, among the first `size` entries."""
        found: list[Suspicion] = []
        for each in self.windows:
            last = size - 1 if each.last is None else min(each.last, size - 1)
            since = max(each.first, each.suspect_since) if each.suspect_since is not None else size
            if since <= last:
                found.append(Suspicion(each.role, keyid(each.key), since, last))
        return tuple(found)

    def _introduce(self, index: int, said: KeySaid, at: str) -> list[str]:
        if index:
            return ["it introduces keys, which only the first entry of a log does"]
        try:
            log, gate = parse_vkey(said.log), parse_vkey(said.gate)
        except NoteError as error:
            return [f"it introduces what is no key: {error}"]
        window = Window(role="gate", key=gate, first=0, since_at=at)
        self._logs = [Window(role="log", key=log, first=0, since_at=at)]
        self._gates, self._gate = {keyid(gate): window}, window
        return []

    def _rotate(self, index: int, said: KeySaid, at: str) -> list[str]:
        if not said.role:
            return ["it does not say whose key it replaces"]
        now = self._now(said)
        if now is None or said.replaces != now.key.vkey():
            return [f"it replaces a key of the {said.role} that was not in force"]
        try:
            new = parse_vkey(said.key)
        except NoteError as error:
            return [f"it puts in force what is no key: {error}"]
        if new.name != now.key.name or any(new.public == each.key.public for each in (*self.windows, now)):
            return [f"it puts in force a key of the {said.role} of another name, or one that was there before"]
        text = rotation_text(self._logs[0].key.name, said.role, said.replaces, said.key, index)
        for signed, key, whose in ((said.endorsement, now.key, "old"), (said.possession, new, "new")):
            if not self._verify(key.public, text, _bytes(signed)):
                return [f"it puts a key of the {said.role} in force that the {whose} key did not sign"]
        if said.role == "identity" and not self._identities:
            self._identities.append(now)
        self._replace(now, msgspec.structs.replace(now, last=index, until_at=at))
        window = Window(role=said.role, key=new, first=index + 1, since_at=at)
        if said.role == "log":
            self._logs.append(window)
        elif said.role == "identity":
            self._identities.append(window)
        else:
            self._gates[keyid(new)] = self._gate = window
        return []

    def _now(self, said: KeySaid) -> Window | None:
        """The key in force of the role that `said` is about."""
        match said.role:
            case "log":
                return self._logs[-1]
            case "identity" if self._identities:
                return self._identities[-1]
            case "identity":
                return self._unnamed(said.replaces)
            case _:
                return self._gate

    def _unnamed(self, vkey: str) -> Window | None:
        """The identity key that is named for the first time, as it is replaced. It was in force so far."""
        try:
            key = parse_vkey(vkey)
        except NoteError:
            return None
        # A key that signs the log signs no credentials.
        signs = any(key.public == each.key.public for each in self.windows)
        return None if signs else Window(role="identity", key=key, first=0)

    def _retire(self, index: int, said: KeySaid) -> list[str]:
        found = next((each for each in self.windows if each.role == said.role and each.key.vkey() == said.key), None)
        if found is None or found.last is None or said.since is None or not 0 <= said.since <= index:
            return ["it speaks of a key that was not replaced before it"]
        since = said.since if found.suspect_since is None else min(said.since, found.suspect_since)
        self._replace(found, msgspec.structs.replace(found, suspect_since=since))
        return []

    def _replace(self, old: Window, new: Window) -> None:
        if old.role == "log":
            self._logs[self._logs.index(old)] = new
        elif old.role == "identity":
            self._identities[self._identities.index(old)] = new
        else:
            self._gates[keyid(old.key)] = new


def _bytes(text: str) -> bytes:
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""
    return data if b64encode(data).decode() == text else b""
