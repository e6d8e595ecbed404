"""Interlock under LangChain and LangGraph, with a scripted model. Run in that environment: see
`tests/frameworks/environments.py`."""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

import interlock
from interlock.frameworks.langchain import InterlockMiddleware
from tests.frameworks.kit import KILLS, KillAt, Place, held_in, in_a_process, opened, place_in

Call = tuple[str, dict[str, Any]]


class Scripted(BaseChatModel):
    """A model that says one thing a turn: calls of tools, or that it is done."""

    turns: list[list[Call]]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> "Scripted":
        """Its script knows them."""
        del tools, kwargs
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        del args, kwargs
        turn = sum(isinstance(each, AIMessage) for each in messages)
        calls = self.turns[turn] if turn < len(self.turns) else []
        said = AIMessage(
            content="" if calls else "done",
            tool_calls=[
                {"name": name, "args": args, "id": f"call_{turn}_{number}"} for number, (name, args) in enumerate(calls)
            ],
        )
        return ChatResult(generations=[ChatGeneration(message=said)])


def tools_of(place: Place, kill: KillAt | None = None) -> list[BaseTool]:
    """The agent's own tools, which know nothing of Interlock."""
    at = (kill or KillAt()).reached

    @tool
    def refund(order: str, cents: int) -> dict[str, Any]:
        """Pay money back."""
        at("tool.begun")
        place.effect(f"refund {order} {cents}")
        at("tool.acted")
        return {"id": f"r-{order}", "share": 0.5}

    @tool
    def keyed(order: str, cents: int) -> str:
        """Pay money back at a bank that drops what it has seen."""
        at("tool.begun")
        key = interlock.this_call().idempotency_key
        if not any(each.endswith(key) for each in place.effects()):
            place.effect(f"keyed {order} {key}")
        at("tool.acted")
        return f"paid {order}"

    @tool
    async def look(order: str) -> str:
        """Look at an order."""
        await asyncio.sleep(0)
        return f"order {order}"

    @tool
    def wipe(order: str) -> str:
        """Nobody wrote a contract for this."""
        place.effect(f"wipe {order}")
        return "wiped"

    return [refund, keyed, look, wipe]


def agent_of(
    place: Place, turns: list[list[Call]], *middleware: Any, saver: Any = None, kill: KillAt | None = None
) -> Any:
    """An agent as its developer wrote it, but for `middleware`."""
    return create_agent(Scripted(turns=turns), tools_of(place, kill), middleware=middleware, checkpointer=saver)


def said_by(state: dict[str, Any]) -> list[ToolMessage]:
    """What the model was told of its calls."""
    return [each for each in state["messages"] if isinstance(each, ToolMessage)]


ASK = {"messages": [HumanMessage("go")]}
HERE = {"configurable": {"thread_id": "t1"}}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace of tools that the program itself has."""
    made = place_in(tmp_path, timeout="500ms")
    with interlock.open(made.folder, apply=True):
        pass
    return made


def test_one_line_governs_every_call(place: Place) -> None:
    """Allowed runs and gives what the tool gave; denied, unknown to the workspace and unfit do not run, and the model reads
    why; the agent ends as ever."""
    turns: list[list[Call]] = [
        [("refund", {"order": "o1", "cents": 5}), ("look", {"order": "o1"})],
        [
            ("refund", {"order": "o2", "cents": 1001}),
            ("wipe", {"order": "o1"}),
            ("refund", {"order": "o3", "cents": -1}),
        ],
    ]

    async def program() -> dict[str, Any]:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            agent = agent_of(place, turns, InterlockMiddleware(task))
            return await agent.ainvoke(ASK)  # type: ignore[no-any-return]

    state = asyncio.run(program())
    paid, looked, denied, unknown, unfit = said_by(state)

    assert (paid.content, paid.status) == ('{"id": "r-o1", "share": 0.5}', "success")
    assert looked.content == "order o1"
    assert denied.status == unknown.status == unfit.status == "error"
    assert "more than a thousand" in str(denied.content)
    assert "run: in_process" in str(unknown.content)
    assert "/cents" in str(unfit.content)
    assert state["messages"][-1].content == "done"
    assert place.effects() == {"refund o1 5": 1}


def test_the_same_synchronously_and_in_the_task_that_is_open(place: Place) -> None:
    """`invoke` in threads does the same, in the task that is open around it; without one nothing runs."""
    turns: list[list[Call]] = [[("refund", {"order": f"o{n}", "cents": n}) for n in range(5)]]
    agent = create_agent(Scripted(turns=turns), tools_of(place)[:2], middleware=[InterlockMiddleware()])

    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        state = agent.invoke(ASK)
    with pytest.raises(interlock.NotAllowed, match="none is open here"):
        agent.invoke(ASK)

    assert [each.status for each in said_by(state)] == ["success"] * 5
    assert place.effects() == {f"refund o{n} {n}": 1 for n in range(5)}


def test_a_tool_node_is_governed_alike(place: Place) -> None:
    """A graph of one's own takes it by `ToolNode`."""
    governed = InterlockMiddleware()
    graph = StateGraph(MessagesState)
    node = ToolNode(tools_of(place), wrap_tool_call=governed.wrap_tool_call, awrap_tool_call=governed.awrap_tool_call)
    graph.add_node(
        "model",
        lambda state: {
            "messages": [Scripted(turns=[[("refund", {"order": "o", "cents": 1001})]]).invoke(state["messages"])]
        },
    )
    graph.add_node("tools", node)
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    graph.add_edge("tools", END)

    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        (told,) = said_by(graph.compile().invoke(ASK))

    assert "more than a thousand" in str(told.content)
    assert not place.effects()


