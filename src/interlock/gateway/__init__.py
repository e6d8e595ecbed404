"""The MCP server that agents' clients talk to: every `tools/call` takes the life of any action."""
