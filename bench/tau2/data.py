"""The benchmark's files as values: the database, the recorded calls, and who each task's customer is.

The folder stands beside the project, never in it: `../shared/real/tau2_retail` with `db.json` (the document),
`tasks.json` (the stories), `tools.json` (the tools' JSON Schemas) and `groundtruth_calls.jsonl` (every action of
every task with what the benchmark's own tools answered, errors included).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "real" / "tau2_retail"

WRITES = frozenset(
    {
        "cancel_pending_order",
        "exchange_delivered_order_items",
        "modify_pending_order_address",
        "modify_pending_order_items",
        "modify_pending_order_payment",
        "modify_user_address",
        "return_delivered_order_items",
    }
)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One ground-truth call and the text the benchmark's tool answered; `ok` is false where it answered an error."""

    function: str
    arguments: dict[str, Any]
    ok: bool
    answer: str

    @property
    def writes(self) -> bool:
        """Whether the call means to change the shop."""
        return self.function in WRITES


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One task: its id, the customer it is done for, and its calls in order."""

    id: str
    customer: str
    calls: tuple[Recorded, ...]

    @property
    def state_key(self) -> str:
        """The name of the task's own copy of the shop, as the benchmark names it."""
        return f"tau2/retail/{self.id}"


def missing() -> str | None:
    """Why the benchmark cannot be played here, or None."""
    return None if (FOLDER / "groundtruth_calls.jsonl").exists() else f"no benchmark data: {FOLDER} is not there"


@cache
def document_text() -> str:
    """`db.json` as it lies on disk."""
    return (FOLDER / "db.json").read_text()


@cache
def document() -> dict[str, dict[str, Any]]:
    """`db.json` as a value. Read only: everybody shares it."""
    found: dict[str, dict[str, Any]] = json.loads(document_text())
    return found


@cache
def tool_schemas() -> dict[str, dict[str, Any]]:
    """The arguments' JSON Schema of each of the benchmark's tools, by name."""
    return {tool["name"]: tool["input_schema"] for tool in json.loads((FOLDER / "tools.json").read_text())}


@cache
def cases() -> tuple[Case, ...]:
    """All tasks in the benchmark's order."""
    calls: dict[str, list[Recorded]] = {}
    for line in (FOLDER / "groundtruth_calls.jsonl").read_text().splitlines():
        row = json.loads(line)
        recorded = Recorded(
            function=row["function"],
            arguments=row["args"],
            ok=row["result"]["ok"],
            answer=row["result"]["tau2_tool_message"]["content"],
        )
        calls.setdefault(row["task_id"], []).append(recorded)
    return tuple(
        Case(id=task["id"], customer=_customer(task), calls=tuple(calls.get(task["id"], ())))
        for task in json.loads((FOLDER / "tasks.json").read_text())
    )


def _customer(task: dict[str, Any]) -> str:
    """Who the task's story says is speaking: by user id or email, else by name and zip code, as the written policy
    authenticates. The actions are not looked at, so that "only the customer's own orders" is not true by making."""
    story = json.dumps(task["user_scenario"]["instructions"])
    users = document()["users"].values()
    by_address = [user["user_id"] for user in users if user["email"] in story or user["user_id"] in story]
    by_name = [
        user["user_id"]
        for user in users
        if f"{user['name']['first_name']} {user['name']['last_name']}" in story and user["address"]["zip"] in story
    ]
    (customer,) = set(by_address or by_name)
    return str(customer)