def test_what_reviewers_change_is_what_runs(place: Place) -> None:
    """A held call waits, and runs with the arguments that the reviewer gave."""

    async def program() -> dict[str, Any]:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            agent = agent_of(place, [[("refund", {"order": "o1", "cents": 500})]], InterlockMiddleware(task))
            running = asyncio.create_task(agent.ainvoke(ASK))
            held = await held_in(client)
            assert not place.effects()
            await client.person("rita").aio.modify(held, {"order": "o1", "cents": 90})
            return await running  # type: ignore[no-any-return]

    (paid,) = said_by(asyncio.run(program()))

    assert paid.status == "success"
    assert place.effects() == {"refund o1 90": 1}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_our_pause_replaces_theirs(place: Place, asynchronous: bool) -> None:
    """A held call interrupts the graph. Resuming it with a yes agrees to nothing; the word in the control plane does, and then
    it runs once with the reviewer's arguments, beside a call of the same turn that was rejected."""
    turns: list[list[Call]] = [
        [("refund", {"order": n, "cents": c}) for n, c in (("a", 500), ("b", 600), ("c", 7))],
    ]

    def run(agent: Any, given: Any) -> dict[str, Any]:
        if asynchronous:
            return asyncio.run(agent.ainvoke(given, HERE, durability="sync"))
        return agent.invoke(given, HERE, durability="sync")  # type: ignore[no-any-return]

    with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
        agent = agent_of(place, turns, InterlockMiddleware(task, hold="pause"), saver=InMemorySaver())
        first = run(agent, ASK)
        waits = {each.value["arguments"]["order"]: each for each in first["__interrupt__"]}
        assert set(waits) == {"a", "b"}
        assert place.effects() == {"refund c 7": 1}
        for given in (
            Command(resume={each.id: {"decisions": [{"type": "approve"}]} for each in waits.values()}),
            Command(resume={each.id: True for each in waits.values()}),
            None,
        ):
            assert {each.value["action_id"] for each in run(agent, given)["__interrupt__"]} == {
                each.value["action_id"] for each in waits.values()
            }
        rita = client.person("rita")
        rita.modify(waits["a"].value["action_id"], {"order": "a", "cents": 90})
        rita.reject(waits["b"].value["action_id"], note="not today")
        state = run(agent, None)
        run(agent, None)

    assert [each.status for each in said_by(state)] == ["success", "error", "success"]
    assert "not today" in str(said_by(state)[1].content)
    assert place.effects() == {"refund a 90": 1, "refund c 7": 1}


def test_silence_is_a_no(tmp_path: Path) -> None:
    """Where nobody answers in time the run goes on with that."""
    place = place_in(tmp_path, within="1s")
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
        agent = agent_of(
            place,
            [[("keyed", {"order": "o1", "cents": 1})], [("refund", {"order": "o1", "cents": 500})]],
            InterlockMiddleware(),
        )
        told = said_by(agent.invoke(ASK))

    assert "expired" in str(told[1].content)
    assert not any(each.startswith("refund") for each in place.effects())


