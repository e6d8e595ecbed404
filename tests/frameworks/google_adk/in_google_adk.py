"""The promises of the adapter of Google ADK, asked of ADK itself, in its environment."""

from typing import Any, ClassVar

import pytest
from google.adk.agents import LlmAgent
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.plugins.reflect_retry_tool_plugin import ReflectAndRetryToolPlugin
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.long_running_tool import LongRunningFunctionTool
from google.adk.tools.tool_context import ToolContext

import interlock
from tests.frameworks.battery import Battery
from tests.frameworks.driven import Ask, Drive, acting, tools_of
from tests.frameworks.google_adk.driver import Scripted
from tests.frameworks.google_adk.driver import drive as driven
from tests.frameworks.kit import Place

# What ADK says of its own parts.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:\[EXPERIMENTAL\]:UserWarning"),
    pytest.mark.filterwarnings("ignore:The `plugins` argument is deprecated:DeprecationWarning"),
]


class Cheaper(BasePlugin):
    """Makes something else of what the model said."""

    async def before_tool_callback(
        self, *, tool: BaseTool, tool_args: dict[str, Any], tool_context: ToolContext
    ) -> dict[str, Any] | None:
        """Half of it."""
        del tool, tool_context
        tool_args["cents"] //= 2
        return None


class TestAdk(Battery):
    """What holds for all frameworks, and what ADK has besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "google_adk"

    def agent(self, place: Place, asks: list[list[Ask]], **options: Any) -> LlmAgent:
        """An agent with the tools of all tests."""
        tools = options.pop("tools", None) or tools_of(acting(place))
        return LlmAgent(name="support", model=Scripted(model="s", script=asks), tools=tools, **options)

    @pytest.mark.governed
    def test_what_other_plugins_and_callbacks_make_of_a_call_is_judged(self, place: Place) -> None:
        """Plugins before ours and the agent's own callbacks change the arguments, and what they made of them is decided on and
        runs; where a callback answers, the tool is not asked for at all."""

        def one_less(tool: BaseTool, args: dict[str, Any], tool_context: ToolContext) -> dict[str, Any] | None:
            del tool, tool_context
            args["cents"] -= 1
            return {"result": "from the callback"} if args["order"] == "mine" else None

        asks = [[Ask(order="o1", cents=80), Ask(order="mine", cents=4)]]
        agent = self.agent(place, asks, before_tool_callback=one_less)
        saw = self.run(place, asks, agent=agent, before=[Cheaper(name="cheaper")])

        assert saw.results == ["ok o1", "from the callback"]
        assert place.effects() == {"o1 39": 1}

    @pytest.mark.pause
    def test_a_confirmation_that_the_tool_itself_wants_is_still_asked_for(self, place: Place) -> None:
        """A tool with ADK's `require_confirmation` pauses for it, and goes through the gate when it is confirmed; where it is
        not, the gate is not even asked."""
        asks = [[Ask()]]
        refund = FunctionTool(tools_of(acting(place))[0], require_confirmation=True)
        session = place.folder / "session"
        agent = self.agent(place, asks, tools=[refund])
        assert self.run(place, asks, agent=agent, session=session).paused
        assert not place.effects()
        no = self.run(place, asks, agent=agent, session=session, confirms=False)
        assert "did not confirm" in no.results[-1]
        assert not place.effects()

        other = place.folder / "other"
        self.run(place, asks, agent=agent, session=other)
        yes = self.run(place, asks, agent=agent, session=other)
        assert yes.results[-1] == "ok o1"
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.pause
    def test_who_does_not_confirm_a_paused_run_stops_it(self, place: Place) -> None:
        """A paused run that is resumed with a no runs nothing, whatever reviewers said."""
        session, asks = place.folder / "session", [[Ask(cents=500)]]
        self.run(place, asks, hold="pause", session=session)
        with interlock.open(place.folder) as client:
            (held,) = client.person("rita").waiting()
            client.person("rita").approve(held.id)
        saw = self.run(place, asks, hold="pause", session=session, confirms=False)

        assert "did not confirm" in saw.results[-1]
        assert not place.effects()

    @pytest.mark.governed
    def test_agents_under_agents_are_governed(self, place: Place) -> None:
        """The word is handed on freely, to agents below and to agents that are tools; what those call goes through the gate."""
        below = self.agent(place, [[Ask(order="below", cents=2000), Ask(order="fine", id="c2")]])
        below.description = "does refunds"
        asks: list[list[Any]] = [
            [_Handing("support", {"request": "please"})],
            [_Handing("transfer_to_agent", {"agent_name": "desk"})],
        ]
        desk = LlmAgent(
            name="desk",
            model=Scripted(model="s", script=[[Ask(order="desk")]]),
            tools=[*tools_of(acting(place))],
        )
        front = LlmAgent(
            name="front", model=Scripted(model="s", script=asks), tools=[AgentTool(below)], sub_agents=[desk]
        )
        self.run(place, [], agent=front)

        assert place.effects() == {"fine 5": 1, "desk 5": 1}

    @pytest.mark.once
    def test_adks_own_retries_repeat_nothing(self, place: Place) -> None:
        """Under `ReflectAndRetryToolPlugin` a tool that raised is not run again: the gate's words are no error of the tool's."""
        saw = self.run(place, [[Ask(order="bad")]], before=[ReflectAndRetryToolPlugin(max_retries=3)])

        assert "Do not call it again" in saw.results[0]
        assert place.effects() == {"bad 5": 1}

    @pytest.mark.governed
    def test_a_tool_that_does_not_exist_is_adks_business(self, place: Place) -> None:
        """A name that the model made up runs nothing, and ADK tells it so."""
        saw = self.run(place, [[Ask(tool="unheard_of")]])

        assert "no tool with that name" in saw.results[0]
        assert not place.effects()

    @pytest.mark.governed
    def test_a_long_running_tool_answers_later(self, place: Place) -> None:
        """A long-running tool that gives nothing yet is begun once, and leaves its call open, as ADK has it."""

        async def refund(order: str, cents: int) -> None:
            """Pay back, some day."""
            await acting(place)(order, cents)

        asks = [[Ask()]]
        saw = self.run(place, asks, agent=self.agent(place, asks, tools=[LongRunningFunctionTool(refund)]))

        assert saw.results == []
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.governed
    def test_nothing_is_given_for_a_result_that_is_none(self, place: Place) -> None:
        """A tool that returns nothing is not run a second time."""

        async def refund(order: str, cents: int) -> None:
            """Pay back."""
            await acting(place)(order, cents)

        asks = [[Ask()]]
        saw = self.run(place, asks, agent=self.agent(place, asks, tools=[refund]))

        assert saw.results == ["None"]
        assert place.effects() == {"o1 5": 1}


class _Handing:
    """A call of one of ADK's own tools."""

    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        self.tool, self.arguments = tool, arguments
