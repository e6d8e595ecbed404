"""Interlock under the OpenAI Agents SDK, with its own scripted model. Run in that environment: see `tests/frameworks`."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, RunContextWrapper, Runner, RunState, WebSearchTool, function_tool, handoff
from agents.items import ToolCallOutputItem
from agents.testing import ScriptedModel, assistant_message, function_call

import interlock
from interlock.frameworks.openai_agents import decided, governed
from tests.frameworks.kit import KillAt, Place, held_in, in_a_process, opened, place_in

Call = tuple[str, dict[str, Any]]

RESUMED = (
    "dispatch.claimed",
    "dispatch.checked",
    "dispatch.recorded",
    "tool.begun",
    "tool.acted",
    "execute.called",
    "execute.verified",
    "outcome.recorded",
)
"""Where a resumed run is killed."""


def agent_of(place: Place, *turns: list[Call], kill: KillAt | None = None, name: str = "shop") -> Agent[Any]:
    """An agent as its developer wrote it."""
    at = (kill or KillAt()).reached

    @function_tool
    def refund(order: str, cents: int) -> dict[str, Any]:
        """Pay money back."""
        at("tool.begun")
        place.effect(f"refund {order} {cents}")
        at("tool.acted")
        return {"id": f"r-{order}", "share": 0.5}

    @function_tool
    def keyed(order: str, cents: int) -> str:
        """Pay money back at a bank that drops what it has seen."""
        at("tool.begun")
        key = interlock.this_call().idempotency_key
        if not any(each.endswith(key) for each in place.effects()):
            place.effect(f"keyed {order} {key}")
        at("tool.acted")
        return f"paid {order}"

    @function_tool
    async def look(order: str) -> str:
        """Look at an order."""
        return f"order {order}"

    @function_tool
    def wipe(order: str) -> str:
        """Nobody wrote a contract for this."""
        place.effect(f"wipe {order}")
        return "wiped"

    steps = [
        [function_call(tool, args, call_id=f"call_{turn}_{number}") for number, (tool, args) in enumerate(calls)]
        for turn, calls in enumerate(turns)
    ]
    model = ScriptedModel([*steps, [assistant_message("done")]])
    return Agent(name=name, model=model, tools=[refund, keyed, look, wipe])


def run(agent: Agent[Any], **more: Any) -> Any:
    """One run, on a loop of its own."""
    return asyncio.run(Runner.run(agent, "go", **more))


def said_by(result: Any) -> list[str]:
    """What the model was told of its calls."""
    return [str(each.output) for each in result.new_items if isinstance(each, ToolCallOutputItem)]


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
    agent = agent_of(
        place,
        [("refund", {"order": "o1", "cents": 5}), ("look", {"order": "o1"})],
        [
            ("refund", {"order": "o2", "cents": 1001}),
            ("wipe", {"order": "o1"}),
            ("refund", {"order": "o3", "cents": -1}),
        ],
    )

    async def program() -> Any:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            return await Runner.run(governed(agent, task), "go")

    result = asyncio.run(program())
    paid, looked, denied, unknown, unfit = said_by(result)

    assert paid == str({"id": "r-o1", "share": 0.5})
    assert looked == "order o1"
    assert "more than a thousand" in denied
    assert "run: in_process" in unknown
    assert "/cents" in unfit
    assert result.final_output == "done"
    assert place.effects() == {"refund o1 5": 1}


def test_synchronous_streamed_and_in_the_task_that_is_open(place: Place) -> None:
    """`run_sync` and `run_streamed` do the same, in the task that is open around them; without one nothing runs."""

    async def streamed(agent: Agent[Any]) -> Any:
        running = Runner.run_streamed(agent, "go")
        async for _ in running.stream_events():
            pass
        return running

    loop = asyncio.new_event_loop()
    with interlock.open(place.folder) as client:
        with client.task("ag", purpose="test"):
            asyncio.set_event_loop(loop)
            Runner.run_sync(governed(agent_of(place, [("refund", {"order": "a", "cents": 1})])), "go")
            loop.close()
        with client.task("ag", purpose="test"):
            agent = governed(agent_of(place, [("refund", {"order": "b", "cents": 1001})]))
            assert "more than a thousand" in said_by(asyncio.run(streamed(agent)))[0]
    with pytest.raises(Exception, match="none is open here"):
        run(governed(agent_of(place, [("refund", {"order": "c", "cents": 1})])))

    assert place.effects() == {"refund a 1": 1}


def test_what_reviewers_change_is_what_runs(place: Place) -> None:
    """A held call waits, longer than the tool itself may take, and runs with the arguments that the reviewer gave."""
    agent = agent_of(place, [("refund", {"order": "o1", "cents": 500})])

    async def program() -> Any:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            running = asyncio.create_task(Runner.run(governed(agent, task), "go"))
            held = await held_in(client)
            assert not place.effects()
            await client.person("rita").aio.modify(held, {"order": "o1", "cents": 90})
            return await running

    assert said_by(asyncio.run(program())) == [str({"id": "r-o1", "share": 0.5})]
    assert place.effects() == {"refund o1 90": 1}


def test_their_approval_agrees_to_nothing(place: Place) -> None:
    """A held call is an interruption. Approved there it is still held here; the word in the control plane is the one that
    counts, and each call is one action with one decision."""
    turn: list[Call] = [
        ("refund", {"order": "a", "cents": 500}),
        ("refund", {"order": "b", "cents": 600}),
        ("look", {"order": "c"}),
    ]
    again: list[Call] = [("refund", {"order": "a", "cents": 500})]

    async def program() -> tuple[Any, Any, list[Any]]:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            rita = client.person("rita").aio
            agent = governed(agent_of(place, turn, again), task, hold="pause", run_id="t1")
            first = await Runner.run(agent, "go")
            state = first.to_state()
            assert len(first.interruptions) == 2
            assert not await decided(state)
            waits = {each.arguments["order"]: each for each in await rita.waiting()}
            await rita.modify(waits["b"].id, {"order": "b", "cents": 70})
            assert await decided(state)
            second = await Runner.run(agent, state)
            (still,) = second.interruptions
            assert place.effects() == {"refund b 70": 1}
            last = second.to_state()
            last.approve(still)
            third = await Runner.run(agent, last)
            return second, third, await rita.waiting()

    second, third, waiting = asyncio.run(program())

    assert said_by(second) == ["order c", str({"id": "r-b", "share": 0.5})]
    assert "waits until a person agrees" in said_by(third)[-1]
    assert [each.arguments["order"] for each in waiting] == ["a"], (
        "asked again with the same arguments it is the same action"
    )
    assert place.effects() == {"refund b 70": 1}


def test_a_rejected_one_is_told(place: Place) -> None:
    """What people reject comes back to the model as that."""

    async def program() -> Any:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            agent = governed(
                agent_of(place, [("refund", {"order": "a", "cents": 500})]), task, hold="pause", run_id="t1"
            )
            first = await Runner.run(agent, "go")
            await client.person("rita").aio.reject(await held_in(client), note="not today")
            state = first.to_state()
            assert await decided(state)
            return await Runner.run(agent, state)

    assert "not today" in said_by(asyncio.run(program()))[0]
    assert not place.effects()


def test_shadow_budget_and_brake(place: Place) -> None:
    """In shadow, over budget and under the kill switch nothing runs; the model is told each."""
    turns: list[list[Call]] = [[("refund", {"order": "o1", "cents": 1})], [("refund", {"order": "o2", "cents": 1})]]

    def told() -> list[str]:
        return said_by(run(governed(agent_of(place, *turns))))

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
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
        (told,) = said_by(run(governed(agent_of(place, [("refund", {"order": "a", "cents": 500})]))))

    assert "expired" in told


def test_a_tool_that_raises_is_no_result(place: Place) -> None:
    """The SDK makes words of a failure; here it is one: it may have acted, and the model is told not to repeat it."""

    @function_tool
    def refund(order: str, cents: int) -> str:
        """Pay, and break."""
        place.effect("tried")
        raise RuntimeError("the line went dead")

    agent = agent_of(place, [("refund", {"order": "o1", "cents": 1})])
    agent.tools = [refund]
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        (told,) = said_by(run(governed(agent)))

    assert "the line went dead" in told
    assert "Do not call it again" in told
    assert place.effects() == {"tried": 1}


def test_handoffs_are_governed_too(place: Place) -> None:
    """Whoever an agent hands over to is governed alike, also in circles and through `handoff(...)`."""
    other = agent_of(place, [("refund", {"order": "o1", "cents": 1001})], name="other")
    third = agent_of(place, name="third")
    first = agent_of(place, name="first")
    first.model = ScriptedModel([[function_call("transfer_to_other", {}, call_id="h1")]])
    first.handoffs, other.handoffs, third.handoffs = [handoff(other), third], [first], [first]

    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        result = run(governed(first))

    assert result.last_agent.name == "other"
    assert "more than a thousand" in said_by(result)[-1]
    assert not place.effects()


def test_what_cannot_be_governed_is_refused(place: Place) -> None:
    """A hosted tool runs at the provider's, past this program: it is refused unless it is let through by name."""
    agent = agent_of(place)
    agent.tools = [*agent.tools, WebSearchTool()]
    with pytest.raises(interlock.NotAllowed, match="web_search"):
        governed(agent)
    assert governed(agent, through=["web_search"]).tools[-1] is agent.tools[-1]
    with pytest.raises(interlock.NotAllowed, match="run_id"):
        governed(agent_of(place), hold="pause")


