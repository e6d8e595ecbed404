"""The promises of the adapter of LangChain and LangGraph, asked of them, in their environment."""

import asyncio
from typing import Annotated, Any, ClassVar

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

import interlock
from interlock.frameworks.langchain import InterlockMiddleware
from tests.frameworks.battery import Battery
from tests.frameworks.driven import Ask, Drive, acting
from tests.frameworks.kit import Place
from tests.frameworks.langchain.driver import HERE, Scripted, both_ways
from tests.frameworks.langchain.driver import drive as driven

ASK = {"messages": [HumanMessage("go")]}


def agent_of(place: Place, asks: list[Ask], *middleware: Any, saver: Any = None) -> Any:
    """An agent as its developer wrote it, but for `middleware`."""
    tools = both_ways(acting(place))
    return create_agent(Scripted(script=[asks]), tools, middleware=middleware, checkpointer=saver)


def said_by(state: dict[str, Any]) -> list[ToolMessage]:
    """What the model was told of its calls."""
    return [each for each in state["messages"] if isinstance(each, ToolMessage)]


class TestLangChain(Battery):
    """What holds for all frameworks, and what LangChain and LangGraph have besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "langchain"

    @pytest.mark.governed
    def test_messages_say_how_a_call_went(self, place: Place) -> None:
        """What a tool gave is the message's content, as LangChain writes it; what was not done is a message of an error."""

        @tool
        def refund(order: str, cents: int) -> dict[str, Any]:
            """Pay money back."""
            return {"id": f"r-{order}", "share": 0.5}

        with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
            model = Scripted(script=[[Ask(), Ask(cents=2000, id="c2")]])
            paid, denied = said_by(create_agent(model, [refund], middleware=[InterlockMiddleware()]).invoke(ASK))

        assert (paid.content, paid.status) == ('{"id": "r-o1", "share": 0.5}', "success")
        assert denied.status == "error"

    @pytest.mark.once
    def test_a_tool_that_interrupts_the_graph_itself_is_not_run_again(self, place: Place) -> None:
        """A tool that calls `interrupt()` in the middle of its work may have acted: the graph does not pause for it, and the
        tool does not run again."""

        @tool
        def refund(order: str, cents: int) -> str:
            """Pay, and ask."""
            place.effect(f"{order} {cents}")
            return str(interrupt("sure?"))

        saw = self.run(place, [[Ask()]], tools=[refund], session=place.folder / "session")

        assert "interrupted the graph itself" in saw.results[0]
        assert not saw.paused
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.governed
    def test_a_tool_node_is_governed_alike(self, place: Place) -> None:
        """A graph of one's own takes it by `ToolNode`."""
        governed = InterlockMiddleware()
        graph = StateGraph(MessagesState)
        node = ToolNode(
            both_ways(acting(place)),
            wrap_tool_call=governed.wrap_tool_call,
            awrap_tool_call=governed.awrap_tool_call,
        )
        graph.add_node(
            "model",
            lambda state: {"messages": [Scripted(script=[[Ask(cents=1001)]]).invoke(state["messages"])]},
        )
        graph.add_node("tools", node)
        graph.add_edge(START, "model")
        graph.add_edge("model", "tools")
        graph.add_edge("tools", END)

        with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
            (told,) = said_by(graph.compile().invoke(ASK))

        assert "more than a thousand" in str(told.content)
        assert not place.effects()

    @pytest.mark.pause
    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_our_pause_replaces_theirs(self, place: Place, asynchronous: bool) -> None:
        """A held call interrupts the graph. Resuming it with a yes agrees to nothing; the word in the control plane does, and
        then it runs once with the reviewer's arguments, beside a call of the same turn that was rejected."""
        asks = [Ask(order=n, cents=c, id=n) for n, c in (("a", 500), ("b", 600), ("c", 7))]

        def run(agent: Any, given: Any) -> dict[str, Any]:
            if asynchronous:
                return asyncio.run(agent.ainvoke(given, HERE, durability="sync"))
            return agent.invoke(given, HERE, durability="sync")  # type: ignore[no-any-return]

        with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            agent = agent_of(place, asks, InterlockMiddleware(task, hold="pause"), saver=InMemorySaver())
            first = run(agent, ASK)
            waits = {each.value["arguments"]["order"]: each for each in first["__interrupt__"]}
            assert set(waits) == {"a", "b"}
            assert place.effects() == {"c 7": 1}
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
        assert place.effects() == {"a 90": 1, "c 7": 1}

    @pytest.mark.pause
    def test_a_pause_wants_a_checkpointer(self, place: Place) -> None:
        """Without one a paused graph could never go on, so nothing runs."""
        with (
            interlock.open(place.folder, apply=True) as client,
            client.task("ag", purpose="test"),
            pytest.raises(interlock.NotAllowed, match="checkpointer"),
        ):
            agent_of(place, [Ask(tool="look")], InterlockMiddleware(hold="pause")).invoke(ASK)

    @pytest.mark.pause
    def test_checkpoints_written_beside_the_work_are_warned_of(self, place: Place) -> None:
        """A graph whose checkpoints may be lost in a crash says so, once."""
        agent = agent_of(place, [Ask(tool="keyed")], InterlockMiddleware(), saver=InMemorySaver())
        with (
            interlock.open(place.folder, apply=True) as client,
            client.task("ag", purpose="test"),
            pytest.warns(RuntimeWarning, match='durability="sync"'),
        ):
            agent.invoke(ASK, HERE)

    @pytest.mark.once
    def test_a_tool_that_raises_is_not_tried_again(self, place: Place) -> None:
        """What raises may have acted: a middleware that tries again gets the same answer, and the tool does not run again."""
        tried: list[str] = []

        @tool
        def refund(order: str, cents: int) -> str:
            """Pay, and break."""
            tried.append(order)
            raise RuntimeError("the line went dead")

        with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
            agent = create_agent(
                Scripted(script=[[Ask()]]),
                [refund],
                middleware=[ToolRetryMiddleware(max_retries=2, initial_delay=0.0), InterlockMiddleware()],
            )
            (told,) = said_by(agent.invoke(ASK))

        assert "the line went dead" in str(told.content)
        assert "Do not call it again" in str(told.content)
        assert tried == ["o1"]

    @pytest.mark.once
    def test_a_handoff_is_made_again_from_the_record(self, place: Place) -> None:
        """A tool that returns a command (a handoff, a change of state) does that at first, and in a fork of the thread, where it
        does not run again."""

        @tool
        def look(order: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
            """Hand over."""
            place.effect("handed")
            return Command(
                goto="other", update={"messages": [ToolMessage("yours now", tool_call_id=tool_call_id)], "n": 1}
            )

        class State(MessagesState):
            n: int

        graph = StateGraph(State)
        governed = InterlockMiddleware()
        graph.add_node("tools", ToolNode([look], wrap_tool_call=governed.wrap_tool_call))
        graph.add_node("other", lambda state: {"messages": [AIMessage(f"other saw {state['n']}")]})
        graph.add_edge(START, "tools")
        running = graph.compile(checkpointer=InMemorySaver())
        asked = AIMessage(content="", tool_calls=[{"name": "look", "args": {"order": "o"}, "id": "c1"}])

        with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test"):
            first = running.invoke({"messages": [asked], "n": 0}, HERE, durability="sync")
            (before,) = [each for each in running.get_state_history(HERE) if each.next == ("tools",)]
            again = running.invoke(None, before.config, durability="sync")

        for state in (first, again):
            assert [each.content for each in state["messages"]][1:] == ["yours now", "other saw 1"]
        assert place.effects() == {"handed": 1}
