"""What a server asks back, as the gate is shown it, and what of that the client is then asked.

The client is sent what was agreed to and nothing else: a question is made anew of the arguments that policy and people had before
them. What has no argument here is not passed on, whatever the server wrote; what was altered is sent as it was altered.
"""

import json
from collections.abc import Mapping
from typing import Final, Literal

from interlock.domain.canonical import MAX_INTEGER, JsonValue
from interlock.domain.errors import NotAllowed
from interlock.domain.upstream import Wire

Question = Literal["sample", "elicit", "roots"]
QUESTIONS: Final[dict[str, Question]] = {
    "sampling/createMessage": "sample",
    "elicitation/create": "elicit",
    "roots/list": "roots",
}
"""By the protocol's method."""

_JSON: Final[dict[Question, dict[str, str]]] = {
    "sample": {
        "messages": "messages",
        "model_preferences": "modelPreferences",
        "temperature": "temperature",
        "stop_sequences": "stopSequences",
        "metadata": "metadata",
        "tools": "tools",
        "tool_choice": "toolChoice",
    },
    "elicit": {"schema": "requestedSchema"},
    "roots": {},
}
"""Arguments that are the JSON text of a member of the question."""
_TEXT: Final[dict[Question, dict[str, str]]] = {
    "sample": {"system": "systemPrompt", "include_context": "includeContext"},
    "elicit": {"message": "message", "mode": "mode", "url": "url", "elicitation_id": "elicitationId"},
    "roots": {},
}
"""Arguments that are its texts."""
_ALWAYS: Final = ("messages", "system", "message", "mode", "url")
"""What a policy finds in every question, empty where the server did not say it."""
_ONLY_IN: Final = {"schema": "form", "url": "url", "elicitation_id": "url"}
"""Arguments that are asked in one mode alone."""


def takes(what: Question) -> dict[str, JsonValue]:
    """The schemas of the arguments, the one first without which there is no question."""
    found: dict[str, JsonValue] = {
        **{each: {"type": "string"} for each in _TEXT[what]},
        **{each: {"type": "string", "description": "JSON"} for each in _JSON[what]},
        **({"max_tokens": {"type": "integer", "minimum": 0}} if what == "sample" else {}),
    }
    first = "messages" if what == "sample" else next(iter(found), "")
    return {**({first: found[first]} if first else {}), **found}


def shown(what: Question, params: Wire) -> dict[str, JsonValue]:
    """What the gate is shown of a question."""
    found: dict[str, JsonValue] = {}
    for name, member in _TEXT[what].items():
        said = params.get(member)
        if name in _ALWAYS or said is not None:
            found[name] = "" if said is None else said if isinstance(said, str) else _text(said)
    for name, member in _JSON[what].items():
        said = params.get(member)
        if name in _ALWAYS or said is not None:
            found[name] = _text([] if said is None else said)
    if what == "elicit":
        found["mode"] = found["mode"] or "form"
    if what == "sample":
        most = params.get("maxTokens")
        found["max_tokens"] = most if type(most) is int and 0 <= most <= MAX_INTEGER else 0
    return found


def agreed(what: Question, arguments: Mapping[str, JsonValue]) -> Wire:
    """The question that was agreed to. Raises NotAllowed for a text that is no JSON any more."""
    mode = arguments.get("mode") or "form"
    found: Wire = {}
    for name, member in _TEXT[what].items():
        if arguments.get(name) and _ONLY_IN.get(name, mode) == mode:
            found[member] = arguments[name]
    for name, member in _JSON[what].items():
        if arguments.get(name) and _ONLY_IN.get(name, mode) == mode:
            found[member] = _value(name, str(arguments[name]))
    if what == "sample":
        found["maxTokens"] = arguments.get("max_tokens", 0)
    return found


def _text(value: object) -> str:
    # As it would be read: a rule that looks for a word finds it however the server wrote its letters.
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _value(name: str, text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise NotAllowed(f"`{name}` of what was agreed to is no JSON", next_step="nothing; it is not asked") from None


def _no_number(name: str) -> object:
    raise ValueError(name)
