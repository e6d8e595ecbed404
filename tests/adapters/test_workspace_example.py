"""The workspace that `interlock init` makes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.workspace import complete, read_workspace, write_workspace
from interlock.domain.binding import bind
from interlock.domain.call import Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Reversal
from interlock.domain.errors import FileError, WorkspaceError
from interlock.domain.ids import ActionId
from interlock.sdk.signature import plain_result, values_of
from interlock.sdk.tool import NoEffect, tools_in


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """Every workspace has its own `notes`."""
    path = list(sys.path)
    sys.modules.pop("notes", None)
    yield
    sys.path[:] = path
    sys.modules.pop("notes", None)


def made(folder: Path) -> tuple[Contract, ...]:
    """The contracts of the example, once nothing is wrong with it."""
    write_workspace(folder, "acme")
    whole = complete(read_workspace(folder), tools_in)
    assert whole.problems == ()
    return whole.contracts


@pytest.mark.proves("workspace.init_passes_check")
def test_the_example_passes_its_own_check(tmp_path: Path) -> None:
    """What is made has no problem and no warning, its policies load against its contracts, and it is called as asked."""
    contracts = made(tmp_path / "new/folder")
    workspace = read_workspace(tmp_path / "new/folder")
    policies = CedarPolicies()

    policies.load(policies.bundle(workspace.policies, contracts))

    assert workspace.settings.tenant == "acme"
    assert [contract.name for contract in contracts] == ["notes.add", "notes.remove", "notes.restore"]
    assert all(contract.acts and not contract.irreversible for contract in contracts)


def test_the_files_made_are_named(tmp_path: Path) -> None:
    """Every file made is named, and every file named was made."""
    named = write_workspace(tmp_path)

    assert sorted(named) == sorted(
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("file", ["interlock.yaml", "people.yaml", "agents/keeper.yaml", "notes.py"])
def test_nothing_is_overwritten(tmp_path: Path, file: str) -> None:
    """Where one of its files exists, that file stays as it is and nothing else is made."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("mine")

    with pytest.raises(WorkspaceError, match="nothing is overwritten") as caught:
        write_workspace(tmp_path)

    assert caught.value.file == file
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / file]
    assert (tmp_path / file).read_text() == "mine"


def test_an_ignore_file_of_ones_own_is_kept(tmp_path: Path) -> None:
    """A folder that is under version control already keeps its `.gitignore`."""
    (tmp_path / ".gitignore").write_text("mine")

    assert ".gitignore" not in write_workspace(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine"


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A name that is none, and a folder that is a file, are errors of ours, not the system's."""
    (tmp_path / "file").write_text("")

    with pytest.raises(WorkspaceError, match="no name for a tenant"):
        write_workspace(tmp_path, "two words")
    with pytest.raises(FileError, match="cannot be written"):
        write_workspace(tmp_path / "file")


def test_its_tools_do_what_they_promise(tmp_path: Path) -> None:
    """A note is written once however often the call is repeated, put away once, and comes back as it was: its name, its
    text and its pin."""
    add, remove, restore = made(tmp_path)
    tools = {tool.contract.name: tool for tool in tools_in(sys.modules["notes"])}

    def run(contract: Contract, key: str, **arguments: JsonValue) -> JsonValue:
        bound = bind(contract, dict(arguments), nonce="0")
        call = Call(action_id=ActionId("a"), idempotency_key=key)
        function = tools[contract.name].function
        return plain_result(function(**values_of(function, bound.arguments, call=call)))

    def notes() -> dict[str, str]:
        return {path.stem: path.read_text() for path in (tmp_path / "notes").iterdir()}

    written = run(add, "k1", text="milk", pinned=True)
    assert run(add, "k1", text="milk", pinned=True) == written
    before = notes()
    assert list(before.values()) == ["* milk"]

    assert isinstance(written, dict)
    removed = run(remove, "k2", note_id=written["note_id"])
    assert run(remove, "k2", note_id=written["note_id"]) == removed
    assert notes() == {}
    with pytest.raises(NoEffect):
        run(remove, "k3", note_id=written["note_id"])

    assert isinstance(removed, dict)
    assert isinstance(remove.reversal, Reversal)
    assert (remove.reversal.contract, set(remove.reversal.arguments)) == (restore.name, set(removed))
    for _ in range(2):
        assert run(restore, "k4", **removed) == written
    assert notes() == before
    with pytest.raises(NoEffect):
        run(restore, "k5", note_id="0" * 16, kept_as="0" * 16)


def test_people_have_the_time_they_are_given(tmp_path: Path) -> None:
    """A task lasts at least as long as people may take to decide, or the time given would never be had."""
    write_workspace(tmp_path)
    (agent,) = read_workspace(tmp_path).agents

    assert agent.runtime.max_task_ms >= agent.approvals.within_ms
