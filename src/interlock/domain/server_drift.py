"""Drift of a server: it says something else of a tool than what somebody accepted, has one more, or one less.

It is a fact, told once for each definition that was found in the place of a pin, whatever process saw it and however often. A
server is a stranger, so what can be told of it is bounded: after `MOST_TOLD` definitions in the place of one pin, and `MOST_NEW`
tools that nobody accepted, it is seen and not told. What it says stands behind commitments; so does the name of a tool that
nobody accepted, which may be anybody's words.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar, Final, Literal, NamedTuple

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.duration import MINUTE
from interlock.domain.evidence import Fact, Phase, digest_of_said
from interlock.domain.ids import WorkerId
from interlock.domain.record import Record
from interlock.domain.upstream import Change, Definition

MOST_TOLD: Final = 16
MOST_NEW: Final = 200
MOST_NAME: Final = 128
MOST_SAID: Final = 32_000
"""Characters of a definition that are kept with what is told of it."""
SEEN_EVERY_MS: Final = 10 * MINUTE
"""That a server was seen is written down at most so often."""

State = Literal["", "new", "gone", "changed"]
"""As it was when last looked at; empty: as it was accepted."""


class Drift(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One tool that was seen to be another than the accepted one, and what became of that."""

    kind: ClassVar[str] = "server_drift"

    server: str
    tool: str
    """Its name; of a long one the beginning."""
    mark: str
    """SHA-256 over all of its name, 16 hexadecimal digits."""
    pin: str = ""
    """Digest of what was accepted; empty: nothing."""
    told: tuple[str, ...] = ()
    """Digests that were found in its place and told; empty text: it was gone."""
    state: State = ""
    found: str = ""
    """Digest of what was last found in its place."""
    fields: tuple[str, ...] = ()
    """Which of its members changed."""
    said: str = ""
    """What was found, as JSON; empty where it is longer than `MOST_SAID`."""
    seen_at: int = 0
    """When that was first seen, UTC ms."""
    seen_by: WorkerId = WorkerId("")
    accepted_at: int | None = None

    @property
    def key(self) -> str:
        """By server and tool."""
        return f"{self.server}:{self.mark}"

    @property
    def definition(self) -> Definition | None:
        """What was found, where it is kept."""
        return None if not self.said else msgspec.json.decode(self.said, type=Definition)


class Sighting(Record, frozen=True, kw_only=True, omit_defaults=True):
    """That a server said what tools it has."""

    kind: ClassVar[str] = "server_sighting"

    server: str
    seen_at: int
    tools: int

    @property
    def key(self) -> str:
        """By server."""
        return self.server


class Noted(NamedTuple):
    """What is to be saved of a drift, and told, if anything."""

    drift: Drift
    fact: Fact | None


def mark_of(tool: str) -> str:
    """What stands for the name of a tool in keys."""
    return sha256(tool.encode(errors="surrogatepass")).hexdigest()[:16]


def noted(
    before: Drift | None,
    server: str,
    change: Change,
    pinned: Definition | None,
    present: Definition | None,
    by: WorkerId,
    now: int,
) -> Noted | None:
    """What is new about `change`; None where all of it is known."""
    pin = "" if pinned is None else pinned.digest
    found = "" if present is None else present.digest
    if before is None:
        before = Drift(server=server, tool=change.tool[:MOST_NAME], mark=mark_of(change.tool), pin=pin)
    if before.pin != pin:
        before = msgspec.structs.replace(before, pin=pin, told=(), state="")
    if (before.state, before.found) == (change.kind, found):
        return None
    said = _said(present)
    tells = found not in before.told and len(before.told) < MOST_TOLD
    after = msgspec.structs.replace(
        before,
        state=change.kind,
        found=found,
        fields=change.fields,
        said=said,
        told=(*before.told, found) if tells else before.told,
        seen_at=now,
        seen_by=by,
    )
    return Noted(after, _seen(after, pinned is not None) if tells else None)


def ended(drift: Drift) -> Drift:
    """The server says again what was accepted: there is nothing to look at."""
    return msgspec.structs.replace(drift, state="", found="", fields=(), said="")


def pinned_now(
    before: Drift | None, server: str, tool: str, was: Definition | None, accepted: Definition | None, by: str, now: int
) -> Noted:
    """Somebody accepts what a server says of `tool`: another pin, or none any more."""
    made = before or Drift(server=server, tool=tool[:MOST_NAME], mark=mark_of(tool))
    pin = "" if accepted is None else accepted.digest
    after = msgspec.structs.replace(ended(made), pin=pin, told=(), accepted_at=now)
    body = _body(server, tool, "" if was is None else was.digest, pin)
    return Noted(after, _fact("pinned", server, body, {"by": by, **_definition(_said(accepted))}, now))


def _seen(drift: Drift, known: bool) -> Fact:
    body = {**_body(drift.server, drift.tool if known else "", drift.pin, drift.found), "drift": drift.state}
    if drift.fields:
        body["fields"] = list[JsonValue](drift.fields)
    private: dict[str, JsonValue] = {"worker": drift.seen_by, **_definition(drift.said)}
    if not known:
        private["toolNamed"] = drift.tool
    return _fact("drifted", drift.server, body, private, drift.seen_at)


def _body(server: str, tool: str, pinned: str, found: str) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {"server": server, "tool": tool, "pinned": pinned, "found": found}
    return {name: each for name, each in said.items() if each}


def _definition(said: str) -> dict[str, JsonValue]:
    return {"definition": said} if said else {}


def _said(tool: Definition | None) -> str:
    if tool is None:
        return ""
    text = msgspec.json.encode(tool, order="sorted").decode()
    return text if len(text) <= MOST_SAID else ""


def _fact(phase: Phase, server: str, body: Mapping[str, Any], private: dict[str, JsonValue], now: int) -> Fact:
    return Fact(
        phase=phase,
        subject="server",
        subject_id=server,
        subject_digest=digest_of_said(phase, body, server),
        observed_at=now,
        body=dict(body),
        private=private,
    )
