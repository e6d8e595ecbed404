"""A server with everything that the conformance suite of the protocol asks for: `python fixture.py` over stdio, `fixture.py PORT`
over streamable HTTP. What it answers is what the descriptions of the suite say."""

import json
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio
import mcp_types as types
import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.runner import serve_loop
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId

Context = ServerRequestContext[dict[str, Any]]
Made = Callable[[Context, dict[str, Any]], Awaitable[list[Any]]]

PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV: Final = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
PAUSE_S: Final = 0.05
ADDRESS: Final = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}


def text(words: str) -> types.TextContent:
    """A text in a result."""
    return types.TextContent(type="text", text=words)


def image() -> types.ImageContent:
    """The smallest picture."""
    return types.ImageContent(type="image", data=PNG, mime_type="image/png")


def embedded(uri: str, words: str, kind: str = "text/plain") -> types.EmbeddedResource:
    """A resource within a result."""
    return types.EmbeddedResource(
        type="resource", resource=types.TextResourceContents(uri=uri, mime_type=kind, text=words)
    )


async def simple(_: Context, __: dict[str, Any]) -> list[Any]:
    """A text."""
    return [text("This is a simple text response for testing.")]


async def picture(_: Context, __: dict[str, Any]) -> list[Any]:
    """A picture."""
    return [image()]


