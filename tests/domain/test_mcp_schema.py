"""Contracts from the tools of an MCP server."""

import json
from pathlib import Path
from typing import Any

import pytest

from interlock.domain.binding import bind
from interlock.domain.contract import Contract, HttpTarget, NoReversal
from interlock.domain.errors import ContractError
from interlock.domain.mcp_schema import contract_from_mcp

BENCHMARK = Path(__file__).parents[2] / "../shared/real/tau2_retail/tools.json"
TARGET = HttpTarget(url="https://tools.example/call")


def made(tool: dict[str, Any], **words: Any) -> Contract:
    """The contract of `tool`, as something that writes unless said otherwise."""
    said: dict[str, Any] = {"effect": "write", "risk": "high", "reversal": NoReversal(why="a stranger's tool"), **words}
    return contract_from_mcp(tool, target=TARGET, **said)


TOOL: dict[str, Any] = {
    "name": "create-issue",
    "description": "Creates an issue.",
    "inputSchema": {
        "type": "object",
        "properties": {"title": {"type": "string"}, "labels": {"type": "array", "items": {"type": "string"}}},
        "required": ["title"],
    },
    "outputSchema": {"type": "object", "properties": {"id": {"type": "integer"}}},
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True},
}


@pytest.mark.proves("contract.from_mcp")
def test_what_a_server_says_of_itself_is_not_believed() -> None:
    """Annotations change nothing, not even the digest: effect, risk and reversal are ours to say."""
    contract = made(TOOL)

    assert contract.effect == "write"
    assert contract.irreversible
    assert contract.digest == made({name: part for name, part in TOOL.items() if name != "annotations"}).digest
    with pytest.raises(ContractError, match="how it is undone"):
        made(TOOL, reversal=None)


@pytest.mark.proves("contract.from_mcp")
def test_open_schemas_are_closed() -> None:
    """What the server would take beyond its schema is not sent."""
    contract = made(TOOL)

    assert contract.input_schema["additionalProperties"] is False
    assert made({**TOOL, "inputSchema": {**TOOL["inputSchema"], "additionalProperties": True}}) == contract
    with pytest.raises(ContractError) as caught:
        bind(contract, {"title": "a", "assignee": "b"}, nonce="0")
    assert caught.value.path == "/assignee"
    assert bind(contract, {"title": "a"}, nonce="0").arguments == {"title": "a"}


@pytest.mark.parametrize(
    ("tool", "path", "says"),
    [
        (
            {"inputSchema": {"type": "object", "properties": {"x": {"type": "number"}}}},
            "/input_schema/properties/x",
            "`/x`",
        ),
        ({"inputSchema": {"type": "object", "properties": {"x": {}}}}, "/input_schema/properties/x", "anything"),
        (
            {"inputSchema": {"type": "object", "properties": {"x": {"type": "object"}}}},
            "/input_schema/properties/x",
            "open",
        ),
        ({"inputSchema": {"type": "object", "additionalProperties": True}}, "/input_schema", "open"),
        ({"inputSchema": {"type": "string"}}, "/input_schema", "closed object"),
        ({"inputSchema": "text"}, "", "no JSON Schema"),
        ({"outputSchema": []}, "", "no JSON Schema"),
        ({"name": "two words"}, "", "dotted words"),
        ({"name": None}, "", "dotted words"),
    ],
)
def test_a_tool_that_cannot_be_held_to_its_schema_is_refused(tool: dict[str, Any], path: str, says: str) -> None:
    """Floating-point numbers, and what stays open, are refused with their place."""
    with pytest.raises(ContractError, match=says) as caught:
        made({**TOOL, **tool})

    assert caught.value.path == path


def test_a_tool_without_arguments_takes_none() -> None:
    """No schema means no arguments, not any."""
    contract = made({"name": "ping"}, effect="read", reversal=None)

    with pytest.raises(ContractError):
        bind(contract, {"a": 1}, nonce="0")
    assert bind(contract, {}, nonce="0").arguments == {}


def test_every_tool_of_a_real_benchmark_becomes_a_contract() -> None:
    """All tools of a public retail benchmark can be put under contract as they are."""
    if not BENCHMARK.exists():
        pytest.skip("the benchmark's files are not here")
    tools = json.loads(BENCHMARK.read_text())

    contracts = [made(tool) for tool in tools]

    assert len({contract.digest for contract in contracts}) == len(tools) > 10
