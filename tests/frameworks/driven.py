"""How a framework's agent is driven in tests: what its scripted model asks for, its tools, and what came of a run."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from inspect import iscoroutine
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest

import interlock
from tests.frameworks.facts import FRAMEWORKS, Framework
from tests.frameworks.kit import Place, place_in

Act: TypeAlias = Callable[[str, int], Awaitable[Any]]
"""What the tools of an agent do in a test, given `order` and `cents`."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One call that the scripted model makes."""

    order: str = "o1"
    cents: int = 5
    tool: str = "refund"
    id: str = "c1"
    given: Mapping[str, Any] | None = None
    """Other arguments than these."""
    said: str | None = None
    """Other words than their JSON, where the model of a framework speaks words."""

    @property
    def arguments(self) -> dict[str, Any]:
        """As values."""
        if self.given is not None:
            return dict(self.given)
        return {"order": self.order} if self.tool == "look" else {"order": self.order, "cents": self.cents}

    @property
    def words(self) -> str:
        """As the model writes them."""
        return json.dumps(self.arguments) if self.said is None else self.said


Script: TypeAlias = Sequence[Sequence[Ask]]
"""The calls of each of the model's turns; after the last of them it says that it is done."""


@dataclass(kw_only=True)
class Saw:
    """What came of a run."""

    results: list[str] = field(default_factory=list[str])
    """What the model was given for each of its calls, in their order."""
    paused: bool = False
    final: str = ""


Drive: TypeAlias = Callable[..., Coroutine[Any, Any, Saw]]
"""`await drive(task, script, act, **options)`: a run of an agent with `tools_of(act)`. `session`, where the framework pauses or
resumes, is where it keeps its runs; `way` is one of the ways to run it; other `options` are the adapter's."""


def tools_of(act: Act) -> list[Callable[..., Any]]:
    """The tools of all tests: functions as a developer writes them, which know nothing of Interlock."""

    async def refund(order: str, cents: int) -> str:
        """Pay back."""
        return str(await act(order, cents))

    async def keyed(order: str, cents: int) -> str:
        """Pay back under a key."""
        return str(await act(order, cents))

    async def wipe(order: str, cents: int) -> str:
        """Has no contract."""
        return str(await act(order, cents))

    def look(order: str) -> str:
        """Look at an order, synchronously."""
        return f"saw {order}"

    return [refund, keyed, wipe, look]


def acting(place: Place) -> Act:
    """A tool that acts; an order named `bad` raises afterwards, one named `none` before, one named `slow` takes its time, one
    named `big` says more than can be written down."""

    async def act(order: str, cents: int) -> str:
        if order == "none":
            raise interlock.NoEffect("sold out")
        place.effect(f"{order} {cents}")
        if order == "bad":
            raise ValueError("boom")
        if order.startswith("slow"):
            await asyncio.sleep(0.1)
        return "x" * 20_000_000 if order == "big" else f"ok {order}"

    return act


def synchronous(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as one that is not asynchronous, for frameworks that call tools from threads of their own."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        return asyncio.run(found) if iscoroutine(found) else found

    return run


def on_a_loop(work: Callable[[], Any]) -> Any:
    """Run what wants an event loop of its thread's, which is not running."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return work()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class Driven:
    """An agent of one framework."""

    drive: ClassVar[Drive]
    folder: ClassVar[str]

    @property
    def facts(self) -> Framework:
        """What the framework has and has not."""
        return FRAMEWORKS[self.folder]

    @pytest.fixture(autouse=True)
    def _possible(self, request: pytest.FixtureRequest) -> None:
        """What a framework cannot is said in its facts, by the name of the test."""
        why = self.facts.cannot.get(request.node.originalname)
        if why is not None:
            pytest.skip(why)

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        """A workspace of tools that the agent's own program has."""
        return place_in(tmp_path)

    def run(self, place: Place, script: Script, by: str = "ag", **options: Any) -> Saw:
        """One run of an agent, in a task of its own."""

        async def program() -> Saw:
            given = client.task(by, purpose="test", budgets=options.pop("budgets", None))
            async with client, given as task:
                return await type(self).drive(task, script, acting(place), **options)

        client = interlock.open(place.folder, apply=True)
        return asyncio.run(program())

    def endured(self, request: pytest.FixtureRequest, place: Place, script: Script, **options: Any) -> Saw | None:
        """The same of what the framework itself may not endure, and ends by an error of its own: None then."""
        try:
            return self.run(place, script, **options)
        except interlock.InterlockError:
            raise
        except Exception:
            if request.node.originalname not in self.facts.ends:
                raise
            return None

    def decided(
        self, place: Place, script: Script, decide: Callable[[Any, str], Awaitable[object]], **options: Any
    ) -> Saw:
        """One run, in which `decide(rita, action)` says of whatever is held what she says of it."""

        async def program() -> Saw:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                run = asyncio.ensure_future(type(self).drive(task, script, acting(place), **options))
                rita = client.person("rita").aio
                said: set[str] = set()
                while not run.done():
                    for each in await rita.waiting():
                        if each.id not in said:
                            said.add(each.id)
                            assert not place.effects()
                            await decide(rita, each.id)
                    await asyncio.sleep(0.02)
                return await run

        return asyncio.run(program())
