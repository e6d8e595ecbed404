"""People's words, worked on in the store: put under other arguments, moved to another action, given again, made up."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import apsw
import msgspec
import pytest

import interlock
from interlock.adapters.filing import cut
from interlock.adapters.sqlite import SqliteVault
from interlock.adapters.sqlite.veil import Veil, key_of
from interlock.bootstrap.connecting import connect
from interlock.domain.action import Action
from interlock.domain.binding import bound_digest
from interlock.domain.errors import IllegalMove, IntegrityError, InterlockError
from interlock.domain.ids import Digest, Tenant
from tests.battery.lives import Life
from tests.workspaces import Place, forget, workspace

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[Place]:
    made = workspace(tmp_path)
    yield made
    forget(made)


def _held(client: interlock.Client, *amounts: int) -> list[str]:
    with client.task("ag", purpose="battery", on_behalf_of="user:zoe") as task:
        return [task.propose("box.put", n=n).action_id for n in amounts]


def _edit(place: Place, action: str, change: Edit) -> None:
    """Change the row of an action in the file, and nothing else, as somebody would who has the vault's keys as well."""
    body = _body(place, action)
    change(body)
    parts = cut(msgspec.convert(body, Action))
    found = ("action", action)
    number = key_of(_sql(place, "SELECT sealed FROM action WHERE id = ?", action)[0][0])
    veil = _veil(place)
    assert number is not None
    assert veil.vault is not None
    row = veil.clear(veil.vault, parts, found, number)
    _sql(place, "UPDATE action SET body = ?, sealed = ? WHERE id = ?", *row, action)


def _body(place: Place, action: str) -> dict[str, Any]:
    """What is stored of an action, opened."""
    ((body, sealed),) = _sql(place, "SELECT body, sealed FROM action WHERE id = ?", action)
    found: dict[str, Any] = msgspec.json.decode(_veil(place).text(("action", action), body, sealed))
    return found


def _veil(place: Place) -> Veil:
    """What opens and seals the rows of the place."""
    keys = place.folder / ".interlock/keys"
    vault = SqliteVault(keys.with_name("keys.db"), keys, writable=False)
    vault.begin(None)
    return Veil(Tenant("tests"), vault)


def _work(place: Place) -> list[str]:
    """A process of its own that drives whatever is due; what it could not drive, in its words."""

    async def work() -> list[str]:
        plane, problems = connect(place.folder), list[str]()
        try:
            for action in await plane.execution.claim(places=("",), limit=10):
                try:
                    await plane.execution.drive(action)
                except InterlockError as error:
                    problems.append(str(error))
        finally:
            await plane.means.store.close()
        return problems

    return anyio.run(work)


def _findings(place: Place) -> list[str]:
    return [each.problem for each in Life(folder=place.folder, retained="", actions=()).findings()]


def _other_arguments(body: dict[str, Any]) -> None:
    body["arguments"] = {"n": 777, "word": "x", "wait_ms": 0}


def _other_arguments_with_their_digest(body: dict[str, Any]) -> None:
    """What somebody does who has read the code: the digest of the new arguments too."""

    _other_arguments(body)
    body["digest"] = bound_digest(
        str(body["contract"]),
        Digest(str(body["contract_digest"])),
        {"n": 777, "word": "x", "wait_ms": 0},
        str(body["nonce"]),
    )


def _later_expiry(body: dict[str, Any]) -> None:
    body["hold"]["expires_at"] += 86_400_000


EDITS: dict[str, Edit] = {
    "other arguments": _other_arguments,
    "other arguments and their digest": _other_arguments_with_their_digest,
    "a later expiry": _later_expiry,
}


@pytest.mark.proves("battery.words")
@pytest.mark.parametrize("how", EDITS)
def test_what_was_changed_while_it_waited_cannot_be_approved(place: Place, how: str) -> None:
    """T9: a reviewer's yes is refused where the row is no longer what was decided and bound, and nothing runs."""
    with interlock.open(place.folder, apply=True) as client:
        (action,) = _held(client, 500)
        _edit(place, action, EDITS[how])

        with pytest.raises(IntegrityError, match="was altered in the store"):
            client.person("rita").approve(action)

    _work(place)
    assert place.effects() == []


