"""The day itself: run once as a user runs it, with its processes and kills; then its last chapter on damaged copies."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from interlock_demo import program
from interlock_demo.chapters.auditor import honest
from interlock_demo.chapters.morning import AGENTS
from interlock_demo.day import run, verdict
from interlock_demo.door import Door
from interlock_demo.forgery import forge, kinder_word, other_refund
from interlock_demo.program import Program
from interlock_demo.queue import queue_of
from interlock_demo.report import evening
from interlock_demo.setting import Setting
from interlock_demo.telling import Teller
from interlock_demo.world.db import reading
from interlock_demo.world.place import SHOP_HOME, Place
from interlock_demo.world.sign_in import SignIn
from tests.standby import stands_by

HANGS_S = 400


class Told:
    """A teller whose words are kept."""

    def __init__(self) -> None:
        self._out = StringIO()
        self.teller = Teller(Console(file=self._out, width=110))

    def __str__(self) -> str:
        return self._out.getvalue()


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A whole day, kept in a folder, and what it printed."""
    folder = tmp_path_factory.mktemp("day") / "kept"
    command = [sys.executable, "-m", "interlock", "demo", "--keep", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != SHOP_HOME}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HANGS_S, check=False, env=environment, cwd=folder.parent
    )
    return folder, done


def setting_in(folder: Path) -> Setting:
    """The setting of a kept day."""
    place, workspace = Place(folder=folder / "shop"), folder / "workspace"
    own = Program(workspace, {SHOP_HOME: str(place.folder)})
    return Setting(
        folder=folder,
        place=place,
        workspace=workspace,
        program=own,
        door=Door(address="", sign_in=SignIn()),
        releases={},
    )


@pytest.mark.proves("demo.day", "demo.auditor", "demo.shared_budget", "demo.stopped")
def test_a_day_keeps_every_promise(day: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """The demo ends with 0, having denied, held, modified, rejected, approved, killed, settled, undone, stopped and proven."""
    _, done = day
    told = " ".join(done.stdout.split())

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for words in (
        "discounts denied",
        "held: 10 000 of",
        "interlock modify",
        "interlock reject",
        "approved, each as it was shown",
        "kill -9",
        "come back",
        "interlock settle",
        "interlock undo release:pricing@",
        "in force again, the very same",
        "the budget of 17600 EUR for task:",
        "calls refused, in all four processes stopped: the prices of the sale look wrong",
        "stopped for real, measured, lifted",
        "no team over its budget",
        "no rows were written for customers",
        "gone from every file",
        "no doubled refund",
        "of them was erased, as the log says",
        "whole, in order, unaltered, signed",
        "caught",
        "the export verifies",
        "every promise was kept",
    ):
        assert words in told, words
    assert "✗ and nobody noticed" not in told
    assert done.stderr == ""


@pytest.mark.proves("demo.keep")
def test_a_kept_day_can_be_explored(day: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """With the two variables of its `env` file the program shows the day's actions, and no process is left behind."""
    folder, _ = day
    lines = (folder / "env").read_text("utf-8").splitlines()
    variables = dict(line.removeprefix("export ").replace("'", "").split("=", 1) for line in lines)
    command = [sys.executable, "-m", "interlock", "--json", "actions", "--state", "undone"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **variables})

    assert "pricing.set_price" in shown.stdout
    assert not [line for line in processes() if str(folder) in line]


def processes() -> list[str]:
    """The command lines of all processes."""
    return [
        path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists()
    ]


@pytest.mark.proves("demo.kills_are_real")
def test_money_was_moved_twice_by_nobody_and_asked_for_twice_by_somebody(
    day: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """The kills were real: the payment service was asked more often than it paid."""
    folder, _ = day
    with reading(folder / "shop" / "payments.db") as conn:
        asked = conn.execute("SELECT count(*), count(DISTINCT key) FROM calls WHERE path = '/refunds'").fetchone()
        (paid,) = conn.execute("SELECT count(*) FROM refunds").fetchone()

    assert asked[0] > asked[1]
    assert paid == asked[1]


@pytest.fixture
def copy(
    day: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Setting:
    """A copy of the kept day, to be damaged. Its commands are begun by a program that is loaded already."""
    monkeypatch.setattr(program, "INTERLOCK", (str(stands_by() / "interlock"),))
    shutil.copytree(day[0], tmp_path / "copy")
    return setting_in(tmp_path / "copy")


def test_the_last_chapter_of_an_honest_day(copy: Setting) -> None:
    """Told again from what is on disk, the evening finds nothing wrong."""
    told = Told()

    assert evening(told.teller, copy, {}) == []
    assert verdict(told.teller, [], "1 s") == 0


@pytest.mark.proves("demo.auditor")
def test_keys_that_are_not_the_logs_end_the_day(copy: Setting, tmp_path: Path) -> None:
    """An auditor who was given the keys of another shop's log does not verify this one, and the day says so."""
    other = json.loads(copy.program.text("--json", "init", str(tmp_path / "other")))
    keys, bundle = tmp_path / "keys.txt", tmp_path / "evidence"
    found = sorted((Path(other["folder"]) / ".interlock" / "keys").glob("*.pub"))
    keys.write_text("".join(each.read_text() for each in found), "utf-8")
    copy.program.json("audit", "export", str(bundle))

    assert len(found) == 2
    assert honest(Told().teller, bundle, keys) == ["the auditor could not verify the evidence"]


def double_refund(setting: Setting) -> None:
    """Pay one refund a second time, behind everybody's back."""
    with closing(sqlite3.connect(setting.place.payments_db)) as conn:
        conn.execute(
            "INSERT INTO refunds SELECT 're_x', 'x', order_id, return_id, amount_minor, currency, status, issued_at"
            " FROM refunds WHERE status = 'issued' LIMIT 1"
        )
        conn.commit()


def forged(setting: Setting) -> None:
    """Forge the log itself."""
    forge(setting.workspace, kinder_word)


def rewritten(setting: Setting) -> None:
    """Exchange what is sealed beside the log."""
    forge(setting.workspace, other_refund)


@pytest.mark.parametrize(
    ("damage", "words"),
    [(double_refund, "no doubled refund"), (forged, "signature"), (rewritten, "clear text")],
)
@pytest.mark.proves("demo.fails_when_broken")
def test_a_broken_promise_ends_the_day_with_an_error(
    copy: Setting, damage: Callable[[Setting], None], words: str
) -> None:
    """A doubled refund, a forged entry, a rewritten clear text: each is told, and the exit code is 1."""
    damage(copy)
    told = Told()
    broken = evening(told.teller, copy, {})

    assert any(words in each for each in broken), broken
    assert verdict(told.teller, broken, "1 s") == 1
    assert "every promise was kept" not in str(told)


@pytest.mark.proves("demo.keep")
def test_the_demo_overwrites_nothing(tmp_path: Path) -> None:
    """A folder that is in use is left as it is, and the exit code says so."""
    (tmp_path / "mine").write_text("mine", "utf-8")

    assert run(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_queue_of_a_day_is_hundreds_of_tasks_and_always_the_same(place: Place) -> None:
    """Every flagship product is reviewed, one price list is wrong, one customer writes an instruction."""
    queue = queue_of(place)

    assert queue == queue_of(place)
    assert queue != queue_of(place, 8)
    assert queue.tasks >= 400
    assert len({case.order_id for case in queue.cases}) == len(queue.cases)
    assert len(queue.price_list) == sum(bool(wish.says) for wish in queue.wishes) == 1
    assert len(AGENTS) == 4
