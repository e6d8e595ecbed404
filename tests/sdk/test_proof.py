"""Every answer of the gate can be proven offline by whoever got it."""

import asyncio
from pathlib import Path

import pytest

import interlock
from interlock.bootstrap.connecting import public_keys
from interlock.domain.dsse import parse as parse_envelope
from interlock.domain.entry_proof import check_entry_proof, parse_entry_proof
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.note import parse_proof
from tests.sdk.doors import Door


def _covered(proof: interlock.EntryProof, folder: Path) -> int:
    """How many entries the checkpoint covers, once the proof's file holds with the public keys."""
    keys = public_keys(folder)
    return check_entry_proof(parse_entry_proof(proof.text.encode()), (keys.log_key,), keys.gate_keys, keys.verify).size


@pytest.mark.proves("log.entry_proof")
def test_whatever_the_answer_was_it_can_be_proven(door: Door) -> None:
    """Done, held, denied, refused and failed: each outcome, and each id, gives the proof of the last thing recorded of it."""
    with door.open() as client, client.task("ag", purpose="test") as task:
        tools = door.tools()
        for outcome, phase in (
            (task.propose(tools.put, 7, word="nobody's business"), "outcome"),
            (task.propose(tools.put, 500), "decided"),
            (task.propose(tools.put, 5000), "decided"),
            (task.propose(tools.put, -1), "refused"),
            (task.propose(tools.drop, "no room"), "outcome"),
        ):
            proof = client.proof(outcome)

            assert (proof.action_id, proof.phase) == (outcome.action_id, phase)
            assert proof.index < _covered(proof, door.place.folder) == proof.size
            assert client.proof(outcome.action_id) == proof


def test_a_proof_says_nothing_private(door: Door) -> None:
    """The file can be handed on: no argument, result or purpose stands in its entry."""
    with door.open() as client, client.task("ag", purpose="a secret purpose") as task:
        proof = client.proof(task.propose(door.tools().put, 7, word="Rumpelstiltskin"))
    leaf = parse_proof(proof.text.encode()).extra
    assert leaf is not None
    said = parse_envelope(leaf).payload

    assert b'"phase":"outcome"' in said
    assert b"Rumpelstiltskin" not in said
    assert b"secret" not in said


def test_it_can_be_awaited(door: Door) -> None:
    """An asynchronous program gets the same."""

    async def program() -> bool:
        async with door.open() as client, client.task("ag", purpose="test") as task:
            outcome = await task.propose(door.tools().aput, 7)
            return (await client.aproof(outcome)).action_id == outcome.action_id

    assert asyncio.run(program())


def test_what_was_never_recorded_is_not_proven(door: Door) -> None:
    """An unknown action is said to be unknown, and what is no action is refused under its name."""
    with door.open() as client:
        with pytest.raises(NotFound):
            client.proof("01a1fdd7-46cc-77d9-b5e3-12fa2b3ecb09", agent="ag")
        with pytest.raises(ContractError, match="`action`"):
            client.proof("\ud800")
        with pytest.raises(ContractError, match="`action`"):
            client.proof(7)  # type: ignore[arg-type]  # what a program without types may do
