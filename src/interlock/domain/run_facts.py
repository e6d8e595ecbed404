"""What is recorded of runs: that a process began to record, and that it ended having recorded everything it would.

A stream that was not closed is known as far as it goes, and no further: its process may be at work, or have died, and whether
more was recorded only a checkpoint that somebody kept can tell.
"""

from typing import Final

import msgspec

from interlock.domain.canonical import JsonValue, digest
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import Digest, StreamId, WorkerId

VERSION: Final = "0.1.0"
"""Of the program: what its distribution says, without the 20 ms that asking takes every process."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One process, from when it opened its store to when it closes it."""

    stream: StreamId
    worker: WorkerId
    gate: str
    """The key it signs with, as a vkey."""


def run_opened(run: Run, at: int) -> Fact:
    """`run` begins to record. The name of the machine may be that of a person, so it is private."""
    return _fact(run, "opened", {"interlock": VERSION, "gateKey": run.gate}, {"worker": run.worker}, at)


def run_closed(run: Run, entries: int, at: int) -> Fact:
    """`run` ended well: its stream has `entries` entries, this one included, and will have no more."""
    return _fact(run, "closed", {"entries": entries}, {}, at)


def _fact(run: Run, phase: Phase, body: dict[str, JsonValue], private: dict[str, JsonValue], at: int) -> Fact:
    return Fact(
        phase=phase,
        subject="run",
        subject_id=run.stream,
        subject_digest=Digest(digest({"gateKey": run.gate, "interlock": VERSION, "stream": run.stream})),
        observed_at=at,
        body=body,
        private=private,
    )