async def sound(_: Context, __: dict[str, Any]) -> list[Any]:
    """A sound."""
    return [types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")]


async def resource(_: Context, __: dict[str, Any]) -> list[Any]:
    """A resource."""
    return [embedded("test://embedded-resource", "This is an embedded resource content.")]


async def mixed(_: Context, __: dict[str, Any]) -> list[Any]:
    """One of each."""
    inner = json.dumps({"test": "data", "value": 123})
    return [text("Multiple content types test:"), image(), embedded("test://mixed", inner, "application/json")]


async def logging(context: Context, _: dict[str, Any]) -> list[Any]:
    """Says three things for people while it works."""
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", words, related_request_id=context.request_id)
        await anyio.sleep(PAUSE_S)
    return [text("done, and said so")]


async def progress(context: Context, _: dict[str, Any]) -> list[Any]:
    """Says three times how far it is."""
    for done in (0.0, 50.0, 100.0):
        await context.session.report_progress(done, 100.0, f"{done:g} of 100")
        await anyio.sleep(PAUSE_S)
    return [text("all of it")]


async def failing(_: Context, __: dict[str, Any]) -> list[Any]:
    """Always fails."""
    raise ValueError("This tool intentionally returns an error for testing")


async def sampling(context: Context, given: dict[str, Any]) -> list[Any]:
    """Asks the client's model."""
    asked = types.SamplingMessage(role="user", content=text(str(given.get("prompt", ""))))
    said = await context.session.create_message([asked], max_tokens=100, related_request_id=context.request_id)
    words = said.content.text if isinstance(said.content, types.TextContent) else "no text"
    return [text(f"LLM response: {words}")]


async def asking(context: Context, message: str, properties: dict[str, Any], required: list[str]) -> types.ElicitResult:
    """Ask who sits at the client."""
    schema = {"type": "object", "properties": properties, "required": required}
    return await context.session.elicit_form(message, schema, related_request_id=context.request_id)


async def elicitation(context: Context, given: dict[str, Any]) -> list[Any]:
    """Asks for one answer."""
    wanted = {"username": {"type": "string", "description": "User's response"}, "email": {"type": "string"}}
    said = await asking(context, str(given.get("message", "")), wanted, ["username", "email"])
    return [text(f"User response: action={said.action}, content={json.dumps(said.content)}")]


async def defaults(context: Context, _: dict[str, Any]) -> list[Any]:
    """Asks with a default for each kind."""
    wanted = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    said = await asking(context, "Please review and update the form fields with defaults", wanted, [])
    return [text(f"Elicitation completed: action={said.action}, content={json.dumps(said.content)}")]


async def choices(context: Context, _: dict[str, Any]) -> list[Any]:
    """Asks with each way to say a choice."""
    plain = ["option1", "option2", "option3"]
    titled = [
        {"const": f"value{n}", "title": f"{which} Option"} for n, which in ((1, "First"), (2, "Second"), (3, "Third"))
    ]
    wanted = {
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    said = await asking(context, "Please choose", wanted, [])
    return [text(f"Elicitation completed: action={said.action}, content={json.dumps(said.content)}")]


async def reconnecting(context: Context, _: dict[str, Any]) -> list[Any]:
    """Closes the stream in the middle; the rest is read by whoever comes back."""
    if context.close_sse_stream is not None:
        await context.close_sse_stream()
    await anyio.sleep(PAUSE_S)
    return [text("Reconnection test completed successfully")]


def tool(name: str, words: str, *required: str, schema: dict[str, Any] | None = None) -> types.Tool:
    """A tool as it is listed."""
    plain = {
        "type": "object",
        "properties": {each: {"type": "string"} for each in required},
        "required": list(required),
    }
    return types.Tool(name=name, description=words, input_schema=schema or plain)


TOOLS: Final[dict[str, tuple[types.Tool, Made]]] = {
    each.name: (each, made)
    for each, made in (
        (tool("test_simple_text", "Gives a text."), simple),
        (tool("test_image_content", "Gives a picture."), picture),
        (tool("test_audio_content", "Gives a sound."), sound),
        (tool("test_embedded_resource", "Gives a resource."), resource),
        (tool("test_multiple_content_types", "Gives one of each."), mixed),
        (tool("test_tool_with_logging", "Says what it does."), logging),
        (tool("test_tool_with_progress", "Says how far it is."), progress),
        (tool("test_error_handling", "Always fails."), failing),
        (tool("test_sampling", "Asks the client's model.", "prompt"), sampling),
        (tool("test_elicitation", "Asks who sits at the client.", "message"), elicitation),
        (tool("test_elicitation_sep1034_defaults", "Asks, with defaults."), defaults),
        (tool("test_elicitation_sep1330_enums", "Asks for choices."), choices),
        (tool("test_reconnection", "Closes its stream."), reconnecting),
        (tool("json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", schema=ADDRESS), simple),
    )
}


async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """All of them."""
    return types.ListToolsResult(tools=[each for each, _made in TOOLS.values()])


async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Call one; an error is a result that says so."""
    known = TOOLS.get(params.name)
    if known is None:
        return types.CallToolResult(content=[text(f"there is no tool {params.name}")], is_error=True)
    try:
        return types.CallToolResult(content=await known[1](context, params.arguments or {}))
    except Exception as error:  # noqa: BLE001  whatever a tool of a test meets is its answer
        return types.CallToolResult(content=[text(str(error))], is_error=True)


async def list_resources(_: Context, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    """Those with an address of their own."""
    kinds = {"static-text": "text/plain", "static-binary": "image/png", "watched-resource": "text/plain"}
    return types.ListResourcesResult(
        resources=[
            types.Resource(uri=f"test://{name}", name=name, description=f"The {name}.", mime_type=kind)
            for name, kind in kinds.items()
        ]
    )


async def list_templates(_: Context, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
    """The one with a place in it."""
    template = types.ResourceTemplate(
        uri_template="test://template/{id}/data", name="template", description="By its id."
    )
    return types.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(_: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    """What stands there."""
    uri = str(params.uri)
    if uri == "test://static-binary":
        return types.ReadResourceResult(contents=[types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)])
    words = {
        "test://static-text": "This is the content of the static text resource.",
        "test://watched-resource": "watched",
    }
    found = words.get(uri)
    if uri.startswith("test://template/"):
        number = uri.split("/")[3]
        found = json.dumps({"id": number, "templateTest": True, "data": f"Data for ID: {number}"})
    if found is None:
        raise ValueError(f"there is no {uri}")
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type="text/plain", text=found)])


async def subscribe(_: Context, __: types.SubscribeRequestParams) -> types.EmptyResult:
    """Taken note of."""
    return types.EmptyResult()


async def unsubscribe(_: Context, __: types.UnsubscribeRequestParams) -> types.EmptyResult:
    """Forgotten."""
    return types.EmptyResult()


PROMPTS: Final = {
    "test_simple_prompt": ("A prompt.", ()),
    "test_prompt_with_arguments": ("A prompt with places.", ("arg1", "arg2")),
    "test_prompt_with_embedded_resource": ("A prompt with a resource in it.", ("resourceUri",)),
    "test_prompt_with_image": ("A prompt with a picture in it.", ()),
}


async def list_prompts(_: Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
    """All of them."""
    return types.ListPromptsResult(
        prompts=[
            types.Prompt(
                name=name,
                description=words,
                arguments=[types.PromptArgument(name=each, description=each, required=True) for each in arguments],
            )
            for name, (words, arguments) in PROMPTS.items()
        ]
    )


async def get_prompt(_: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
    """One, with its places filled."""
    given = params.arguments or {}
    contents: dict[str, list[Any]] = {
        "test_simple_prompt": [text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments": [
            text(f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'")
        ],
        "test_prompt_with_embedded_resource": [
            embedded(str(given.get("resourceUri", "")), "Embedded resource content for testing."),
            text("Please process the embedded resource above."),
        ],
        "test_prompt_with_image": [image(), text("Please analyze the image above.")],
    }
    messages = [types.PromptMessage(role="user", content=each) for each in contents[params.name]]
    return types.GetPromptResult(messages=messages)


async def complete(_: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
    """What begins as was written."""
    values = [each for each in ("paris", "park", "party", "test") if each.startswith(params.argument.value)]
    return types.CompleteResult(completion=types.Completion(values=values, total=len(values), has_more=False))


async def set_level(_: Context, __: types.SetLevelRequestParams) -> types.EmptyResult:
    """Everything is said in any case."""
    return types.EmptyResult()


class Events(EventStore):
    """What was sent, for who comes back."""

    def __init__(self) -> None:
        self._sent: list[tuple[StreamId, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: StreamId, message: types.JSONRPCMessage | None) -> EventId:
        """Keep one."""
        self._sent.append((stream_id, message))
        return str(len(self._sent))

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Send again what came after."""
        if not last_event_id.isdigit() or not 0 < int(last_event_id) <= len(self._sent):
            return None
        stream = self._sent[int(last_event_id) - 1][0]
        for number, (which, message) in enumerate(self._sent[int(last_event_id) :], start=int(last_event_id) + 1):
            if which == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


SERVER: Final[Server[dict[str, Any]]] = Server(
    "fixture",
    version="1",
    on_list_tools=list_tools,
    on_call_tool=call_tool,
    on_list_resources=list_resources,
    on_list_resource_templates=list_templates,
    on_read_resource=read_resource,
    on_subscribe_resource=subscribe,
    on_unsubscribe_resource=unsubscribe,
    on_list_prompts=list_prompts,
    on_get_prompt=get_prompt,
    on_completion=complete,
    on_set_logging_level=set_level,
)


async def over_stdio() -> None:
    """Serve whoever began this program."""
    async with stdio_server() as (incoming, outgoing), SERVER.lifespan(SERVER) as state:
        # The versions with a handshake alone, which are those that the suite is about.
        options = SERVER.create_initialization_options()
        await serve_loop(SERVER, incoming, outgoing, lifespan_state=state, init_options=options)


def main() -> None:
    """Serve."""
    # The versions of the protocol that have these are what the suite asks for.
    warnings.simplefilter("ignore")
    if len(sys.argv) > 1:
        app = SERVER.streamable_http_app(event_store=Events(), retry_interval=100)
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
    else:
        anyio.run(over_stdio)


if __name__ == "__main__":
    main()
