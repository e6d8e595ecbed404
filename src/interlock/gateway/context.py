"""A request as handlers are given it."""

from typing import Any, TypeAlias

from mcp.server.context import ServerRequestContext

Context: TypeAlias = ServerRequestContext[Any, Any]
