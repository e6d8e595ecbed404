"""What an action's state means to its caller: one outcome for every state there is."""

from typing import get_args

import msgspec
import pytest

import interlock
from interlock.domain.action import MEANING, SETTLED, Action, Outcome, State
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, TaskId
from interlock.sdk.outcomes import advice, outcome_of, why
from interlock.sdk.ticket import Ticket

MEANS: dict[State, type[object]] = {
    "refused": interlock.Refused,
    "denied": interlock.Denied,
    "rejected": interlock.Denied,
    "expired": interlock.Denied,
    "voided": interlock.Denied,
    "shadowed": interlock.Shadowed,
    "held": interlock.Held,
    "ready": interlock.Pending,
    "preparing": interlock.Pending,
    "prepared": interlock.Pending,
    "aborting": interlock.Pending,
    "dispatching": interlock.Pending,
    "done": interlock.Done,
    "undoing": interlock.Done,
    "undone": interlock.Done,
    "undo_failed": interlock.Done,
    "failed": interlock.Failed,
    "unknown": interlock.Unknown,
}

ACTION = Action(
    id=ActionId("a-1"),
    task=TaskId("t-1"),
    agent=AgentName("ag"),
    release=Digest("0" * 64),
    contract=ContractName("box.put"),
    contract_digest=Digest("1" * 64),
    arguments={},
    nonce="0",
    digest=Digest("2" * 64),
    idempotency_key="k",
    proposed_at=0,
    state="held",
)


def ticket() -> Ticket[interlock.Outcome]:
    """A ticket that nobody waits for."""

    def block(wanted: ActionId, timeout_ms: int | None) -> interlock.Outcome:
        raise AssertionError(f"nobody waits for {wanted} ({timeout_ms})")

    async def run(wanted: ActionId, timeout_ms: int | None) -> interlock.Outcome:
        return block(wanted, timeout_ms)

    return Ticket(ACTION.id, block=block, run=run)


def outcome(state: State, **changes: object) -> interlock.Outcome:
    """What an action in `state` means."""
    return outcome_of(msgspec.structs.replace(ACTION, state=state, **changes), ticket(), result="typed")


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_means_one_outcome(state: State) -> None:
    """Each state is one kind of outcome; only what is still open, or unknown, has a ticket to wait for."""
    found = outcome(state)

    assert type(found) is MEANS[state]
    assert found.action_id == ACTION.id
    assert hasattr(found, "ticket") == (state not in SETTLED)
    if isinstance(found, interlock.NotDone):
        assert found.state == state
        assert found.problem()["action"] == ACTION.id
        assert str(found).startswith("`box.put` ")


def test_no_state_is_forgotten() -> None:
    """The table above, the type and the states' meanings are the same list."""
    assert set(MEANS) == set(get_args(State)) == set(MEANING)


def test_done_carries_what_is_known_of_the_effect() -> None:
    """The typed result, what the postcondition said, and the note, also after it was undone."""
    said = Outcome(result={"raw": 1}, verified=False, note="not what the contract promises")

    for state in ("done", "undone"):
        found = outcome(state, outcome=said)
        assert isinstance(found, interlock.Done)
        assert (found.result, found.verified, found.note) == ("typed", False, "not what the contract promises")


def test_reasons_are_sentences_and_rules_have_a_remedy() -> None:
    """A rule of ours is told apart from its words, and each has its own next step; a tool's error is a reason, once."""
    rules = ("arguments", "capability", "contract-changed", "limit", "budget", "cost")
    refused = [outcome("refused", reasons=(f"interlock.{rule}", "because")) for rule in rules]
    error = Outcome(error="RuntimeError: cable cut")

    assert len({each.next_step for each in refused if isinstance(each, interlock.Refused)}) == len(rules)
    assert all(each.reasons == ("because",) for each in refused)
    assert str(refused[0]) == "`box.put` is refused: because (interlock.arguments)"
    assert outcome("denied", reasons=("interlock.arguments", "x")).reasons == ("interlock.arguments", "x")
    assert str(outcome("failed", outcome=error)) == "`box.put` failed: RuntimeError: cable cut"
    assert outcome("unknown", reasons=("lost",), outcome=error).reasons == ("lost", "RuntimeError: cable cut")
    assert outcome("failed", reasons=(error.error,), outcome=error).reasons == (error.error,)
    assert why(msgspec.structs.replace(ACTION, state="done", outcome=error)) == ("", ())


def test_an_outcome_is_caught_by_its_kind() -> None:
    """Whatever is not done is one InterlockError, and none is another."""
    kinds = {type(outcome(state)) for state in get_args(State)} - {interlock.Done}

    for kind in kinds:
        assert issubclass(kind, interlock.NotDone)
        assert issubclass(kind, interlock.InterlockError)
        assert not any(issubclass(kind, other) for other in kinds - {kind})


@pytest.mark.parametrize(
    ("reasons", "said", "then"),
    [
        (("interlock.revoked", "revoked: astray"), "revoked: astray (interlock.revoked)", "another task"),
        (
            ("interlock.capability", "no such capability"),
            "no such capability (interlock.capability)",
            "interlock apply",
        ),
    ],
)
def test_what_a_rule_refused_says_the_rule_once_and_what_to_do(reasons: tuple[str, ...], said: str, then: str) -> None:
    """The rule stands behind the reason and not among the reasons, and each has an advice of its own."""
    found = outcome("refused", reasons=reasons)

    assert isinstance(found, interlock.Refused)
    assert str(found).endswith(said)
    assert found.rule == reasons[0]
    assert then in found.next_step
    assert advice(msgspec.structs.replace(ACTION, state="refused", reasons=reasons)) == found.next_step
