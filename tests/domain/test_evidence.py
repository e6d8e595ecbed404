"""Statements: what a fact says in the log, exactly, and what no fact can make it say."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.canonical import encode
from interlock.domain.evidence import Entry, Fact, Packet, Position, at, statement
from interlock.domain.ids import ActionId, Digest, StreamId

POSITION = Position(stream=StreamId("run-1"), seq=4, prev="ab" * 32)


def _fact(**changes: Any) -> Fact:
    values: dict[str, Any] = {
        "phase": "decided",
        "subject": "action",
        "subject_id": "a-1",
        "subject_digest": Digest("c" * 64),
        "observed_at": 1_795_255_200_007,
        "body": {"state": "held", "taskId": "t-1"},
        "action": ActionId("a-1"),
        "seq": 1,
    }
    return Fact(**values | changes)


def test_a_statement_reads_as_in_toto_says() -> None:
    """The whole Statement of one fact, field by field."""
    said = statement(_fact(), POSITION, record_id="0190", commitments={"toolArgs": "x_Y"})

    assert json.loads(encode(said)) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "urn:interlock:action:a-1", "digest": {"sha256": "c" * 64}}],
        "predicateType": "https://interlock.dev/evidence/action/v1",
        "predicate": {
            "recordId": "urn:uuid:0190",
            "phase": "decided",
            "stream": {"id": "run-1", "seq": 4, "prev": "ab" * 32},
            "times": {"observedAt": "2026-11-21T10:00:00.007Z", "clock": "asserted"},
            "state": "held",
            "taskId": "t-1",
            "actionId": "a-1",
            "actionSeq": 1,
            "commitments": {"alg": "sha-256", "toolArgs": "x_Y"},
        },
    }


def test_a_fact_about_no_action_names_none() -> None:
    """A fact about a task has neither action nor commitments where it has nothing private."""
    said: Any = statement(
        _fact(subject="task", subject_id="t-1", action=None), POSITION, record_id="0190", commitments={}
    )

    assert said["predicateType"].endswith("/task/v1")
    assert not {"actionId", "actionSeq", "commitments"} & said["predicate"].keys()


@pytest.mark.proves("evidence.body_cannot_speak_for_the_gate")
@given(st.sampled_from(["recordId", "phase", "stream", "times", "actionId", "actionSeq", "commitments"]))
def test_a_body_cannot_overwrite_what_the_gate_says(field: str) -> None:
    """Whatever a body calls itself, phase, place, time, action and commitments are those of the gate."""
    honest: Any = statement(_fact(), POSITION, record_id="0190", commitments={"nonce": "n"})
    forged: Any = statement(
        _fact(body={"state": "held", "taskId": "t-1", field: "forged"}),
        POSITION,
        record_id="0190",
        commitments={"nonce": "n"},
    )

    assert forged == honest


def test_no_commitment_replaces_the_name_of_the_algorithm() -> None:
    """A private value called `alg` cannot change how commitments are to be read."""
    said: Any = statement(_fact(), POSITION, record_id="0190", commitments={"alg": "none"})

    assert said["predicate"]["commitments"]["alg"] == "sha-256"


@given(st.integers(0, 253_402_300_799_999))
def test_times_are_written_to_the_millisecond(moment: int) -> None:
    """Every time up to the year 9999 is written in RFC 3339 with three digits and `Z`, and reads back as itself."""
    text = at(moment)

    read = datetime.fromisoformat(text)
    assert len(text) == 24
    assert text.endswith("Z")
    assert (read - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() == pytest.approx(moment / 1000, abs=0.0004)


def test_a_packet_travels_as_json() -> None:
    """A packet written as JSON and read again is the same packet."""
    entry = Entry(
        index=3,
        leaf=b"\x00leaf",
        leaf_hash=bytes(32),
        stream=StreamId("s"),
        seq=1,
        action=ActionId("a"),
        phase="decided",
    )
    packet = Packet(action=ActionId("a"), checkpoint="note — x\n", entries=(entry,), proofs=(("aGFzaA==",),))

    assert msgspec.json.decode(msgspec.json.encode(packet), type=Packet) == packet
