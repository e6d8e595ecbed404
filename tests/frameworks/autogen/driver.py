"""An AutoGen agent that follows a script."""

from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage, ToolCallExecutionEvent
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

from interlock.frameworks.autogen import governed
from interlock.sdk.task import Handle
from tests.frameworks.driven import Act, Saw, Script, tools_of

USAGE = RequestUsage(prompt_tokens=1, completion_tokens=1)


async def drive(
    task: Handle | None,
    script: Script,
    act: Act,
    *,
    token: CancellationToken | None = None,
    tools: Any = None,
    way: str = "run",
    **options: Any,
) -> Saw:
    """Run; AutoGen has nothing to resume."""

    turns: list[CreateResult | str] = [
        CreateResult(
            finish_reason="function_calls",
            content=[FunctionCall(id=ask.id, name=ask.tool, arguments=ask.words) for ask in turn],
            usage=USAGE,
            cached=False,
        )
        for turn in script
    ]
    agent = AssistantAgent(
        "support",
        model_client=ReplayChatCompletionClient(
            [*turns, "done"],
            model_info=ModelInfo(
                function_calling=True, vision=False, json_output=False, family="unknown", structured_output=False
            ),
        ),
        workbench=governed(task, tools or tools_of(act), **options),
        max_tool_iterations=10,
    )
    if way == "run":
        result: Any = await agent.run(task="do it", cancellation_token=token)
    else:
        *_, result = [each async for each in agent.run_stream(task="do it", cancellation_token=token)]
    saw = Saw()
    for message in result.messages:
        if isinstance(message, ToolCallExecutionEvent):
            saw.results += [each.content for each in message.content]
        elif isinstance(message, TextMessage):
            saw.final = message.content
    return saw