def test_shadow_budget_and_brake(place: Place) -> None:
    """In shadow nothing runs, over budget nothing runs, under the kill switch nothing runs; the model is told each."""
    turns: list[list[Call]] = [[("refund", {"order": "o1", "cents": 1})], [("refund", {"order": "o2", "cents": 1})]]
    agent = agent_of(place, turns, InterlockMiddleware())

    with interlock.open(place.folder) as client:
        with client.task("shade", purpose="test"):
            shadowed = said_by(agent.invoke(ASK))
        with client.task("ag", purpose="test", budgets={"calls": 1}):
            spent = said_by(agent.invoke(ASK))
    place.stop()
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        stopped = said_by(agent.invoke(ASK))

    assert all("shadow" in str(each.content) for each in shadowed)
    assert [each.status for each in spent] == ["success", "error"]
    assert "budget" in str(spent[1].content)
    assert [each.status for each in stopped] == ["error", "error"]
    assert place.effects() == {"refund o1 1": 1}


def test_a_tool_that_raises_is_not_tried_again(place: Place) -> None:
    """What raises may have acted: a middleware that tries again gets the same answer, and the tool does not run again."""
    tried: list[str] = []

    @tool
    def refund(order: str, cents: int) -> str:
        """Pay, and break."""
        tried.append(order)
        raise RuntimeError("the line went dead")

    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        agent = create_agent(
            Scripted(turns=[[("refund", {"order": "o1", "cents": 1})]]),
            [refund],
            middleware=[ToolRetryMiddleware(max_retries=2, initial_delay=0.0), InterlockMiddleware()],
        )
        (told,) = said_by(agent.invoke(ASK))

    assert "the line went dead" in str(told.content)
    assert "Do not call it again" in str(told.content)
    assert tried == ["o1"]


