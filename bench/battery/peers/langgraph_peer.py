"""LangGraph: a graph whose node acts, checkpointed in SQLite with `durability="sync"`; people answer an `interrupt`."""

import sqlite3
from pathlib import Path
from typing import Any, TypedDict

from common import die, effect, say, serve, versions
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

FOLDER = Path()
KILLED = False
THREAD: Any = {"configurable": {"thread_id": "t1"}}


class State(TypedDict, total=False):
    """What is checkpointed."""

    order: str
    amount: int
    ask: bool
    done: bool


def gate(state: State) -> State:
    """Wait for a person where one is asked."""
    if state.get("ask") and not interrupt({"order": state["order"], "amount": state["amount"]}):
        raise ValueError("rejected")
    return {}


def act(state: State) -> State:
    """The tool."""
    effect(FOLDER, f"refund {state['order']} {state['amount']}")
    if KILLED:
        die()
    return {"done": True}


def _graph(folder: Path) -> Any:
    global FOLDER
    FOLDER = folder
    graph = StateGraph(State)
    graph.add_node("gate", gate)
    graph.add_node("act", act)
    graph.add_edge(START, "gate")
    graph.add_edge("gate", "act")
    graph.add_edge("act", END)
    return graph.compile(checkpointer=SqliteSaver(sqlite3.connect(folder / "graph.db", check_same_thread=False)))


def about() -> None:
    """Checkpoints of state; nothing verifies them."""
    say(
        versions=versions("langgraph", "langgraph-checkpoint-sqlite"),
        setup='`SqliteSaver`, `durability="sync"`, `interrupt` and `Command(resume=)`; it has no verification of its checkpoints',
        store={"kind": "sqlite", "path": "graph.db", "table": "checkpoints", "order": "rowid"},
    )


def records(folder: Path, n: int) -> None:
    """Runs of the graph."""
    graph = _graph(folder)
    for number in range(n):
        config: Any = {"configurable": {"thread_id": f"r{number}"}}
        graph.invoke({"order": f"o{number}", "amount": 10 + number}, config, durability="sync")


def crash(folder: Path) -> None:
    """Killed in the node."""
    global KILLED
    KILLED = True
    _graph(folder).invoke({"order": "o1", "amount": 10}, THREAD, durability="sync")


def again(folder: Path) -> None:
    """Resumed, as its documentation says: invoked with None on the same thread."""
    _graph(folder).invoke(None, THREAD, durability="sync")
    say(state="done")


def hold(folder: Path) -> None:
    """Interrupted, and the process dies."""
    _graph(folder).invoke({"order": "o1", "amount": 10, "ask": True}, THREAD, durability="sync")
    die()


def edit(folder: Path) -> None:
    """The amount in the last checkpoint's row."""
    database = sqlite3.connect(folder / "graph.db")
    serializer = JsonPlusSerializer()
    changed = 0
    for rowid, kind, data in database.execute("SELECT rowid, type, checkpoint FROM checkpoints").fetchall():
        found = serializer.loads_typed((kind, data))
        if found["channel_values"].get("amount") == 10:
            found["channel_values"]["amount"] = 127
            database.execute(
                "UPDATE checkpoints SET checkpoint = ? WHERE rowid = ?", (serializer.dumps_typed(found)[1], rowid)
            )
            changed += 1
    database.commit()
    say(changed=changed)


def approve(folder: Path) -> None:
    """The yes, in a new process."""
    try:
        _graph(folder).invoke(Command(resume=True), THREAD, durability="sync")
        say(state="done")
    except Exception as error:  # noqa: BLE001  whatever it raises is its answer
        say(state=f"{type(error).__name__}: {error}"[:120])


serve(
    {
        "about": about,
        "records": records,
        "crash": crash,
        "again": again,
        "hold": hold,
        "edit": edit,
        "approve": approve,
        "twice": approve,
    }
)
