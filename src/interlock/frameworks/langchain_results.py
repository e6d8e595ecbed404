"""What a tool under LangGraph gave, written down so that the same can be made of it again: messages and commands."""

import json
from typing import Any, TypeAlias, cast

from langchain_core.messages import BaseMessage, ToolMessage, message_to_dict, messages_from_dict
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command

from interlock.domain.canonical import JsonValue
from interlock.sdk.rendering import rendered, words_of_value

Result: TypeAlias = ToolMessage | Command[Any]
_COMMAND = "langgraph_command"
_SEVERAL = "langgraph_results"


def written(result: Result | list[Result]) -> JsonValue:
    """Of a message its content, as JSON where it is JSON; of commands all that they do, in a form that makes them again."""
    if isinstance(result, list):
        return {_SEVERAL: [_command(each) if isinstance(each, Command) else _member([each]) for each in result]}
    if isinstance(result, Command):
        return _command(result) if _plain(result) else rendered(result)
    content: object = result.content  # pyright: ignore[reportUnknownMemberType]  theirs is a list of anything
    if isinstance(content, str) and content[:1] in ("{", "["):
        try:
            return rendered(json.loads(content))
        except ValueError:
            return content
    return rendered(content)  # pyright: ignore[reportUnknownArgumentType]  as above


def _plain(command: Command[Any]) -> bool:
    """Whether it goes to nodes by name: what it sends along to one (`Send`) cannot be written down."""
    goto = cast(object, command.goto)
    return isinstance(goto, str) or (
        isinstance(goto, list | tuple) and all(isinstance(e, str) for e in cast(list[object], goto))
    )


def _command(command: Command[Any]) -> JsonValue:
    update = command.update
    members = cast(dict[str, Any], update) if isinstance(update, dict) else None
    return {
        _COMMAND: {
            "graph": command.graph,
            "goto": rendered(command.goto),  # pyright: ignore[reportUnknownArgumentType]  as above
            "update": rendered(cast(object, update))
            if members is None
            else {name: _member(each) for name, each in members.items()},
        }
    }


def _member(value: object) -> JsonValue:
    several = cast(list[object], value) if isinstance(value, list) else []
    messages = [each for each in several if isinstance(each, BaseMessage)]
    if messages and len(messages) == len(several):
        return {"messages": [rendered(message_to_dict(each)) for each in messages]}
    return {"value": rendered(value)}  # pyright: ignore[reportUnknownArgumentType]  a list of anything


def again(value: JsonValue, request: ToolCallRequest) -> Result:
    """What was written down, as the framework takes it."""
    found = _made_again(value)
    if found is not None:
        return cast(Result, found)
    call = request.tool_call
    return ToolMessage(content=words_of_value(value), name=call["name"], tool_call_id=str(call["id"] or ""))


def _made_again(value: Any) -> Any:
    """Commands and messages of their written form; None of anything else."""
    said = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    if _SEVERAL in said:
        return [_made_again(each) or messages_from_dict(each["messages"])[0] for each in said[_SEVERAL]]
    if _COMMAND not in said:
        return None
    command = said[_COMMAND]
    update = command["update"]
    if isinstance(update, dict):
        members = cast(dict[str, dict[str, Any]], update)
        update = {
            name: messages_from_dict(each["messages"]) if "messages" in each else each["value"]
            for name, each in members.items()
        }
    return Command(graph=command["graph"], goto=command["goto"] or (), update=update)
