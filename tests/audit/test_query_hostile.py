"""`audit query` where strings are hostile, others write, and its index is damaged, foreign, or made by somebody else at once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

import interlock
from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.domain.card import ANY, Card, Question, Word
from interlock.domain.errors import Conflict, StoreError
from interlock.domain.ids import ActionId
from interlock.domain.searched import question
from interlock.ports.derived import Reached
from interlock.workbench.searches import found
from tests.cli.shell import Shell
from tests.workspaces import Place

NASTY = (
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "two\nlines\r\x0b\x0c\x85\u2028\u2029",
    "\u202egnp.exe\u2066\u200b\u200f",
    "nul\x00byte",
    "' OR 1=1 --\"`;DROP TABLE action;",
    "%",
    "_",
    "[bold red]markup[/] :smile: \\[",
    "e\u0301\u1e9b\U0001f468\u200d\U0001f469",
    "x" * 60_000,
)


@pytest.mark.proves("audit.query_hostile")
def test_no_string_of_an_agent_breaks_the_answer(shell: Shell) -> None:
    """Arguments, purposes, initiators, keys and reasons of any characters: each action is found by exactly its initiator, the
    terminal is sent one line an action without any control character, and `--json` gives back what was written."""
    lock = interlock.open(shell.place.folder)
    put = shell.place.tools().put
    for each in NASTY:
        with lock.task("ag", purpose=each, on_behalf_of=f"user:{each}") as task:
            task.propose(put, 1, each, reason=each)
    lock.close()

    whole = shell.json("audit", "query", "--limit", "100")["hits"]
    assert sorted(each["initiator"] for each in whole) == sorted(f"user:{each}" for each in NASTY)
    for each in NASTY:
        if "\x00" not in each:  # no command line can hold one
            assert [
                hit["initiator"] for hit in shell.json("audit", "query", "--initiator", f"user:{each}")["hits"]
            ] == [f"user:{each}"]
            assert shell.json("audit", "query", "--policy", each)["hits"] == []
    said = shell("audit", "query", "--limit", "100").out
    assert len(said.splitlines()) == len(NASTY) + 2
    assert all(each.isprintable() for line in said.split("\n") for each in line)


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
import interlock
from importlib import import_module
put = import_module(sys.argv[2]).put
lock = interlock.open(sys.argv[1])
with lock.task("ag", purpose=sys.argv[3], on_behalf_of="user:w" + sys.argv[3]) as task:
    for n in range(int(sys.argv[4])):
        task.propose(put, n % 100, sys.argv[3])
        print(n, flush=True)
lock.close()
"""


def writers(place: Place, count: int, each: int) -> list[subprocess.Popen[str]]:
    """So many processes that propose so many actions each."""
    return [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place.folder), place.module, str(n), str(each)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(count)
    ]


def killed(command: list[str], after_s: float) -> None:
    """Start it, and kill it in the middle."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(after_s)
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.anyio
@pytest.mark.proves("audit.query_hostile")
@pytest.mark.parametrize(("count", "each"), [(2, 5), pytest.param(4, 12, marks=pytest.mark.slow)])
async def test_while_others_write_nothing_that_was_there_is_missing(shell: Shell, count: int, each: int) -> None:
    """Other processes write while it is asked: each answer holds at least what was acknowledged before it was asked for, and the
    last one everything, also where one that reads into the index was killed in the middle."""
    place = shell.place
    running = writers(place, count, each)
    wanted = question(limit=10_000)
    done = [0] * len(running)
    for round_ in range(each):
        for n, process in enumerate(running):
            assert process.stdout is not None
            assert process.stdout.readline()
            done[n] = round_ + 1
        if round_ % 4 == 0:
            answer = await found(place.folder, wanted)
            assert len(answer.hits) >= sum(done)
            assert len({hit.action for hit in answer.hits}) == len(answer.hits)
        if round_ == 2:
            command = [sys.executable, "-m", "interlock", "-w", str(place.folder), "audit", "query"]
            killed(command, after_s=0.3)
    for process in running:
        assert process.wait(60) == 0
        assert process.stdout is not None
        process.stdout.close()
    answer = await found(place.folder, wanted)
    assert len(answer.hits) == count * each
    for n in range(count):
        assert len((await found(place.folder, question(initiator=f"w{n}", limit=100))).hits) == each


@pytest.mark.proves("audit.query_hostile")
def test_a_damaged_file_gives_the_right_answer_or_an_error(shell: Shell) -> None:
    """Torn, cut, overwritten in pages, another program's database: it is thrown away and made again, or it is an error that
    names the file; the answer is never short where SQLite can see that something is wrong."""
    for n in range(5):
        shell.proposed(n)
    wanted = question(limit=100)
    right = (anyio.run(found, shell.place.folder, wanted)).hits
    (file,) = (shell.place.folder / ".interlock").glob("*.audit")
    good, chance = file.read_bytes(), random.Random(7)  # noqa: S311  rubbish that is the same each time
    pages = len(good) // 4096
    harms = [b"", good[:100], good[:4096], good[: len(good) // 2], b"SQLite format 3\x00" + bytes(4080), good[::-1]]
    harms += [good[: 4096 * n] + chance.randbytes(4096) + good[4096 * (n + 1) :] for n in range(1, pages)]
    for harm in harms:
        for name in (file, *file.parent.glob("*.audit-*")):
            name.unlink(missing_ok=True)
        file.write_bytes(harm)
        try:
            answer = anyio.run(found, shell.place.folder, wanted)
        except StoreError as error:
            assert ".audit" in error.next_step, error  # noqa: PT017  either is right
        else:
            assert answer.hits == right


def _cards(prefix: str, count: int) -> list[Card]:
    words = frozenset({ANY, Word("agent", prefix)})
    return [Card(ActionId(f"{prefix}-{n}"), "2026-11-21T10:00:00.000Z", "done", words) for n in range(count)]


@pytest.mark.anyio
@pytest.mark.proves("audit.query_hostile")
async def test_who_had_it_open_when_others_began_anew_answers_right(tmp_path: Path) -> None:
    """One process clears the index, under which the words and the key of all words are others, and fills it again: another
    that has it open finds everything in it, adds to it what can be found, and is told where it is not yet full again."""
    first, second = AuditIndex.open(tmp_path / "x.audit"), AuditIndex.open(tmp_path / "x.audit")
    await first.take(_cards("a", 5), given=Reached(), now=Reached(5, b"l"))
    await second.find(Question())

    await second.clear()
    with pytest.raises(Conflict):
        await first.find(Question(), 5)
    await second.take(_cards("b", 3), given=Reached(), now=Reached(5, b"m"))

    by_agent = Question(words=(Word("agent", "b"),))
    assert len(await first.find(by_agent, 5)) == 3
    await first.take([*_cards("a", 2), *_cards("c", 1)], given=Reached(5, b"m"), now=Reached(8, b"n"))
    for index in (first, second):
        assert [len(await index.find(Question(words=(Word("agent", name),)), 8)) for name in "abc"] == [2, 3, 1]
        await index.close()
