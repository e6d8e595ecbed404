"""The promises of the adapter of AutoGen, asked of AutoGen itself, in its environment."""

import asyncio
from typing import Any, ClassVar

import pytest
from autogen_core import CancellationToken
from autogen_core.tools import FunctionTool, StaticWorkbench

import interlock
from interlock.frameworks.autogen import governed
from tests.frameworks.autogen.driver import drive as driven
from tests.frameworks.battery import Battery
from tests.frameworks.driven import Ask, Drive, acting
from tests.frameworks.kit import Place, held_in


class TestAutoGen(Battery):
    """What holds for all frameworks, and what AutoGen has besides."""

    drive: ClassVar[Drive] = staticmethod(driven)
    folder: ClassVar[str] = "autogen"

    @pytest.mark.governed
    def test_the_tools_of_a_workbench_are_governed(self, place: Place) -> None:
        """Any workbench may be wrapped: what its tools give is given, and where it says that a tool failed nobody knows whether
        it acted."""

        async def refund(order: str, cents: int) -> str:
            """Pay back."""
            return str(await acting(place)(order, cents))

        inner = StaticWorkbench([FunctionTool(refund, description="Pay back.")])
        saw = self.run(place, [[Ask()], [Ask(order="bad", id="c2")], [Ask(cents=2000, id="c3")]], tools=inner)

        assert saw.results[0] == "ok o1"
        assert "Do not call it again" in saw.results[1]
        assert "denied" in saw.results[2]
        assert place.effects() == {"o1 5": 1, "bad 5": 1}

    @pytest.mark.once
    def test_a_cancelled_token_ends_a_call_that_waits(self, place: Place) -> None:
        """Cancelled by AutoGen's own token while people decide, nothing runs, then or when they agree; and nothing hangs."""

        async def program() -> None:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                token = CancellationToken()
                run = asyncio.ensure_future(driven(task, [[Ask(cents=500)]], acting(place), token=token))
                held = await held_in(client)
                token.cancel()
                await asyncio.wait([run], timeout=5)
                assert run.done()
                await client.person("rita").aio.approve(held)
                await asyncio.sleep(0.1)

        asyncio.run(program())
        assert not place.effects()

    @pytest.mark.governed
    def test_a_gate_that_is_closed_is_told_and_hangs_nobody(self, place: Place) -> None:
        """Where the gate cannot be asked the tool does not run, and the agent, which would wait for ever on an exception, goes on
        with a result that says so."""

        async def program() -> Any:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                pass
            return await asyncio.wait_for(driven(task, [[Ask()]], acting(place)), 5)

        saw = asyncio.run(program())
        assert "Not known to be done" in saw.results[0]
        assert not place.effects()

    @pytest.mark.governed
    def test_tools_and_state_are_those_inside(self) -> None:
        """What a governed workbench lists, saves and loads is what the one inside it does."""

        async def refund(order: str, cents: int) -> str:
            """Pay back."""
            return f"{order} {cents}"

        async def program() -> None:
            async with governed(None, [refund]) as bench:
                assert [each["name"] for each in await bench.list_tools()] == ["refund"]
                await bench.load_state(await bench.save_state())
                await bench.reset()

        asyncio.run(program())
