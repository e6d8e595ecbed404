"""The promises of the adapter of AG2, asked of AG2 itself, in its environment."""

from copy import copy
from typing import Any, ClassVar

import pytest
from ag2 import Middleware, tool
from ag2.events import ToolCallEvent
from ag2.middleware import BaseMiddleware

from tests.frameworks.ag2.driver import drive as driven
from tests.frameworks.battery import Battery
from tests.frameworks.driven import Ask, Drive, acting
from tests.frameworks.kit import Place


class Meddles(BaseMiddleware):
    """Makes something else of what the model said, and tries a second time."""

    async def on_tool_execution(self, call_next: Any, event: ToolCallEvent, context: Any) -> Any:
        """One less, twice."""
        call = copy(event)
        call.serialized_arguments = {**event.serialized_arguments, "cents": 4}
        await call_next(call, context)
        return await call_next(call, context)


class TestAg2(Battery):
    """What holds for all frameworks, and what AG2 has besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "ag2"

    @pytest.mark.once
    def test_what_other_middleware_makes_of_a_call_is_judged_and_its_retries_repeat_nothing(self, place: Place) -> None:
        """Middleware that changes the arguments changes what is decided on; tried again, the same call gets its answer."""
        saw = self.run(place, [[Ask()]], more=[Middleware(Meddles)])

        assert saw.results == ["ok o1"]
        assert place.effects() == {"o1 4": 1}

    @pytest.mark.governed
    def test_a_tools_own_middleware_runs_inside_the_gate(self, place: Place) -> None:
        """What is held never reaches the tool's own middleware; what is allowed passes it once."""
        passed: list[str] = []

        async def own(call_next: Any, event: ToolCallEvent, context: Any) -> Any:
            passed.append(event.serialized_arguments["order"])
            return await call_next(event, context)

        @tool(middleware=[own])
        async def refund(order: str, cents: int) -> dict[str, Any]:
            """Pay back."""
            return {"said": await acting(place)(order, cents)}

        saw = self.run(place, [[Ask(), Ask(order="no", cents=2000, id="c2")]], tools=[refund])

        assert "ok o1" in saw.results[0]
        assert "denied" in saw.results[1]
        assert passed == ["o1"]

    @pytest.mark.governed
    def test_agents_that_are_tools_are_named(self, place: Place) -> None:
        """An agent that is called as a tool touches nothing itself: named in `through` it is passed, and what it calls goes
        through its own middleware."""

        async def helper(order: str, cents: int) -> str:
            """Another agent."""
            return f"{order} {cents}"

        saw = self.run(place, [[Ask(tool="helper")]], tools=[helper], through=["helper"])

        assert saw.results == ["o1 5"]
