"""One framework's agent that calls one free tool a run, bare and under the gate: started in that framework's environment by
`bench.adapters`, it prints what a run takes as JSON."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import interlock
from interlock.sdk.framework_call import FrameworkCall, Governor
from tests.frameworks.kit import place_in

COUNT: Final = 60
ROUNDS: Final = 3
Work = Callable[[int], Awaitable[object]]


def langchain(governed: bool) -> Work:
    """An agent of LangChain."""
    parts, adapter = _parts("langchain")
    model = parts.Scripted(turns=[[("keep", {"order": "o"})]])
    middleware = [adapter.InterlockMiddleware()] if governed else []
    agent = parts.create_agent(model, [parts.tool(keep)], middleware=middleware)

    async def work(number: int) -> object:
        del number
        return await agent.ainvoke({"messages": [("user", "go")]})

    return work


def openai_agents(governed: bool) -> Work:
    """An agent of the OpenAI Agents SDK."""
    parts, adapter = _parts("openai_agents")
    tool = parts.function_tool(keep)

    async def work(number: int) -> object:
        call = parts.function_call("keep", {"order": str(number)}, call_id=str(number))
        model = parts.ScriptedModel([[call], [parts.assistant_message("done")]])
        agent = parts.Agent(name="shop", model=model, tools=[tool])
        return await parts.Runner.run(adapter.governed(agent, run_id=str(number)) if governed else agent, "go")

    return work


def pydantic_ai(governed: bool) -> Work:
    """An agent of Pydantic AI."""
    parts, adapter = _parts("pydantic_ai")
    capabilities = [adapter.InterlockCapability()] if governed else []

    async def work(number: int) -> object:
        model = parts.scripted([("keep", {"order": str(number)})])
        return await parts.Agent(model, tools=[keep], capabilities=capabilities).run("go")

    return work


def keep(order: str) -> str:
    """Cost nothing."""
    return order


def _parts(name: str) -> tuple[Any, Any]:
    """The scripted model of a framework's tests, and its adapter."""
    return import_module(f"tests.frameworks.{name}.in_{name}"), import_module(f"interlock.frameworks.{name}")


MADE: Final[dict[str, Callable[[bool], Work]]] = {
    "langchain": langchain,
    "openai_agents": openai_agents,
    "pydantic_ai": pydantic_ai,
}


async def main(name: str) -> None:
    """Bare, governed and the gate by itself in turns, so that all see the same machine."""
    made = MADE[name]
    found: dict[str, list[float]] = {"bare": [], "governed": [], "gate": []}
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        place = place_in(Path(folder))
        contract = (Path(folder) / "contracts/note.yaml").read_text().replace("name: note", "name: keep")
        place.write(
            "contracts/keep.yaml",
            contract.replace("text: string", "order: string").replace("$args.text", "$args.order"),
        )
        agent = Path(folder) / "agents/ag.yaml"
        agent.write_text(agent.read_text().replace("capabilities: [", "capabilities: [keep, "))
        async with interlock.open(folder, apply=True) as client, client.task("ag", purpose="bench") as task:
            governor = Governor(task)

            async def gate(number: int) -> object:
                call = FrameworkCall(
                    tool="keep", arguments={"order": str(number)}, call_id=str(number), own=_kept, run_id="gate"
                )
                return await governor.acall(call)

            works = {"bare": made(False), "governed": made(True), "gate": gate}
            number = 0
            for each in works.values():
                await each(number := number + 1)
            for _ in range(ROUNDS * COUNT):
                for kind, each in works.items():
                    number += 1
                    began = time.process_time_ns()
                    await each(number)
                    found[kind].append((time.process_time_ns() - began) / 1000)
    print(json.dumps({kind: sorted(all_)[len(all_) // 2] for kind, all_ in found.items()}))


async def _kept(arguments: dict[str, Any]) -> str:
    return str(arguments["order"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
