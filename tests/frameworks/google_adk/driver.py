"""An ADK agent that follows a script."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.apps import App, ResumabilityConfig
from google.adk.events.event import Event
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.runners import Runner
from google.adk.sessions.base_session_service import BaseSessionService
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from google.genai import types

from interlock.frameworks.google_adk import InterlockPlugin
from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Saw, Script, tools_of

CONFIRM = "adk_request_confirmation"


class Scripted(BaseLlm):
    """Calls what the script says, by how many results it was given."""

    script: Any = ()

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        """The next turn of the script."""
        del stream
        turns = sum(any(part.function_response for part in each.parts or []) for each in llm_request.contents)
        if turns < len(self.script):
            calls = [types.FunctionCall(name=ask.tool, args=ask.arguments) for ask in self.script[turns]]
            parts = [types.Part(function_call=each) for each in calls]
        else:
            parts = [types.Part(text="done")]
        yield LlmResponse(content=types.Content(role="model", parts=parts))


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    session: Path | None = None,
    confirms: bool = True,
    agent: LlmAgent | None = None,
    before: list[BasePlugin] | None = None,
    way: str = "run_async",
    **options: Any,
) -> Saw:
    """Run, or resume what is in the session."""
    service: BaseSessionService = InMemorySessionService()
    if session is not None:
        service = SqliteSessionService(f"{session}.db")
    app = App(
        name="shop",
        root_agent=agent or LlmAgent(name="support", model=Scripted(model="s", script=script), tools=[*tools_of(act)]),
        plugins=[*(before or []), InterlockPlugin(task, **options)],
        resumability_config=ResumabilityConfig(is_resumable=True),
    )
    runner = Runner(app=app, session_service=service)
    found = await service.get_session(app_name="shop", user_id="ana", session_id="s")
    asked: dict[str, Any] = {"new_message": types.Content(role="user", parts=[types.Part(text="do it")])}
    if found is None:
        await service.create_session(app_name="shop", user_id="ana", session_id="s")
    else:
        asked = {"invocation_id": found.events[-1].invocation_id}
        waits = [call for event in found.events for call in event.get_function_calls() if call.name == CONFIRM]
        answers = [types.FunctionResponse(id=call.id, name=CONFIRM, response={"confirmed": confirms}) for call in waits]
        if answers:
            parts = [types.Part(function_response=each) for each in answers]
            asked["new_message"] = types.Content(role="user", parts=parts)
    saw = Saw()
    async for event in _run(runner, way, asked):
        saw.paused = saw.paused or any(call.name == CONFIRM for call in event.get_function_calls())
        saw.final = "".join(part.text or "" for part in event.content.parts or []) if event.content else saw.final
    kept = await service.get_session(app_name="shop", user_id="ana", session_id="s")
    if kept is not None:
        for event in kept.events:
            saw.results += [_words(each.response) for each in event.get_function_responses() if each.name != CONFIRM]
    return saw


async def _run(runner: Runner, way: str, asked: dict[str, Any]) -> AsyncIterator[Event]:
    if way == "run_async":
        async for event in runner.run_async(user_id="ana", session_id="s", **asked):
            yield event
        return
    for event in await asyncio.to_thread(lambda: list(runner.run(user_id="ana", session_id="s", **asked))):
        yield event


def _words(response: dict[str, Any] | None) -> str:
    said = response or {}
    return str(said.get("result", said.get("error", said)))
