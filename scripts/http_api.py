"""The API's routes as tables, drawn from its description."""

from typing import Any

from interlock.api import agent
from interlock.api.app import schema_of_people
from interlock.api.describing import schema
from interlock.web.problems import STATUS
from scripts.markdown import table


def people() -> str:
    """What people's programs may ask."""
    return _table(schema_of_people())


def agents() -> str:
    """What agents' programs may ask."""
    return _table(schema(agent.ROUTES))


def statuses() -> str:
    """The status that answers each kind of error."""
    rows = sorted((status, f"`{kind.code}`") for kind, status in STATUS.items())
    found: dict[int, list[str]] = {}
    for status, code in rows:
        found.setdefault(status, []).append(code)
    return table(["status", "codes"], [[str(status), ", ".join(codes)] for status, codes in found.items()])


def _table(said: dict[str, Any]) -> str:
    rows = [
        [f"`{method.upper()} {path}`", _needs(each), each["summary"]]
        for path, methods in said["paths"].items()
        for method, each in methods.items()
    ]
    return table(["request", "needs", "what it gives or does"], rows)


def _needs(operation: dict[str, Any]) -> str:
    needs = "a proof" if operation["x-needs"] == "nobody" else str(operation["x-needs"])
    of_keys = operation.get("x-needs-of-keys")
    return f"{needs}; a key: {of_keys}" if of_keys else needs
