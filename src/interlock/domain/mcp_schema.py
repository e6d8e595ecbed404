"""A contract from a tool of an MCP server.

The server says what its tool is called and takes (`name`, `description`, `inputSchema`, `outputSchema` of the Model Context
Protocol). What it says of itself beyond that (`annotations`: that it only reads, that it may be repeated) is a hint by a
stranger and is not read: effect, risk and reversal are said by whoever puts the tool under contract.
"""

from interlock.domain.canonical import JsonValue
from interlock.domain.closing import Schema, closed
from interlock.domain.contract import (
    Blind,
    Contract,
    Effect,
    Idempotency,
    NoReversal,
    Reversal,
    Risk,
    Target,
    checked,
)
from interlock.domain.duration import SECOND
from interlock.domain.errors import ContractError
from interlock.domain.ids import ContractName


def contract_from_mcp(
    tool: dict[str, JsonValue],
    *,
    effect: Effect,
    risk: Risk,
    target: Target,
    reversal: Reversal | NoReversal | None = None,
    name: str | None = None,
    version: str = "1",
    owner: str = "",
    idempotency: Idempotency = Blind(),  # noqa: B008  a frozen value
    lookup: Target | None = None,
    data_classes: dict[str, str] | None = None,
    timeout_ms: int = 30 * SECOND,
) -> Contract:
    """The contract of `tool`, as `tools/list` gives it (`input_schema` is understood as well as `inputSchema`).

    Open objects are closed: we send what the schema names and nothing else. Raises ContractError for what cannot be closed,
    for floating-point numbers, and where a contract would not hold.
    """
    called = name or str(tool.get("name") or "")
    schema, flaws = closed(
        _part(tool, "inputSchema", "input_schema") or {"type": "object", "properties": {}}, narrow=True
    )
    for flaw in flaws:
        where = flaw.value or "arguments"
        raise ContractError(
            f"tool `{called}`: `{where}` {flaw.detail}",
            path="/input_schema" + flaw.schema,
            next_step="write its contract by hand, in a file of `contracts/`",
        )
    return checked(
        Contract(
            name=ContractName(called),
            version=version,
            description=str(tool.get("description") or ""),
            owner=owner,
            input_schema=schema,
            output_schema=_part(tool, "outputSchema", "output_schema"),
            effect=effect,
            risk=risk,
            idempotency=idempotency,
            reversal=reversal,
            target=target,
            lookup=lookup,
            data_classes=data_classes or {},
            timeout_ms=timeout_ms,
        )
    )


def _part(tool: dict[str, JsonValue], *names: str) -> Schema:
    """The first of `names` that the tool has, or nothing. Raises ContractError where it is no object."""
    for name in names:
        found = tool.get(name)
        if isinstance(found, dict):
            return found
        if found is not None:
            raise ContractError(f"`{name}` of tool `{tool.get('name')}` is no JSON Schema object")
    return {}
