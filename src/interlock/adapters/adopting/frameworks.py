"""Where each framework keeps its tools in a program's source: decorators, calls and classes, by what is imported from where."""

import ast
from typing import Final

from interlock.adapters.adopting.source import Source, within
from interlock.domain.adoption import Framework
from interlock.domain.tool_words import words

ROOTS: Final[dict[str, Framework]] = {
    "langchain": "langchain",
    "langchain_core": "langchain",
    "langchain_community": "langchain",
    "langgraph": "langchain",
    "agents": "openai-agents",
    "pydantic_ai": "pydantic-ai",
    "google.adk": "google-adk",
    "strands": "strands",
    "autogen": "autogen",
    "autogen_core": "autogen",
    "autogen_agentchat": "autogen",
    "autogen_ext": "autogen",
    "ag2": "ag2",
    "crewai": "crewai",
    "crewai_tools": "crewai",
    "fastmcp": "mcp",
    "mcp": "mcp",
}
"""The framework of a package."""

_DECORATORS: Final = frozenset({"tool", "tool_plain", "function_tool"})
_REGISTERS: Final = frozenset({"register_for_llm", "register_for_execution"})
MAKERS: Final = frozenset(
    {"StructuredTool", "Tool", "from_function", "FunctionTool", "LongRunningFunctionTool", "register_function"}
)
"""What is called with a function to make a tool of it."""
BASES: Final = frozenset({"BaseTool"})
TAKERS: Final = words(
    "Agent LlmAgent AssistantAgent create_agent create_react_agent ToolNode FunctionToolset ConversableAgent bind_tools"
)
"""What takes `tools=[...]`."""
SERVERS: Final = words(
    "StdioServerParameters StdioServerParams MCPServerStdio MCPServerStreamableHttp MCPServerStreamableHTTP "
    "StreamableHTTPConnectionParams StreamableHttpServerParams MCPServerHTTP"
)
"""What is called with how one MCP server is reached."""
MANY: Final = frozenset({"MultiServerMCPClient"})


def framework_of(dotted: str) -> Framework | None:
    """The framework that a dotted name belongs to."""
    return next((framework for root, framework in ROOTS.items() if within(dotted, root)), None)


def decorated(source: Source, decorator: ast.expr) -> Framework | None:
    """The framework for which a decorator makes a tool, or None."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    dotted = source.dotted(called)
    last = dotted.rpartition(".")[2]
    if last in _REGISTERS:
        return "autogen"
    if last not in _DECORATORS:
        return None
    if isinstance(called, ast.Name):
        return framework_of(dotted)
    if last == "tool_plain":
        return "pydantic-ai"
    found = framework_of(dotted)
    if found is not None:
        return found
    owner = called.value if isinstance(called, ast.Attribute) else None
    kind = source.kind_of(owner.id) if isinstance(owner, ast.Name) else ""
    return framework_of(kind) or _only(source)


def _only(source: Source) -> Framework | None:
    """For `@something.tool` where something was made elsewhere: the one framework of this file that writes it so."""
    if source.uses("pydantic_ai"):
        return "pydantic-ai"
    return "mcp" if source.uses("mcp", "fastmcp") else None


def names_of(source: Source, decorator: ast.expr) -> str:
    """The last word of a decorator, for who asks whether it is known."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return source.dotted(called).rpartition(".")[2]
