"""What of a server may be had beside its tools, as contracts: its resources, its prompts, and what it asks back.

Each is a contract like any other: an agent has it only where its file names it, policy sees the address or the name that is asked
for, and every use is an action. There are only those that the server's file lets pass. Whoever has the connection to whom the
answer goes runs them: a gateway, for exactly the call it is made for.
"""

import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Final, Literal, cast

from interlock.domain.asked_back import takes as asks
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess
from interlock.domain.exact import Raw, opened, written
from interlock.domain.ids import ContractName
from interlock.domain.upstream import Server, Wire

Beside = Literal["read_resource", "get_prompt", "sample", "elicit", "roots"]
_TEXT: Final[dict[str, JsonValue]] = {"type": "string", "maxLength": 8_192}
_TAKES: Final[dict[Beside, dict[str, JsonValue]]] = {
    "read_resource": {"uri": _TEXT},
    "get_prompt": {"name": _TEXT, "arguments": {"type": "object", "additionalProperties": {"type": "string"}}},
    "sample": asks("sample"),
    "elicit": asks("elicit"),
    "roots": {},
}
_SAID: Final[dict[Beside, str]] = {
    "read_resource": "Read a resource of the server `{}`.",
    "get_prompt": "Have a prompt of the server `{}`.",
    "sample": "Let the server `{}` have the client's model answer messages of its own.",
    "elicit": "Let the server `{}` ask the person at the client.",
    "roots": "Tell the server `{}` which folders the client works in.",
}


def beside_name(server: str, what: Beside) -> ContractName:
    """The name of the contract."""
    return ContractName(f"{server}.{what}")


def beside_tools(server: Server, owner: str = "") -> tuple[Contract, ...]:
    """The contracts of what `server`'s file lets pass beside its tools. They only read: whatever changes something is a tool."""
    passing: tuple[tuple[Beside, bool], ...] = (
        ("read_resource", bool(server.resources)),
        ("get_prompt", bool(server.prompts)),
        ("sample", server.sampling == "ask"),
        ("elicit", server.elicitation == "ask"),
        ("roots", server.roots == "ask"),
    )
    return tuple(_contract(server, what, owner) for what, passes in passing if passes)


def passes(name: str, patterns: Collection[str]) -> bool:
    """Whether an address or a name fits one of the patterns, and cannot be read as another one that does not: nothing in it steps
    back, however that is written."""
    plain = name
    for _ in range(3):
        plain = _ENCODED.sub(lambda found: chr(int(found[1], 16)), plain)
    stepping = any(step in (".", "..") for step in _STEPS.split(plain))
    return not stepping and plain.isprintable() and any(fnmatchcase(name, each) for each in patterns)


def _pattern(patterns: Collection[str]) -> dict[str, JsonValue]:
    """The words of a schema that let just these patterns pass; of patterns that no expression says so, any text."""
    if any("[" in each for each in patterns):
        return {**_TEXT, "pattern": "^.*$"}
    said = ("".join(_SAYS.get(each) or re.escape(each) for each in pattern) for pattern in patterns)
    return {**_TEXT, "pattern": f"^({'|'.join(said)})$"}


_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_STEPS: Final = re.compile(r"[/\\]")
_SAYS: Final = {"*": ".*", "?": "."}


def _contract(server: Server, what: Beside, owner: str) -> Contract:
    takes = dict(_TAKES[what])
    if what == "read_resource":
        takes["uri"] = _pattern(server.resources)
    if what == "get_prompt":
        takes["name"] = _pattern(server.prompts)
    return Contract(
        name=beside_name(server.name, what),
        description=_SAID[what].format(server.name),
        owner=owner,
        input_schema={
            "type": "object",
            "properties": cast(JsonValue, takes),
            "required": list[JsonValue](list(takes)[:1]),
            "additionalProperties": False,
        },
        effect="read",
        risk="low" if what in ("read_resource", "get_prompt") else "medium",
        target=InProcess(name=beside_name(server.name, what), server=server.name, trusted=server.trusted),
        touches={"resource": "$args.uri"} if what == "read_resource" else {},
        timeout_ms=server.timeout_ms,
    )


def recorded(said: object) -> JsonValue:
    """What a server gave, with a canonical form. Raises InexactError for what is no JSON."""
    return cast(JsonValue, written({"said": cast(Raw, said)}))


def as_it_came(value: JsonValue) -> Wire:
    """What a server gave, from what was recorded of it; what was masked meanwhile stays so."""
    if not isinstance(value, dict):
        return {}
    found = opened(value).get("said")
    return cast(Wire, found) if isinstance(found, dict) else {}
