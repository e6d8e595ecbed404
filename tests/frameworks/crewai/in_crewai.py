"""The promises of the adapter of CrewAI, asked of CrewAI itself, in its environment."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

import interlock
from tests.frameworks.battery import Battery
from tests.frameworks.crewai.driver import BaseTool, Scripted, bare, governed, tool, tools_of
from tests.frameworks.crewai.driver import drive as driven
from tests.frameworks.driven import Ask, Drive, acting
from tests.frameworks.kit import Place

# What CrewAI says of its own parts.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def once() -> Callable[[Any], tuple[bool, Any]]:
    """A guardrail that is content with the second answer."""
    asked: list[str] = []

    def content(output: Any) -> tuple[bool, Any]:
        asked.append(output.raw)
        return (True, output.raw) if len(asked) > 1 else (False, "not good enough")

    return content


class Stumbles(Scripted):
    """A model whose provider fails once, after its first call was carried out."""

    stumbled: bool = False

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """The next turn, but for once."""
        if self.asked == 1 and not self.stumbled:
            self.stumbled, self.asked = True, 0
            raise ConnectionError("the provider hung up")
        return super().call(messages, *args, **kwargs)


class TestCrew(Battery):
    """What holds for all frameworks, and what CrewAI has besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "crewai"

    @pytest.mark.retries
    def test_a_guardrail_that_has_a_task_tried_again_repeats_nothing(self, place: Place) -> None:
        """Where a guardrail has the task done again the model calls its tool again: bare CrewAI does it twice, under the gate it
        is done once, and the second call gets the first one's answer."""
        bare([[Ask(order="bare")]], acting(place), guardrail=once())
        saw = self.run(place, [[Ask()]], guardrail=once())

        assert saw.results == ["ok o1"]
        assert place.effects() == {"bare 5": 2, "o1 5": 1}

    @pytest.mark.retries
    def test_a_task_that_is_tried_again_after_an_error_repeats_nothing(self, place: Place) -> None:
        """Where the model's provider fails CrewAI executes the task anew, calls included: bare, its effects are there twice,
        under the gate once."""
        model = Stumbles(model="scripted", script=[[Ask(order="bare")]], seen=[])
        bare([], acting(place), model=model)
        saw = self.run(place, [], model=Stumbles(model="scripted", script=[[Ask()]], seen=[]))

        assert saw.results == ["ok o1"]
        assert place.effects() == {"bare 5": 2, "o1 5": 1}

    @pytest.mark.retries
    def test_a_tool_that_raises_is_run_once_where_crewai_runs_it_six_times(self, place: Place) -> None:
        """Where calls are text CrewAI runs a tool that raises six times over; under the gate once."""
        bare([[Ask(order="bad", cents=6)]], acting(place), native=False)
        saw = self.run(place, [[Ask(order="bad")]], native=False)

        assert "Do not call it again" in saw.results[0]
        assert place.effects() == {"bad 6": 6, "bad 5": 1}

    @pytest.mark.once
    @pytest.mark.parametrize("native", [True, False])
    def test_alike_calls_of_one_kickoff_are_one_and_of_two_are_two(self, place: Place, native: bool) -> None:
        """In a kickoff a call of the same tool with the same arguments is the same call; the next kickoff's is another.
        Tools that are named in `repeats` are called as often as the model says."""
        script = [[Ask(id="c1")], [Ask(order="o2", id="c2")], [Ask(id="c3")]]
        self.run(place, script, kickoffs=2, native=native)
        assert place.effects() == {"o1 5": 2, "o2 5": 2}

        self.run(place, script, repeats=["refund"], native=native)
        assert place.effects() == {"o1 5": 4, "o2 5": 3}

    @pytest.mark.governed
    def test_a_no_is_no_final_answer(self, place: Place) -> None:
        """A tool whose result is the crew's answer gives none where it did not run: the crew goes on."""
        tools = tools_of(acting(place))
        tools[0].result_as_answer = True
        saw = self.run(place, [[Ask(cents=2000)]], tools=tools)
        assert saw.final == "done"

        fine = self.run(place, [[Ask()]], tools=tools)
        assert fine.final == "ok o1"
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.governed
    def test_a_limit_that_the_tool_has_counts_on(self, place: Place) -> None:
        """A tool that may be used once is run once."""
        tools = tools_of(acting(place))
        tools[0].max_usage_count = 1
        saw = self.run(place, [[Ask()], [Ask(order="o2", id="c2")]], tools=tools)

        assert "usage limit" in saw.results[1]
        assert place.effects() == {"o1 5": 1}

    @pytest.mark.governed
    def test_asynchronous_tools_are_run_once(self, place: Place) -> None:
        """Awaited by the program itself, a governed tool is run once, be it a function, asynchronous or not, or a class with an
        asynchronous half: also one that raises `NotImplementedError` after it acted."""

        class Refund(BaseTool):
            name: str = "refund"
            description: str = "Pay back."

            def _run(self, order: str, cents: int) -> str:
                place.effect(f"sync {order} {cents}")
                return order

            async def _arun(self, order: str, cents: int) -> str:
                place.effect(f"{order} {cents}")
                raise NotImplementedError

        @tool("refund")
        async def refund(order: str, cents: int) -> str:
            """Pay back."""
            return str(await acting(place)(order, cents))

        async def program() -> list[str]:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                plain, odd = governed(task, [refund, Refund()])
                return [str(await each.arun(order=order, cents=5)) for each, order in ((plain, "o1"), (odd, "o2"))]

        said = asyncio.run(program())
        assert said[0] == "ok o1"
        assert "NotImplementedError" in said[1]
        assert place.effects() == {"o1 5": 1, "o2 5": 1}

    @pytest.mark.governed
    def test_what_was_refused_is_asked_anew(self, place: Place) -> None:
        """What the gate said is not kept by CrewAI: a call that had to wait gives its result when it is made again."""
        saw = self.run(place, [[Ask(cents=500)], [Ask(cents=500, id="c2")]], hold="tell")

        assert all("waits until a person agrees" in each for each in saw.results)
        assert len(saw.results) == 2
