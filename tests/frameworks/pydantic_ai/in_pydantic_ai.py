"""Interlock under Pydantic AI, with a scripted model. Run in that environment: see `tests/frameworks`."""

import asyncio
import signal
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent, ModelRetry, RunContext
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, ToolApproved
from pydantic_ai.toolsets import FunctionToolset

import interlock
from interlock.frameworks.pydantic_ai import InterlockCapability, try_again
from tests.frameworks.kit import KILLS, KillAt, Place, held_in, in_a_process, opened, place_in

Call = tuple[str, dict[str, Any]]


def scripted(*turns: list[Call]) -> FunctionModel:
    """A model that says one thing a turn: calls of tools, or that it is done."""

    def said(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        del info
        turn = sum(isinstance(each, ModelResponse) for each in messages)
        if turn >= len(turns):
            return ModelResponse(parts=[TextPart("done")])
        return ModelResponse(
            parts=[
                ToolCallPart(name, args, tool_call_id=f"call_{turn}_{number}")
                for number, (name, args) in enumerate(turns[turn])
            ]
        )

    return FunctionModel(said)


def tools_of(place: Place, kill: KillAt | None = None) -> FunctionToolset[Any]:
    """The agent's own tools, which know nothing of Interlock."""
    at, tools = (kill or KillAt()).reached, FunctionToolset[Any]()

    @tools.tool_plain
    def refund(order: str, cents: int) -> dict[str, Any]:
        """Pay money back."""
        at("tool.begun")
        place.effect(f"refund {order} {cents}")
        at("tool.acted")
        return {"id": f"r-{order}", "share": 0.5}

    @tools.tool_plain
    def keyed(order: str, cents: int) -> str:
        """Pay money back at a bank that drops what it has seen."""
        at("tool.begun")
        key = interlock.this_call().idempotency_key
        if not any(each.endswith(key) for each in place.effects()):
            place.effect(f"keyed {order} {key}")
        at("tool.acted")
        return f"paid {order}"

    @tools.tool
    async def look(ctx: RunContext[Any], order: str) -> str:
        """Look at an order."""
        return f"order {order} {ctx.deps}"

    @tools.tool_plain
    def wipe(order: str) -> str:
        """Nobody wrote a contract for this."""
        place.effect(f"wipe {order}")
        return "wiped"

    return tools


def agent_of(
    place: Place, governed: InterlockCapability, *turns: list[Call], kill: KillAt | None = None
) -> Agent[Any, Any]:
    """An agent as its developer wrote it, but for the capability."""
    return Agent(
        scripted(*turns),
        toolsets=[tools_of(place, kill)],
        output_type=[str, DeferredToolRequests],
        capabilities=[governed],
    )


def said_by(result: Any) -> dict[str, tuple[str, Any]]:
    """What the model was told of its calls, by their ids."""
    return {
        part.tool_call_id: (part.outcome, part.content)
        for message in result.all_messages()
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace of tools that the program itself has."""
    made = place_in(tmp_path, timeout="500ms")
    with interlock.open(made.folder, apply=True):
        pass
    return made


def test_one_line_governs_every_call(place: Place) -> None:
    """Allowed runs and gives what the tool gave; denied, unknown to the workspace and unfit do not run, and the model reads
    why."""
    turns: tuple[list[Call], ...] = (
        [("refund", {"order": "o1", "cents": 5}), ("look", {"order": "o1"})],
        [
            ("refund", {"order": "o2", "cents": 1001}),
            ("wipe", {"order": "o1"}),
            ("refund", {"order": "o3", "cents": -1}),
        ],
    )

    async def program() -> Any:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            return await agent_of(place, InterlockCapability(task), *turns).run("go", deps="ana")

    result = asyncio.run(program())
    told = said_by(result)

    assert told["call_0_0"] == ("success", {"id": "r-o1", "share": 0.5})
    assert told["call_0_1"] == ("success", "order o1 ana")
    assert {told[f"call_1_{n}"][0] for n in range(3)} == {"failed"}
    assert "more than a thousand" in told["call_1_0"][1]
    assert "run: in_process" in told["call_1_1"][1]
    assert "/cents" in told["call_1_2"][1]
    assert result.output == "done"
    assert place.effects() == {"refund o1 5": 1}


def test_synchronously_and_in_the_task_that_is_open(place: Place) -> None:
    """`run_sync` does the same, in the task that is open around it; without one nothing runs."""
    agent = agent_of(place, InterlockCapability(), [("refund", {"order": "a", "cents": 1})])
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        agent.run_sync("go")
    with pytest.raises(interlock.NotAllowed, match="none is open here"):
        agent.run_sync("go")
    loop.close()

    assert place.effects() == {"refund a 1": 1}


def test_what_reviewers_change_is_what_runs(place: Place) -> None:
    """A held call waits, and runs with the arguments that the reviewer gave, as the tool's own types."""
    got: list[object] = []

    def note(text: date) -> str:
        """Note a day."""
        got.append(text)
        return "noted"

    def refund(order: str, cents: int) -> str:
        """Pay."""
        got.append((order, cents))
        return "paid"

    async def program() -> Any:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            model = scripted([("note", {"text": "2026-01-02"}), ("refund", {"order": "o1", "cents": 500})])
            agent = Agent(model, tools=[note, refund], capabilities=[InterlockCapability(task)])
            running = asyncio.create_task(agent.run("go"))
            await client.person("rita").aio.modify(await held_in(client), {"order": "o1", "cents": 90})
            return await running

    asyncio.run(program())

    assert got == [date(2026, 1, 2), ("o1", 90)]


def test_their_approval_agrees_to_nothing(place: Place) -> None:
    """A held call is deferred. Approved there, with other arguments even, it is still held here; the word in the control plane
    counts."""

    async def program() -> tuple[Any, list[Any]]:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            rita = client.person("rita").aio
            agent = agent_of(
                place,
                InterlockCapability(task, hold="pause"),
                [("refund", {"order": o, "cents": c}) for o, c in (("a", 500), ("b", 600), ("c", 7))],
            )
            first = await agent.run("go")
            assert isinstance(first.output, DeferredToolRequests)
            assert place.effects() == {"refund c 7": 1}
            again = try_again(first.output)
            assert set(again.approvals) == {"call_0_0", "call_0_1"}
            changed = DeferredToolResults(
                approvals={"call_0_0": ToolApproved(override_args={"order": "a", "cents": 1}), "call_0_1": True}
            )
            second = await agent.run(message_history=first.all_messages(), deferred_tool_results=changed)
            assert place.effects() == {"refund c 7": 1}
            waits = {each.arguments["order"]: each.id for each in await rita.waiting()}
            await rita.modify(waits["b"], {"order": "b", "cents": 70})
            assert isinstance(second.output, DeferredToolRequests)
            third = await agent.run(
                message_history=second.all_messages(), deferred_tool_results=try_again(second.output)
            )
            return third, await rita.waiting()

    third, waiting = asyncio.run(program())
    told = said_by(third)

    assert "other arguments" in told["call_0_0"][1]
    assert told["call_0_1"] == ("success", {"id": "r-b", "share": 0.5})
    assert third.output == "done"
    assert [each.arguments["order"] for each in waiting] == ["a"]
    assert place.effects() == {"refund c 7": 1, "refund b 70": 1}


def test_a_rejected_one_is_told(place: Place) -> None:
    """What people reject comes back to the model as that."""

    async def program() -> Any:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            agent = agent_of(place, InterlockCapability(task, hold="pause"), [("refund", {"order": "a", "cents": 500})])
            first = await agent.run("go")
            await client.person("rita").aio.reject(await held_in(client), note="not today")
            return await agent.run(message_history=first.all_messages(), deferred_tool_results=try_again(first.output))

    assert "not today" in said_by(asyncio.run(program()))["call_0_0"][1]
    assert not place.effects()


def test_shadow_budget_and_brake(place: Place) -> None:
    """In shadow, over budget and under the kill switch nothing runs; the model is told each."""
    turns: tuple[list[Call], ...] = (
        [("refund", {"order": "o1", "cents": 1})],
        [("refund", {"order": "o2", "cents": 1})],
    )
    agent = agent_of(place, InterlockCapability(), *turns)

    def told() -> list[str]:
        return [str(words) for _, words in said_by(asyncio.run(agent.run("go"))).values()]

    with interlock.open(place.folder) as client:
        with client.task("shade", purpose="test"):
            shadowed = told()
        with client.task("ag", purpose="test", budgets={"calls": 1}):
            spent = told()
    place.stop()
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        stopped = told()

    assert all("shadow" in each for each in shadowed)
    assert "budget" in spent[1]
    assert all(each.startswith("Not done") for each in stopped)
    assert place.effects() == {"refund o1 1": 1}


def test_silence_is_a_no(tmp_path: Path) -> None:
    """Where nobody answers in time the run goes on with that."""
    place = place_in(tmp_path, within="1s")
    agent = agent_of(place, InterlockCapability(), [("refund", {"order": "a", "cents": 500})])
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
        assert "expired" in said_by(asyncio.run(agent.run("go")))["call_0_0"][1]


def test_a_tool_that_raises_may_have_acted(place: Place) -> None:
    """What raises is told as that, and not repeated; a tool that asks for another try by `ModelRetry` has done nothing."""

    def refund(order: str, cents: int) -> str:
        """Pay, and break."""
        place.effect(f"tried {order}")
        if order == "again":
            raise ModelRetry("another order")
        raise RuntimeError("the line went dead")

    model = scripted([("refund", {"order": "o1", "cents": 1})], [("refund", {"order": "again", "cents": 1})])
    agent = Agent(model, tools=[refund], capabilities=[InterlockCapability()])
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        told = said_by(asyncio.run(agent.run("go")))

    assert "the line went dead" in told["call_0_0"][1]
    assert "Do not call it again" in told["call_0_0"][1]
    assert "another order" in told["call_1_0"][1]
    assert "Nothing happened" in told["call_1_0"][1]
    assert place.effects() == {"tried o1": 1, "tried again": 1}


def test_ungoverned_are_those_that_are_named(place: Place) -> None:
    """What is governed by itself is let through by name; nothing else is."""
    agent = agent_of(place, InterlockCapability(through=["wipe"]), [("wipe", {"order": "o1"})])
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        assert said_by(asyncio.run(agent.run("go")))["call_0_0"] == ("success", "wiped")


def test_a_cancelled_run_leaves_its_call_where_it_was(place: Place) -> None:
    """Cancelled while people decide, the same call of the same conversation is the same action."""

    async def program() -> None:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            agent = agent_of(place, InterlockCapability(task), [("refund", {"order": "o1", "cents": 500})])
            running = asyncio.create_task(agent.run("go", conversation_id="t1"))
            held = await held_in(client)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await client.person("rita").aio.approve(held)
            assert not place.effects()
            await agent.run("go", conversation_id="t1")

    asyncio.run(program())

    assert place.effects() == {"refund o1 500": 1}


async def _run(place: Place, tool: str, step: str) -> None:
    """One process: the run from the beginning, killed at a step."""
    kill = KillAt(step)
    with opened(place.folder, kill) as client:
        async with client.task("ag", purpose="test") as task:
            agent = agent_of(place, InterlockCapability(task), [(tool, {"order": "o1", "cents": 5})], kill=kill)
            result = await agent.run("go", conversation_id="t1")
            kill.reached("call.returned")
            place.write("told.txt", str(said_by(result)["call_0_0"][1]))


@pytest.mark.parametrize("tool", ["refund", "keyed"])
def test_a_killed_run_repeats_no_effect(tmp_path: Path, tool: str) -> None:
    """Killed with `kill -9` at each step of a call and run again in another process under its conversation: the effect happened
    once, or nobody can know and the model is told."""
    ends: dict[str, str] = {}
    for step in KILLS:
        place = place_in(tmp_path / step, timeout="500ms")
        with interlock.open(place.folder, apply=True):
            pass
        assert in_a_process(lambda: asyncio.run(_run(place, tool, step))) == -signal.SIGKILL, step  # noqa: B023
        assert in_a_process(lambda: asyncio.run(_run(place, tool, ""))) == 0, step  # noqa: B023
        told = (place.folder / "told.txt").read_text()
        effects = sum(place.effects().values())
        unsure = "It is not known whether" in told
        assert effects <= 1, step
        assert unsure or effects == 1, (step, told)
        ends[step] = "unknown" if unsure else "once"

    lost = {"propose.recorded", "tool.begun", "tool.acted", "execute.called", "execute.verified"}
    assert {step for step, end in ends.items() if end == "unknown"} == (lost if tool == "refund" else set())


def test_a_paused_run_outlives_its_process(place: Place) -> None:
    """Paused in one process, decided while there is none, resumed from its messages in another: once."""

    async def paused() -> None:
        with opened(place.folder, KillAt()) as client:
            async with client.task("ag", purpose="test") as task:
                agent = agent_of(
                    place, InterlockCapability(task, hold="pause"), [("refund", {"order": "o", "cents": 500})]
                )
                place.write("messages.json", (await agent.run("go")).all_messages_json().decode())

    async def resumed() -> None:
        with opened(place.folder, KillAt()) as client:
            async with client.task("ag", purpose="test") as task:
                agent = agent_of(
                    place, InterlockCapability(task, hold="pause"), [("refund", {"order": "o", "cents": 500})]
                )
                messages = ModelMessagesTypeAdapter.validate_json((place.folder / "messages.json").read_text())
                yes = DeferredToolResults(approvals={"call_0_0": True})
                result = await agent.run(message_history=messages, deferred_tool_results=yes)
                place.write("told.txt", str(said_by(result)["call_0_0"]))

    assert in_a_process(lambda: asyncio.run(paused())) == 0
    with interlock.open(place.folder) as client:
        (held,) = client.person("rita").waiting()
        client.person("rita").modify(held.id, {"order": "o", "cents": 90})
    for _ in range(2):
        assert in_a_process(lambda: asyncio.run(resumed())) == 0
        assert "r-o" in (place.folder / "told.txt").read_text()
    assert place.effects() == {"refund o 90": 1}