def test_a_handoff_is_made_again_from_the_record(place: Place) -> None:
    """A tool that returns a command (a handoff, a change of state) does that at first, and in a fork of the thread, where it does
    not run again."""

    @tool
    def look(order: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Hand over."""
        place.effect("handed")
        return Command(goto="other", update={"messages": [ToolMessage("yours now", tool_call_id=tool_call_id)], "n": 1})

    class State(MessagesState):
        n: int

    graph = StateGraph(State)
    governed = InterlockMiddleware()
    graph.add_node("tools", ToolNode([look], wrap_tool_call=governed.wrap_tool_call))
    graph.add_node("other", lambda state: {"messages": [AIMessage(f"other saw {state['n']}")]})
    graph.add_edge(START, "tools")
    running = graph.compile(checkpointer=InMemorySaver())
    asked = AIMessage(content="", tool_calls=[{"name": "look", "args": {"order": "o"}, "id": "c1"}])

    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        first = running.invoke({"messages": [asked], "n": 0}, HERE, durability="sync")
        (before,) = [each for each in running.get_state_history(HERE) if each.next == ("tools",)]
        again = running.invoke(None, before.config, durability="sync")

    for state in (first, again):
        assert [each.content for each in state["messages"]][1:] == ["yours now", "other saw 1"]
    assert place.effects() == {"handed": 1}


def test_a_cancelled_run_leaves_its_call_where_it_was(place: Place) -> None:
    """Cancelled while people decide, a run can be started again, and the call is the same action."""

    async def program() -> None:
        async with interlock.open(place.folder) as client, client.task("ag", purpose="test") as task:
            agent = agent_of(
                place, [[("refund", {"order": "o1", "cents": 500})]], InterlockMiddleware(task), saver=InMemorySaver()
            )
            running = asyncio.create_task(agent.ainvoke(ASK, HERE, durability="sync"))
            held = await held_in(client)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await client.person("rita").aio.approve(held)
            assert not place.effects()
            await agent.ainvoke(None, HERE, durability="sync")

    asyncio.run(program())

    assert place.effects() == {"refund o1 500": 1}


def test_a_pause_wants_a_checkpointer(place: Place) -> None:
    """Without one a paused graph could never go on, so nothing runs."""
    with (
        interlock.open(place.folder) as client,
        client.task("ag", purpose="test"),
        pytest.raises(interlock.NotAllowed, match="checkpointer"),
    ):
        agent_of(place, [[("look", {"order": "o1"})]], InterlockMiddleware(hold="pause")).invoke(ASK)


def test_checkpoints_written_beside_the_work_are_warned_of(place: Place) -> None:
    """A graph whose checkpoints may be lost in a crash says so, once."""
    agent = agent_of(place, [[("keyed", {"order": "o1", "cents": 1})]], InterlockMiddleware(), saver=InMemorySaver())
    with (
        interlock.open(place.folder) as client,
        client.task("ag", purpose="test"),
        pytest.warns(RuntimeWarning, match='durability="sync"'),
    ):
        agent.invoke(ASK, HERE)


def test_ungoverned_are_those_that_are_named(place: Place) -> None:
    """What is called as a tool and governed by itself is let through by name; nothing else is."""
    with interlock.open(place.folder) as client, client.task("ag", purpose="test"):
        agent = agent_of(place, [[("wipe", {"order": "o1"})]], InterlockMiddleware(through=["wipe"]))
        (told,) = said_by(agent.invoke(ASK))

    assert told.content == "wiped"


class _Killed(InterlockMiddleware):
    """Killed once the gate has answered, before the graph wrote it down."""

    kill = KillAt()

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        result = super().wrap_tool_call(request, handler)
        self.kill.reached("call.returned")
        return result


def _program(place: Place, name: str, step: str, first: bool) -> None:
    """One process: begins or resumes the run, and is killed at a step."""
    kill = KillAt(step)
    with _resumable(place, kill) as (task, saver):
        governed = _Killed(task, hold="pause")
        governed.kill = kill
        agent = agent_of(place, [[(name, {"order": "o1", "cents": 50})]], governed, saver=saver, kill=kill)
        (told,) = said_by(agent.invoke(ASK if first else None, HERE, durability="sync"))
        place.write("told.txt", str(told.content))


@contextmanager
def _resumable(place: Place, kill: KillAt) -> Iterator[tuple[Any, Any]]:
    """A task and a checkpointer, both in files."""
    with (
        opened(place.folder, kill) as client,
        SqliteSaver.from_conn_string(str(place.folder / "graph.db")) as saver,
        client.task("ag", purpose="test") as task,
    ):
        yield task, saver


@pytest.mark.parametrize("name", ["refund", "keyed"])
def test_a_killed_run_repeats_no_effect(tmp_path: Path, name: str) -> None:
    """Killed with `kill -9` at each step of a call and resumed in another process, a run ends, and nothing happened twice: a
    tool that may be repeated under its key has happened once; one that may not is unknown where nobody can know, and the model
    is told."""
    ends: dict[str, str] = {}
    for step in KILLS:
        place = place_in(tmp_path / step, timeout="500ms")
        with interlock.open(place.folder, apply=True):
            pass
        first = in_a_process(lambda: _program(place, name, step, True))  # noqa: B023  it ends before the next
        assert first == -signal.SIGKILL, step
        assert in_a_process(lambda: _program(place, name, "", False)) == 0, step  # noqa: B023
        told = (place.folder / "told.txt").read_text()
        effects = sum(place.effects().values())
        assert effects <= 1, step
        unsure = "It is not known whether" in told
        assert unsure or effects == 1, (step, told)
        ends[step] = "unknown" if unsure else "once"

    lost = {"propose.recorded", "tool.begun", "tool.acted", "execute.called", "execute.verified"}
    assert {step for step, end in ends.items() if end == "unknown"} == (lost if name == "refund" else set())


def test_a_paused_run_outlives_its_process(place: Place) -> None:
    """Paused in one process, decided while there is none, killed while it is carried out, resumed in a third: once."""

    def run(given: Any) -> dict[str, Any]:
        with _resumable(place, KillAt()) as (task, saver):
            turns: list[list[Call]] = [[("refund", {"order": "o1", "cents": 500})]]
            agent = agent_of(place, turns, InterlockMiddleware(task, hold="pause"), saver=saver)
            return agent.invoke(given, HERE, durability="sync")  # type: ignore[no-any-return]

    def paused() -> None:
        assert run(ASK)["__interrupt__"]
        os.kill(os.getpid(), signal.SIGKILL)

    def resumed() -> None:
        place.write("told.txt", str(said_by(run(Command(resume="whatever")))[0].content))

    assert in_a_process(paused) == -signal.SIGKILL
    with interlock.open(place.folder) as client:
        (held,) = client.person("rita").waiting()
        client.person("rita").modify(held.id, {"order": "o1", "cents": 90})
    assert in_a_process(resumed) == 0
    assert place.effects() == {"refund o1 90": 1}
    assert "r-o1" in (place.folder / "told.txt").read_text()