@pytest.mark.proves("battery.words")
@pytest.mark.parametrize("how", EDITS)
def test_what_was_changed_after_the_yes_is_not_run(place: Place, how: str) -> None:
    """T9: between a yes and the call nothing can be put under it; the worker says so and goes on with the others."""
    with interlock.open(place.folder, apply=True) as client:
        action, other = _held(client, 500, 501)
        client.person("rita").approve(action)
        client.person("rita").approve(other)
    _edit(place, action, EDITS[how])

    problems = _work(place)

    assert ["was altered in the store" in each for each in problems] == [True]
    assert place.effects() == ["put 501"]


@pytest.mark.proves("battery.words")
def test_a_word_moved_to_another_action_does_not_count(place: Place) -> None:
    """T9: a yes is bound to one action; copied into the row of another it meets nothing."""
    with interlock.open(place.folder, apply=True) as client:
        said, unsaid = _held(client, 500, 600)
        client.person("rita").approve(said)
        hold = _hold(place, said)

        def move(body: dict[str, Any]) -> None:
            body["hold"]["approvals"] = hold["approvals"]
            body["state"], body["due_at"] = "ready", 1

        _edit(place, unsaid, move)
        _due(place, unsaid)

    _work(place)
    assert place.effects() == ["put 500"]
    assert _findings(place)


@pytest.mark.proves("battery.words")
def test_a_word_cannot_be_given_or_used_twice(place: Place) -> None:
    """T9: the move out of `held` consumes the yes; the whole row put back from before runs nothing again."""
    with interlock.open(place.folder, apply=True) as client:
        (action,) = _held(client, 500)
        client.person("rita").approve(action)
        before = _row(place, action)
        _work(place)
        with pytest.raises(IllegalMove):
            client.person("ria").approve(action)
    _put_back(place, before)

    problems = _work(place)

    assert ["the store counts 2 facts, the log 4" in each for each in problems] == [True]
    assert place.effects() == ["put 500"]
    assert _findings(place)


@pytest.mark.proves("battery.words")
def test_a_word_made_up_in_the_store_lets_nothing_run(place: Place) -> None:
    """T9: somebody who writes a yes that nobody said, binding and all, has not written it into the log."""
    with interlock.open(place.folder, apply=True) as client:
        said, unsaid = _held(client, 500, 600)
        client.person("rita").approve(said)
        word = _hold(place, said)["approvals"][0]

    def forge(body: dict[str, Any]) -> None:
        body["hold"]["approvals"] = [word | {"binding": body["hold"]["binding"]}]
        body["state"] = "ready"

    _edit(place, unsaid, forge)
    _due(place, unsaid)

    problems = _work(place)

    assert ["the store says it is ready, the log that it is held" in each for each in problems] == [True]
    assert place.effects() == ["put 500"]


def _hold(place: Place, action: str) -> dict[str, Any]:
    found: dict[str, Any] = _body(place, action)["hold"]
    return found


def _sql(place: Place, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    store = apsw.Connection(str(place.folder / ".interlock/interlock.db"))
    store.set_busy_timeout(5_000)
    found = store.execute(statement, values).fetchall()
    store.close()
    return found


def _row(place: Place, action: str) -> tuple[Any, ...]:
    return _sql(place, "SELECT * FROM action WHERE id = ?", action)[0]


def _put_back(place: Place, row: tuple[Any, ...]) -> None:
    """The row, every column of it, as it was."""
    _sql(place, "DELETE FROM action WHERE id = ?", row[1])
    _sql(place, f"INSERT INTO action VALUES ({', '.join('?' * len(row))})", *row)


def _due(place: Place, action: str) -> None:
    """The columns that make a worker take it."""
    _sql(place, "UPDATE action SET state = 'ready', due_at = 1 WHERE id = ?", action)