def test_a_tools_own_context_reaches_it(place: Place) -> None:
    """What the program gives to its run is there in the tool, and never a part of the action."""

    @function_tool
    def look(context: RunContextWrapper[dict[str, str]], order: str) -> str:
        """Look."""
        return f"{context.context['who']} {order}"

    agent = agent_of(place, [("look", {"order": "o1"})])
    agent.tools = [look]
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        (told,) = said_by(run(governed(agent), context={"who": "ana"}))

    assert told == "ana o1"


def test_a_cancelled_run_leaves_its_call_where_it_was(place: Place) -> None:
    """Cancelled while people decide, the same call of the same run is the same action."""

    async def program() -> None:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:

            def begun() -> Any:
                agent = agent_of(place, [("refund", {"order": "o1", "cents": 500})])
                return asyncio.create_task(Runner.run(governed(agent, task, run_id="t1"), "go"))

            running = begun()
            held = await held_in(client)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await client.person("rita").aio.approve(held)
            assert not place.effects()
            await begun()

    asyncio.run(program())

    assert place.effects() == {"refund o1 500": 1}


async def _begun(place: Place, tool: str) -> None:
    """One process: the run up to its interruption, kept as JSON."""
    with opened(place.folder, KillAt()) as client:
        async with client.task("ag", purpose="test") as task:
            agent = agent_of(place, [(tool, {"order": "o1", "cents": 500})])
            result = await Runner.run(governed(agent, task, hold="pause", run_id="t1"), "go")
            assert result.interruptions
            place.write("state.json", json.dumps(result.to_state().to_json()))


