"""A question to a model, in the words of OpenAI's API: read, bounded, and made ready for whoever is asked.

How many tokens it has nobody knows before its provider says so; here it is bounded from above. A token of the models that are
asked this way stands for at least one byte of text, and what stands around a text in JSON is longer than what it becomes, so
bytes bound tokens. Where something is no text, or is not in the question at all (a picture, a file, an earlier answer), bytes
bound nothing, and only the model's own window does.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final, Literal, cast

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.domain.filtering import filtered
from interlock.domain.ids import Digest
from interlock.domain.model_route import Leg, ModelRoute
from interlock.domain.output import Output, Secrets
from interlock.domain.relayed import LONGEST_WORD, Question
from interlock.domain.use import TokenCount

Kind = Literal["chat", "responses", "embeddings"]
PATHS: Final[Mapping[str, Kind]] = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/embeddings": "embeddings",
}
AROUND: Final = 256
"""Tokens for what a provider writes around every question: the form of its chats, its own first words."""
MOST_CHOICES: Final = 128

_TEXT: Final = frozenset({"text", "input_text", "output_text", "refusal", "summary_text"})
_ITEMS: Final = frozenset(
    {"message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output"}
)
_OF_AGENTS: Final = frozenset({"function", "custom"})
"""Tools that the agent runs itself, under contract."""
_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt")
"""Fields of a question that stand for words which are not in it."""
_RUN_THERE: Final = {"web_search_options": "web_search", "plugins": "plugins", "data_sources": "data_sources"}
"""Fields by which a provider runs tools, and what these are called."""
_LIMITS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "chat": ("max_completion_tokens", "max_tokens"),
    "responses": ("max_output_tokens",),
    "embeddings": (),
}
_in_order: Final = msgspec.json.Encoder(order="sorted").encode
_to_json: Final = msgspec.json.Encoder().encode


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A question as the agent put it, with its secrets masked where they are."""

    kind: Kind
    body: dict[str, Any]
    model: str
    stream: bool
    counts: bool
    """Whether the agent asked to be told in the stream how many tokens it took."""
    question: Question


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it is sent, and how many tokens it takes at most."""

    body: bytes
    most: TokenCount


def read(kind: Kind, raw: bytes, secrets: Secrets) -> Request:
    """The question in `raw`. Raises ContractError for what is none, and for secrets where these are refused."""
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ContractError("the body is no JSON that can be read here", next_step=_NEXT) from None
    if not isinstance(body, dict):
        raise ContractError("the body is a JSON object", next_step=_NEXT)
    said = cast("dict[str, Any]", body)
    masked: dict[str, int] = {}
    if secrets != "keep":
        said, masked = _without_secrets(said, secrets)
    model = said.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= LONGEST_WORD or not model.isprintable():
        raise ContractError("`model` says which model is asked", path="/model", next_step=_NEXT)
    stream = said.get("stream")
    if stream not in (None, True, False):
        raise ContractError("`stream` is true or false", path="/stream", next_step=_NEXT)
    for name in ("background", "models", "route"):
        if said.get(name):
            raise ContractError(f"`{name}` is not passed on: {_NOT_PASSED[name]}", path=f"/{name}", next_step=_WITHOUT)
    options = said.get("stream_options")
    counts = isinstance(options, dict) and cast("dict[str, Any]", options).get("include_usage") is True
    plain = {name: value for name, value in said.items() if name not in ("stream", "stream_options")}
    return Request(
        kind=kind,
        body=said,
        model=model,
        stream=stream is True and kind != "embeddings",
        counts=counts,
        question=Question(digest=Digest(_digest(plain)), size=len(raw), masked=masked),
    )


def bound(request: Request, route: ModelRoute, leg: Leg) -> Bound:
    """`request` as `leg` is asked it, with what it takes at most.

    Raises ContractError for what the route does not allow, and where nothing bounds it.
    """
    body = dict(request.body)
    body["model"] = leg.model
    run_there = sorted(set(_tools_there(body)))
    for each in run_there:
        if each not in route.tools:
            raise ContractError(
                f"`{each[:60]}` is run by the provider, past everything that bounds an action here; the route does not allow it",
                path="/tools",
                next_step="give the agent a tool of its own under contract; or `tools` of the route allows it",
            )
    output = _output(request.kind, body, route)
    if request.kind == "chat" and request.stream:
        options = body.get("stream_options")
        own = cast("dict[str, Any]", options) if isinstance(options, dict) else {}
        body["stream_options"] = {**own, "include_usage": True}
    sent = _to_json(body)
    read_at_most = len(sent) + AROUND
    beyond = next(_beyond(request.kind, body), "") or ("tools of the provider" if run_there else "")
    if beyond and not route.most_input:
        raise ContractError(
            f"how many tokens {beyond} takes cannot be told from the question, and `most_input` of the route does not say either",
            path="/input",
            next_step="say in interlock.yaml how many tokens the model can read: `most_input`",
        )
    if route.most_input:
        read_at_most = route.most_input if beyond else min(read_at_most, route.most_input)
    return Bound(body=sent, most=TokenCount(input=read_at_most, output=output))


def listed(value: object) -> list[object]:
    """`value`, where it is a list; else nothing."""
    return cast("list[object]", value) if isinstance(value, list) else []


# -- parts ---------------------------------------------------------------------------------------------------------------

_NEXT: Final = "compare the request with what its provider documents"
_WITHOUT: Final = "send the question without it"
_NOT_PASSED: Final = {
    "background": "nobody would settle what an answer takes that is fetched later",
    "models": "which models are asked says the workspace",
    "route": "which models are asked says the workspace",
}


def _digest(body: Mapping[str, Any]) -> str:
    try:
        return sha256(_in_order(body)).hexdigest()
    except (UnicodeEncodeError, RecursionError):
        raise ContractError("the body is nested too deeply, or holds half of a character", next_step=_NEXT) from None


def _without_secrets(body: dict[str, Any], secrets: Secrets) -> tuple[dict[str, Any], dict[str, int]]:
    seen = filtered(cast(JsonValue, body), Output(secrets=secrets))
    if not seen.taken:
        return body, {}
    taken: dict[str, int] = {}
    for each in seen.taken:
        taken[each.kind] = taken.get(each.kind, 0) + each.places
    if "unreadable" in taken:
        raise ContractError("the question is too long or too deeply nested to be looked through", next_step=_NEXT)
    if not isinstance(seen.result, dict):
        kinds = ", ".join(f"`{each}`" for each in sorted(taken))
        raise ContractError(
            f"there is a secret in the question ({kinds}), and this workspace refuses that",
            next_step="take it out; nothing was sent to the model",
        )
    return cast("dict[str, Any]", seen.result), taken


def _output(kind: Kind, body: dict[str, Any], route: ModelRoute) -> int:
    """How many tokens the answer has at most; says so in `body` where the agent does not."""
    names = _LIMITS[kind]
    if not names:
        return 0
    said = {name: body[name] for name in names if body.get(name) is not None}
    for name, value in said.items():
        if type(value) is not int or value < 1:
            raise ContractError(f"`{name}` is a whole number from 1 on", path=f"/{name}", next_step=_NEXT)
        if route.most_output and value > route.most_output:
            raise ContractError(
                f"an answer of `{route.name}` has at most {route.most_output} tokens here, {value} are asked for",
                path=f"/{name}",
                next_step=f"ask for at most {route.most_output}, or for none: then it is that many",
            )
    if not said:
        if not route.most_output:
            raise ContractError(
                f"nobody says how many tokens an answer of `{route.name}` may have",
                path=f"/{names[0]}",
                next_step=f"say `{names[0]}`; or `most_output` of the route says it for all",
            )
        body[route.output_field if kind == "chat" else names[0]] = route.most_output
    most = max(said.values(), default=route.most_output)
    if kind == "responses":
        return cast(int, most)
    choices = body.get("n")
    if choices is not None and (type(choices) is not int or not 1 <= choices <= MOST_CHOICES):
        raise ContractError(f"`n` is a whole number from 1 to {MOST_CHOICES}", path="/n", next_step=_NEXT)
    # Of a prediction what turns out otherwise is billed as well.
    foretold = len(_to_json(body["prediction"])) if body.get("prediction") is not None else 0
    return cast(int, most) * (choices or 1) + foretold


def _tools_there(body: Mapping[str, Any]) -> Iterator[str]:
    """What the provider is to run itself."""
    for name, what in _RUN_THERE.items():
        if body.get(name) is not None:
            yield what
    tools = body.get("tools")
    for tool in listed(tools) or ([tools] if tools else []):
        kind = cast("dict[str, Any]", tool).get("type") if isinstance(tool, dict) else None
        # OpenAI's first form has no type, and stands under `functions`.
        if not isinstance(kind, str) or kind not in _OF_AGENTS:
            yield kind if isinstance(kind, str) else "a tool without a type"


def _beyond(kind: Kind, body: Mapping[str, Any]) -> Iterator[str]:
    """What in the question is not bounded by its bytes."""
    if kind == "embeddings":
        return
    for name in _ELSEWHERE:
        if body.get(name) is not None:
            yield f"`{name}`"
    for each in listed(body.get("messages" if kind == "chat" else "input")):
        if not isinstance(each, dict):
            continue
        item = cast("dict[str, Any]", each)
        what = item.get("type", "message")
        if kind == "responses" and what not in _ITEMS:
            yield f"`{str(what)[:40]}`"
        if item.get("audio") is not None:
            yield "`audio`"
        for name in ("content", "output"):
            for part in listed(item.get(name)):
                form = cast("dict[str, Any]", part).get("type") if isinstance(part, dict) else None
                if form not in _TEXT:
                    yield f"`{str(form)[:40]}`"
