"""What an entry says can be guessed back to nothing private: every digest of it has a salt or a nonce in it."""

import json
import re
from hashlib import sha256
from itertools import permutations
from typing import Any

import msgspec
import pytest

from interlock.domain import dsse
from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue, digest, encode
from interlock.domain.disclosure import parse
from interlock.domain.ids import Person
from interlock.domain.policy import Policy
from interlock.domain.record import plain
from interlock.domain.task import Task
from interlock.domain.view import view_of
from interlock.testing.world import World, contract, permit
from tests.services.shop import above_ten

pytestmark = pytest.mark.anyio
HEX = re.compile(r"[0-9a-f]{64}")
ASK = Policy(id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer")


def guesses(action: Action, task: Task, shown: dict[str, JsonValue]) -> set[str]:
    """The digests that somebody would try who has guessed what was private: of each value, in each plain form."""
    values: list[Any] = [
        action.arguments,
        action.idempotency_key,
        action.initiator,
        action.justification,
        {"action": action.contract, "args": action.arguments},
        {"action": action.contract, "args": action.arguments, "schemaDigest": action.contract_digest},
        *action.arguments.values(),
        shown,
        plain(msgspec.structs.replace(task, revision=0, state="open")),
        plain(task),
        action.facts,
        *([action.outcome.result] if action.outcome else []),
        "rita",
        "looks right",
    ]
    values = [value for value in values if value not in ("", {}, None)]
    found = {digest(value) for value in values}
    for value in values:
        text = value if isinstance(value, str) else json.dumps(value)
        found.add(sha256(text.encode()).hexdigest())
        found.add(sha256(encode(value)).hexdigest())
    for one, other in permutations([str(each) for each in values[:4]], 2):
        found.add(sha256(f"{one}{other}".encode()).hexdigest())
    return found


@pytest.mark.proves("erasure.no_digest")
async def test_no_entry_has_a_digest_that_can_be_guessed_back() -> None:
    """No digest in any entry of a life with an approval is one of arguments, keys, people or results alone, and none of
    these stands there in the clear; what is disclosed beside it has a salt of 128 bits."""
    world = World()
    await world.apply(contract(), rules=(permit(), (ASK, above_ten)))
    task = await world.task("user:ana-of-the-blue-house")
    held = await world.propose(task, key="order-17-of-c-17", n=4711)
    await world.plane.approvals.approve(held.id, Person("rita"), note="looks right")
    await world.work()
    action = await world.action(held)
    assert action.state == "done"

    assert action.decision is not None
    shown = view_of(action, contract(), action.decision)
    entries = await world.store.entries(0, 999)
    said = b"\n".join(dsse.parse(each.leaf).payload for each in entries).decode()
    assert guesses(action, task, shown) & set(HEX.findall(said)) == set()
    for word in ("ana-of-the-blue-house", "order-17-of-c-17", "4711", "looks right", "rita"):
        assert word not in said
    salts = [parse(text).salt for each in entries for text in each.disclosures]
    assert len(salts) > 5
    assert len(set(salts)) == len(salts)
    assert min(len(salt) for salt in salts) >= 16
