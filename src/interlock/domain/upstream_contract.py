"""The contract of a tool of somebody else's server: what the server says of its arguments, and what its owner here says of it.

Whatever the owner did not say is the most careful word there is: it leaves our systems, it is critical, nothing undoes it and its
failure proves nothing. So a tool that nobody thought about never runs unattended.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from interlock.domain.canonical import CanonicalError, JsonValue, encode
from interlock.domain.closing import SCHEMA_DATA, SCHEMA_MAPS, Schema
from interlock.domain.contract import Contract, McpTarget, NoReversal, checked
from interlock.domain.errors import ContractError
from interlock.domain.exact import InexactError, Raw, kept
from interlock.domain.foreign import foreign
from interlock.domain.ids import ContractName
from interlock.domain.upstream import Definition, Server

UNSAID: Final = "its owner has not said how it is undone"
MAX_DESCRIPTION: Final = 4_000
"""Of what a server says of a tool, so much is in the contract; all of it is in the pin."""
_LONGEST: Final = 128

_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")
_NUMERIC: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a server's file says of one tool beside what any contract says."""

    promises: dict[str, Any] = {}
    """Fields of the contract by name: `effect`, `risk`, `reversal` ..."""
    key: str = ""
    errors: Literal["unsure", "nothing"] = "unsure"
    whole: frozenset[str] = frozenset()
    """Arguments that are integers, whatever number the server would take."""


def contract_name(server: str, tool: str) -> ContractName:
    """What the contract of a tool is called: `server.tool`, what no name may hold being `_`. Where that is too long its end is a
    digest. Two tools may come out alike; whoever makes contracts of both refuses."""
    steps = [_UNFIT.sub("_", step) or "_" for step in tool.split(".")]
    name = ".".join([server, *(step if step[0].isalpha() or step[0] == "_" else f"_{step}" for step in steps)])
    if len(name) > _LONGEST:
        mark = sha256(tool.encode(errors="surrogatepass")).hexdigest()[:8]
        name = f"{name[: _LONGEST - 9].rstrip('.')}-{mark}"
    return ContractName(name)


def upstream_contract(server: Server, tool: Definition, words: Words) -> Contract:
    """The contract of `tool`. Raises ContractError where no contract can be made of it, with what to do."""
    name = contract_name(server.name, tool.name)
    if words.key and words.key not in _properties(tool.input_schema):
        raise ContractError(f"it takes no argument `{words.key}` for the idempotency key", path="/key")
    for each in sorted(words.whole):
        if each not in _properties(tool.input_schema):
            raise ContractError(f"it takes no argument `{each}`, which would be an integer", path="/integers")
    arguments = foreign(tool.input_schema, whole=words.whole, hidden=words.key)
    contract = Contract(
        name=name,
        description=_said(tool.description or tool.title),
        input_schema=arguments.schema,
        output_schema=_result(tool.output_schema),
        effect="external",
        risk="critical",
        reversal=NoReversal(why=UNSAID),
        target=McpTarget(
            server=server.name,
            tool=tool.name,
            pin=tool.digest,
            trusted=server.trusted,
            key=words.key,
            errors=words.errors,
            forms=arguments.forms,
        ),
        timeout_ms=server.timeout_ms,
    )
    contract = msgspec.structs.replace(contract, **words.promises)
    if not contract.acts and isinstance(contract.reversal, NoReversal) and contract.reversal.why == UNSAID:
        contract = msgspec.structs.replace(contract, reversal=None)
    try:
        encode(_plain(contract))
    except CanonicalError as error:
        raise ContractError(f"its definition cannot be recorded: {error.reason}", path=error.path) from None
    try:
        _ = contract.gives
    except ContractError:
        # What it says of its results is no schema: its own affair, and nothing here leans on it.
        contract = msgspec.structs.replace(contract, output_schema={})
    return checked(contract)


def collisions(server: str, tools: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The names of contracts that several tools would have, with these."""
    found: dict[str, list[str]] = {}
    for tool in tools:
        found.setdefault(contract_name(server, tool), []).append(tool)
    return {name: tuple(alike) for name, alike in found.items() if len(alike) > 1}


def _said(text: str) -> str:
    """A stranger's words as people may be shown them: without what moves a cursor or turns lines around."""
    clean = "".join(each if each.isprintable() or each == "\n" else " " for each in text[:MAX_DESCRIPTION])
    return clean.strip()


def _result(structured: Mapping[str, Any] | None) -> Schema:
    """The schema of what is recorded of a result: `structuredContent` is what the tool says, the rest is the protocol's."""
    if structured is None:
        return {}
    try:
        inner = kept(dict(structured)).value
    except InexactError:
        return {}
    loose = _loose(inner)
    properties: Schema = {
        "content": {"type": "array"},
        "structuredContent": loose,
        "asText": {"type": "array", "items": {"type": "string"}},
    }
    return {"type": "object", "properties": properties}


def _loose(node: JsonValue) -> JsonValue:
    """A schema of results, in which a number may be the text that it is kept as."""
    if isinstance(node, list):
        return [_loose(each) for each in node]
    if not isinstance(node, dict):
        return node
    found: Schema = {}
    for word, part in node.items():
        if word == "type":
            kinds = part if isinstance(part, list) else [part]
            numeric = bool({"number", "integer"} & {str(each) for each in kinds})
            either: list[JsonValue] = [each for each in kinds if each not in ("number", "integer", "string")]
            found[word] = [*either, "integer", "string"] if numeric else part
        elif word in _NUMERIC:
            continue
        elif word in SCHEMA_MAPS and isinstance(part, dict):
            found[word] = {name: _loose(child) for name, child in part.items()}
        elif word in SCHEMA_DATA:
            if word not in ("default", "examples"):
                found[word] = part
        else:
            found[word] = _loose(part)
    return found


def _properties(schema: Mapping[str, Raw]) -> Mapping[str, Raw]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _plain(contract: Contract) -> JsonValue:
    return msgspec.to_builtins(contract)  # type: ignore[no-any-return]  # what msgspec gives of a Struct is a table
