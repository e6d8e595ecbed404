"""What a tool of an MCP server gave back, as it is recorded, and back as it came.

Recorded are `content`, `structuredContent` and `_meta`, by the protocol's own names; `asText` lists the pointers of what is JSON
text there and was something else (see `exact`).
"""

import json
from collections.abc import Mapping
from typing import Final, cast

from interlock.domain.canonical import JsonValue
from interlock.domain.exact import TEXTS, Raw, opened, written
from interlock.domain.upstream import Wire

_PARTS: Final = ("content", "structuredContent", "_meta")


def recorded(result: Mapping[str, Raw]) -> dict[str, JsonValue]:
    """The result of a `tools/call` with a canonical form. Raises InexactError for what is no JSON."""
    return written({name: result[name] for name in _PARTS if name in result})


def as_it_came(result: JsonValue) -> Wire:
    """The result of a `tools/call`, from what was recorded of it. What was masked or dropped meanwhile stays so; a result of
    another kind of tool is given as text."""
    if not isinstance(result, dict) or not result.keys() & {"content", "structuredContent"}:
        return {"content": []} if result is None else {"content": [{"type": "text", "text": _text(result)}]}
    found = cast(Wire, opened({name: part for name, part in result.items() if name in (*_PARTS, TEXTS)}))
    return found if isinstance(found.get("content"), list) else {**found, "content": []}


def words_of_failure(result: Mapping[str, Raw]) -> str:
    """What a tool says of its failure: its texts, a line each."""
    content = result.get("content")
    texts = [
        each["text"]
        for each in (content if isinstance(content, list) else [])
        if isinstance(each, dict) and isinstance(each.get("text"), str)
    ]
    return "\n".join(str(each) for each in texts) or "it says that it failed, and not why"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
