"""Who must have cosigned a checkpoint before a verifier believes it: policy files as C2SP tlog-policy writes them.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

Lines of words between spaces and tabs; `#` begins a comment line. Names are used before the `quorum` and defined before they
are used; each is a member once. A file without its one quorum line is refused: absence would mean that nobody has to agree.
Format: https://c2sp.org/tlog-policy.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from interlock.domain.cosignature import CosignerKey, parse_cosigner
from interlock.domain.note import NoteError, VerifierKey, parse_vkey

MAX_POLICY_BYTES: Final = 256 * 1024
MOST_LINES: Final = 1000
"""Of logs, witnesses and groups together."""
NONE: Final = "none"

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,3}")


class PolicyFileError(ValueError):
    """A text is not a trust policy; the message begins with the line."""


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who cosigns, by a name that means something in this policy only."""

    name: str
    key: CosignerKey
    url: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """So many of these."""

    name: str
    needed: int
    members: tuple[str, ...]


class TrustPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which logs are known, who cosigns, and whose cosignatures together are enough."""

    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str
    logs: tuple[VerifierKey, ...] = ()

    @property
    def keys(self) -> tuple[CosignerKey, ...]:
        """Everybody who may count."""
        return tuple(each.key for each in self.witnesses)

    def met(self, by: Iterable[CosignerKey]) -> bool:
        """Whether these cosigners together are enough."""
        if self.quorum == NONE:
            return True
        cosigned = set(by)
        agreed = {each.name for each in self.witnesses if each.key in cosigned}
        # A group names only what was defined before it, so one pass in order decides them all.
        for group in self.groups:
            if sum(member in agreed for member in group.members) >= group.needed:
                agreed.add(group.name)
        return self.quorum in agreed

    def encode(self) -> bytes:
        """Give the policy file."""
        lines = [f"log {each.vkey()}" for each in self.logs]
        lines += [f"witness {each.name} {each.key.vkey()} {each.url}".rstrip() for each in self.witnesses]
        lines += [f"group {each.name} {each.needed} {' '.join(each.members)}" for each in self.groups]
        return "\n".join([*lines, f"quorum {self.quorum}", ""]).encode(errors="surrogateescape")


def at_least(needed: int, witnesses: Iterable[Witness]) -> TrustPolicy:
    """So many of these witnesses."""
    known = tuple(witnesses)
    if not 1 <= needed <= len(known):
        raise PolicyFileError(f"{needed} of {len(known)} witnesses can never agree")
    group = Group(name="quorum", needed=needed, members=tuple(each.name for each in known))
    return TrustPolicy(witnesses=known, groups=(group,), quorum=group.name)


def parse_policy(data: bytes) -> TrustPolicy:
    """Read a policy file of at most 256 KiB; anything else raises PolicyFileError."""
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyFileError(f"the policy is longer than {MAX_POLICY_BYTES} bytes")
    # Bytes that are no ASCII mean nothing but themselves: each becomes one character, and back.
    text = data.decode(errors="surrogateescape")
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), start=1):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            if _CONTROL.search(line):
                raise PolicyFileError("control characters have no place in a policy")
            reading.line(words)
        except (PolicyFileError, NoteError) as error:
            raise PolicyFileError(f"line {number}: {error}") from None
    return reading.whole()


class _Reading:
    """One reading of one file."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self.names: set[str] = set()
        self.members: set[str] = set()

    def line(self, words: list[str]) -> None:
        if len(self.logs) + len(self.names) >= MOST_LINES:
            raise PolicyFileError(f"there are more than {MOST_LINES} logs, witnesses and groups")
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._log(parse_vkey(vkey))
            case ["witness", name, vkey]:
                self._witness(Witness(name=self._new(name), key=parse_cosigner(vkey)))
            case ["witness", name, vkey, url]:
                self._witness(Witness(name=self._new(name), key=parse_cosigner(vkey), url=url))
            case ["group", name, needed, *members] if members:
                self._group(name, needed, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise PolicyFileError("there is a second quorum")
                if name != NONE and name not in self.names:
                    raise PolicyFileError(f"`{name}` was not defined before")
                self.quorum = name
            case _:
                raise PolicyFileError(f"`{words[0]}` is not how a line begins, or its words are too few or too many")

    def whole(self) -> TrustPolicy:
        if self.quorum is None:
            raise PolicyFileError("the policy has no quorum line")
        return TrustPolicy(
            witnesses=tuple(self.witnesses), groups=tuple(self.groups), quorum=self.quorum, logs=tuple(self.logs)
        )

    def _log(self, key: VerifierKey) -> None:
        if any(key.public == each.public for each in self.logs):
            raise PolicyFileError("a log's key is there twice")
        self.logs.append(key)

    def _witness(self, witness: Witness) -> None:
        if any(witness.key.public == each.key.public for each in self.witnesses):
            raise PolicyFileError("a witness's key is there twice")
        self.names.add(witness.name)
        self.witnesses.append(witness)

    def _group(self, name: str, needed: str, members: list[str]) -> None:
        self._new(name)
        for member in members:
            if member not in self.names:
                raise PolicyFileError(f"`{member}` was not defined before")
            if member in self.members:
                raise PolicyFileError(f"`{member}` is a member twice")
            self.members.add(member)
        count = {"all": len(members), "any": 1}.get(needed) or (int(needed) if _COUNT.fullmatch(needed) else 0)
        if not 1 <= count <= len(members):
            raise PolicyFileError(f"`{needed}` of {len(members)} is no number of members")
        self.names.add(name)
        self.groups.append(Group(name=name, needed=count, members=tuple(members)))

    def _new(self, name: str) -> str:
        if name == NONE or name in self.names:
            raise PolicyFileError(f"`{name}` is defined already")
        return name