async def _resumed(place: Place, tool: str, step: str) -> None:
    """Another process: the run from that JSON on, killed at a step."""
    kill = KillAt(step)
    with opened(place.folder, kill) as client:
        async with client.task("ag", purpose="test") as task:
            agent = governed(agent_of(place, kill=kill), task, hold="pause", run_id="t1")
            state = await RunState.from_json(agent, json.loads((place.folder / "state.json").read_text()))
            assert await decided(state)
            place.write("told.txt", said_by(await Runner.run(agent, state))[0])


@pytest.mark.parametrize("tool", ["refund", "keyed"])
def test_a_killed_run_repeats_no_effect(tmp_path: Path, tool: str) -> None:
    """Paused in one process, agreed to, resumed from JSON in another that is killed at each step, and resumed from the same
    JSON in a third: the effect happened once, or nobody can know and the model is told."""
    ends: dict[str, str] = {}
    for step in RESUMED:
        place = place_in(tmp_path / step, timeout="500ms", asks=("refund", "keyed"))
        with interlock.open(place.folder, apply=True):
            pass
        assert in_a_process(lambda: asyncio.run(_begun(place, tool))) == 0  # noqa: B023  it ends before the next
        with interlock.open(place.folder) as client:
            (held,) = client.person("rita").waiting()
            client.person("rita").modify(held.id, {"order": "o1", "cents": 90})
        assert in_a_process(lambda: asyncio.run(_resumed(place, tool, step))) == -signal.SIGKILL, step  # noqa: B023
        assert in_a_process(lambda: asyncio.run(_resumed(place, tool, ""))) == 0, step  # noqa: B023
        told = (place.folder / "told.txt").read_text()
        effects = sum(place.effects().values())
        unsure = "It is not known whether" in told
        assert effects <= 1, step
        assert unsure or effects == 1, (step, told)
        ends[step] = "unknown" if unsure else "once"

    lost = {"dispatch.recorded", "tool.begun", "tool.acted", "execute.called", "execute.verified"}
    assert {step for step, end in ends.items() if end == "unknown"} == (lost if tool == "refund" else set())
