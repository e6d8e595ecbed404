"""Where a value came from.

What a tool gave back is labelled by its source, so that whoever reads it later (an agent's client, a boundary, an auditor) knows
whether it is the word of a system of ours or of a stranger. A label is ours: a source says nothing of itself.
"""

from typing import Literal

import msgspec

from interlock.domain.contract import Contract, InProcess, McpTarget


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whose word a value is."""

    kind: Literal["mcp"]
    name: str
    """The server's name in the workspace."""
    trusted: bool = False
    """Its owner said so in the workspace; nobody is by default."""


def source_of(contract: Contract) -> Source | None:
    """Whose word the result of `contract` is; None: of a tool of the workspace's own."""
    target = contract.target
    if not isinstance(target, McpTarget | InProcess) or not target.server:
        return None
    return Source(kind="mcp", name=target.server, trusted=target.trusted)
