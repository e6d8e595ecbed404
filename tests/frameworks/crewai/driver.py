"""A crew that follows a script."""

import asyncio
import json
import os
import warnings
from typing import Any

# Nothing of a test leaves the machine.
os.environ.update(CREWAI_TRACING_ENABLED="false", CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true")

with warnings.catch_warnings():
    # It reads its environment when it is imported, and warns of itself.
    warnings.simplefilter("ignore")
    from crewai import Agent, Crew, Task
    from crewai.llms.base_llm import BaseLLM
    from crewai.tools import BaseTool, tool

    from interlock.frameworks.crewai import governed

from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Saw, Script, synchronous
from tests.frameworks.driven import tools_of as functions_of


class Scripted(BaseLLM):
    """Calls what the script says, one turn after the other; with `again` the script begins anew after it said it was done."""

    script: Any = ()
    native: bool = True
    asked: int = 0
    seen: list[str] = []

    def supports_function_calling(self) -> bool:
        """Whether calls are values, or text."""
        return self.native

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """The next turn of the script."""
        del args, kwargs
        turn, self.asked = self.asked % (len(self.script) + 1), self.asked + 1
        self.seen.append(json.dumps(messages))
        if turn == len(self.script):
            return "done" if self.native else "Thought: I now know the final answer\nFinal Answer: done"
        if self.native:
            return [
                {
                    "id": ask.id,
                    "type": "function",
                    "function": {"name": ask.tool, "arguments": ask.words},
                }
                for ask in self.script[turn]
            ]
        (ask,) = self.script[turn]
        return f"Thought: so\nAction: {ask.tool}\nAction Input: {ask.words}"


def tools_of(act: Act) -> list[BaseTool]:
    """The tools of all tests. A kickoff calls them from a thread of its own, so the asynchronous ones are run there."""
    return [tool(each.__name__)(synchronous(each)) for each in functions_of(act)]


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    native: bool = True,
    kickoffs: int = 1,
    way: str = "kickoff",
    guardrail: Any = None,
    tools: list[BaseTool] | None = None,
    model: Scripted | None = None,
    **options: Any,
) -> Saw:
    """Run; CrewAI has nothing to resume."""
    model = model or Scripted(model="scripted", script=script, native=native, seen=[])
    agent = Agent(
        role="support",
        goal="help",
        backstory="works here",
        tools=governed(task, tools or tools_of(act), **options),
        llm=model,
    )
    work = Task(description="do it", expected_output="done", agent=agent, guardrail=guardrail)
    crew = Crew(agents=[agent], tasks=[work])
    saw = Saw()
    for _ in range(kickoffs):
        kickoff = getattr(crew, way)
        saw.final = str(await (asyncio.to_thread(kickoff) if way == "kickoff" else kickoff()))
    last = json.loads(model.seen[-1])
    saw.results = [str(each["content"]) for each in last if each.get("role") == "tool"] if native else [model.seen[-1]]
    return saw


def bare(
    script: Script, act: Act, *, native: bool = True, guardrail: Any = None, model: Scripted | None = None
) -> None:
    """The same crew with nothing under it."""
    model = model or Scripted(model="scripted", script=script, native=native, seen=[])
    agent = Agent(role="support", goal="help", backstory="works here", tools=tools_of(act), llm=model, cache=False)
    work = Task(description="do it", expected_output="done", agent=agent, guardrail=guardrail)
    Crew(agents=[agent], tasks=[work], cache=False).kickoff()
