"""A store in which a record cannot be read: who works with it hears which, and what to do, in every command."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import interlock
from interlock.cli.output import Exit
from interlock.domain.errors import IntegrityError
from tests.cli.shell import Shell
from tests.workspaces import Place, forget, workspace

ALTERED = 'replace(body, \'"agent":"ag"\', \'"agent":5\')'
SWAPPED = 'replace(body, \'"state":\', \'"state":7,"was":\')'
ENGINE = "json_set(body, '$.engine', 'foo')"
NO_TEXT = "cast(x'7b22ff' as text)"
CUT = "substr(body, 1, length(body) - 9)"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The small workspace in force, with one action held."""
    made = workspace(tmp_path)
    with interlock.open(made.folder, apply=True) as client, client.task("ag", purpose="tests") as task:
        task.propose("box.put", n=500)
    yield made
    forget(made)


def alter(place: Place, table: str, where: str, body: str) -> str:
    """Write over a record behind Interlock's back, as an old defect or a stranger would; give its key or id."""
    [store] = place.folder.glob("**/interlock.db")
    connection = sqlite3.connect(store, isolation_level=None)
    key = "id" if table == "action" else "key"
    [(found,)] = connection.execute(f"SELECT {key} FROM {table} WHERE {where}")
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')  # they guard against mistakes, not against who damages the file
    assert connection.execute(f"UPDATE {table} SET body = {body} WHERE {where}").rowcount == 1
    connection.close()
    return str(found)


@pytest.mark.proves("store.unreadable_is_named")
@pytest.mark.parametrize("body", [SWAPPED, CUT])
@pytest.mark.parametrize("words", [("actions",), ("show",), ("approve", "--as", "rita"), ("policy", "explain")])
def test_an_action_that_cannot_be_read_is_named(place: Place, body: str, words: tuple[str, ...]) -> None:
    """One action's text altered: no traceback, its name, an exit code of its own, and the next step."""
    action = alter(place, "action", "1", body)
    more = (action,) if words[-1] != "actions" else ()

    error = Shell(place).json(*words, *more, code=Exit.EVIDENCE)["error"]

    assert error["fault"] == "operator"
    assert "the stored action `" in error["detail"]
    assert body == CUT or action in error["detail"]
    assert "restore a backup" in error["next"]


@pytest.mark.parametrize("words", [("verify",), ("actions",), ("show",), ("approve", "--as", "ria")])
def test_bytes_that_are_no_text_are_a_damaged_file(place: Place, words: tuple[str, ...]) -> None:
    """What no defect of ours writes, but a disk may: the store is said to be damaged."""
    action = alter(place, "action", "1", NO_TEXT)
    more = () if words[0] in ("verify", "actions") else (action,)

    error = Shell(place).json(*words, *more, code=Exit.OPERATOR)["error"]

    assert error["code"] == "store_corrupt"


@pytest.mark.proves("store.unreadable_is_named")
@pytest.mark.parametrize(
    ("table", "where", "body", "name"),
    [
        ("action", "1", SWAPPED, "the stored action `"),
        ("action", "1", CUT, "the stored action `"),
        ("document", "kind = 'control'", ENGINE, "the stored control `control` cannot be read"),
    ],
)
def test_verifying_finds_what_cannot_be_read(place: Place, table: str, where: str, body: str, name: str) -> None:
    """The log is still read to its end, and the record is one finding."""
    alter(place, table, where, body)

    found = Shell(place).json("verify", code=Exit.EVIDENCE)

    [finding] = found["findings"]
    assert finding["problem"].startswith(name)
    assert found["entries"] == found["size"]


@pytest.mark.proves("store.unreadable_is_named")
@pytest.mark.parametrize("words", [("actions",), ("policy", "engine"), ("stop",), ("check",), ("apply",)])
def test_orders_that_cannot_be_read_stop_whoever_needs_them(place: Place, words: tuple[str, ...]) -> None:
    """The control record as a defect of ours once wrote it: it is named, and nobody sees a traceback."""
    alter(place, "document", "kind = 'control'", ENGINE)

    said = Shell(place)(*words, "--json")

    if words != ("check",):  # which looks at files alone
        assert said.code == Exit.EVIDENCE
        assert said.json()["error"]["detail"].startswith("the stored control `control` cannot be read: ")


@pytest.mark.proves("store.unreadable_is_named")
def test_a_program_hears_which_task_cannot_be_read(place: Place) -> None:
    """A task altered: its error in Python, which no retry and no catch of ours swallows."""
    task = alter(place, "document", "kind = 'task'", ALTERED)

    with interlock.open(place.folder) as client:
        ria = client.person("ria")
        held = ria.approve(ria.waiting()[0].id)
        ticket = client.ticket(held.id, agent=held.agent)
        with pytest.raises(IntegrityError, match=task) as caught:
            ticket.wait(timeout_ms=5_000)

    assert caught.value.members == {"kind": "task", "key": task}
