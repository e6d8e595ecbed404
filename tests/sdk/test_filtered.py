"""What a program gets back is filtered, in every way of calling; and what was taken is in no byte of the workspace."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import interlock
from tests.workspaces import Place

SECRET = "AKIA" + "IOSFODNN7EXAMPLE"
MASKED = "key [masked: aws-key]"


@interlock.tool(effect="read", risk="low", name="box.peek")
def peek(what: str) -> str:
    """A tool that lets a secret out."""
    return f"{what} {SECRET}"


@interlock.tool(effect="read", risk="low", name="box.apeek")
async def apeek(what: str) -> str:
    """The same, asynchronous."""
    return f"{what} {SECRET}"


@interlock.tool(effect="read", risk="low", name="box.refuse", output=interlock.Output(secrets="refuse"))
def refuse(what: str) -> str:
    """One whose secrets are refused."""
    return f"{what} {SECRET}"


@interlock.tool(effect="read", risk="low", name="box.fail")
def fail(what: str) -> str:
    """One that says too much when it fails."""
    raise interlock.NoEffect(f"{what}: cannot log in with {SECRET}")


@interlock.tool(
    effect="write",
    risk="low",
    name="box.issue",
    reversal=interlock.Reversal(contract="box.revoke", arguments={"token": "$result"}),
)
def issue(what: str) -> str:
    """Makes a token, which its undo needs."""
    return SECRET


GIVEN: list[str] = []


@interlock.tool(effect="write", risk="low", name="box.revoke", reversal=interlock.NoReversal(why="it is an undo"))
def revoke(token: str) -> None:
    """Takes one back."""
    GIVEN.append(token)


TOOLS: list[interlock.Tool[..., Any]] = [peek, apeek, refuse, fail, issue, revoke]


@pytest.fixture
def client(place: Place) -> interlock.Client:
    """A workspace with the tools."""
    agent = place.folder / "agents" / "ag.yaml"
    names = ", ".join(each.contract.name for each in TOOLS)
    agent.write_text(agent.read_text().replace("box.put,", f"box.put, {names},"))
    return interlock.open(place.folder, apply=True, tools=TOOLS)


def bytes_of(folder: Path) -> bytes:
    """Every byte of every file of the store, the log, the vault and the keys."""
    return b"".join(each.read_bytes() for each in (folder / ".interlock").rglob("*") if each.is_file())


@pytest.mark.proves("output.everywhere", "output.nowhere")
def test_every_way_of_calling_gives_the_filtered_result(client: interlock.Client, place: Place) -> None:
    """Called, proposed, repeated, waited for, synchronously and not."""
    with client, client.task("ag", purpose="test") as task:
        assert peek("key") == MASKED
        done = task.propose(peek, "key", idempotency_key="k")
        assert isinstance(done, interlock.Done)
        assert (done.result, done.masked, [each.kind for each in done.taken]) == (MASKED, 1, ["aws-key"])
        assert "masked=1" in repr(done)
        assert SECRET not in repr(done)
        assert task.propose(peek, "key", idempotency_key="k") == done
        waited = client.ticket(done.action_id, peek).wait()
        assert isinstance(waited, interlock.Done)
        assert waited.result == MASKED

    async def more() -> None:
        async with interlock.open(place.folder, tools=TOOLS) as other, other.task("ag", purpose="test"):
            assert await apeek("key") == MASKED

    asyncio.run(more())
    assert SECRET.encode() not in bytes_of(place.folder)


@pytest.mark.proves("output.refused")
def test_a_refused_result_is_an_error_to_who_calls_and_a_value_to_who_proposes(client: interlock.Client) -> None:
    """It is done either way; calling again would do it again, which the error says."""
    with client, client.task("ag", purpose="test") as task:
        done = task.propose(refuse, "key")
        assert isinstance(done, interlock.Done)
        assert (done.result, done.withheld) == (None, True)
        with pytest.raises(interlock.Withheld, match="it is done, and its result is withheld: aws-key") as caught:
            refuse("key")
        assert caught.value.taken == done.taken
        assert SECRET not in str(caught.value)


@pytest.mark.proves("output.secrets")
def test_why_a_tool_failed_is_masked_for_who_catches_it(client: interlock.Client, place: Place) -> None:
    """The exception's words are the masked ones."""
    with client, client.task("ag", purpose="test"), pytest.raises(interlock.Failed) as caught:
        fail("box")

    assert "cannot log in with [masked: aws-key]" in str(caught.value)
    assert SECRET.encode() not in bytes_of(place.folder)


@pytest.mark.proves("output.undo", "output.nowhere")
def test_an_undo_is_given_what_the_agent_was_not(client: interlock.Client, place: Place) -> None:
    """The token that was masked for the agent is the one that is revoked; in the files it is only sealed."""
    GIVEN.clear()
    with client:
        with client.task("ag", purpose="test") as task:
            done = task.propose(issue, "key")
        assert isinstance(done, interlock.Done)
        assert done.result == "[masked: aws-key]"
        request = client.person("rita").undo(action=done.action_id, why="wrong")

    assert request.state == "done"
    assert GIVEN == [SECRET]
    assert SECRET.encode() not in bytes_of(place.folder)
