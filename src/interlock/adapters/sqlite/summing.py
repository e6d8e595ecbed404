"""How entries become sums: what a step touches is read once, and written once at its end, in the caller's transaction."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, cast

import msgspec

from interlock.adapters.sqlite.connection import Connection, Row
from interlock.adapters.sqlite.naming import Names, joined
from interlock.domain.course import (
    BAD,
    Course,
    Piece,
    Sighting,
    after,
    duration_class,
    marks,
    marks_of_piece,
    streak,
    verdict_on,
)
from interlock.domain.duration import DAY, HOUR
from interlock.ports.rollups import Grain, Series

WENT_WRONG: Final = 1
KNOWN_BAD: Final = 2
"""What is kept of a word as its `error`: 0, or that what was agreed to went wrong, or that it was on an item known to be bad."""
GRAINS: Final[dict[Grain, int]] = {"hour": HOUR, "day": DAY}
SERIES: Final[dict[Series, int]] = {"all": 0, "agent": 1, "contract": 2, "release": 3}
_COURSE: Final = (
    "id, began_at, agent, release, contract, task, undoes, state, blocked_by, asked_at, asked_by, ruling, ruled_at, modified,"
    " alike, took_ms, sure"
)
_SAVE_COURSE: Final = f"INSERT OR REPLACE INTO course ({_COURSE}) VALUES ({', '.join('?' * 17)})"  # noqa: S608  our own words


class _Alike(NamedTuple):
    """In what actions that people were asked about are alike."""

    day: int
    """In which they were, as UTC ms."""
    agent: str
    contract: str
    asked_by: str
    ruling: str
    modified: bool
    error: bool
    in_vain: bool
    waited: int
    """The class of how long they were asked; -1 while they are."""


class Step:
    """Some entries, in one transaction."""

    def __init__(self, connection: Connection, names: Names, digest: Callable[[str], bytes]) -> None:
        self._run, self._many = connection.execute, connection.executemany
        self._name, self._text, self._list, self._digest = names.number, names.text, names.listed, digest
        self._courses: dict[str, Course | None] = {}
        self._pieces: dict[str, Piece | None] = {}
        self._streaks: dict[tuple[int, int], int] = {}
        self._words: list[tuple[int, str, bytes | None, str, int]] = []
        self._turned: set[str] = set()
        """Actions on which words were said before that were wrong by now, or right again."""
        self._asked = Counter[_Alike]()
        """Actions that people were asked about, to add."""
        self._deltas = Counter[tuple[int, str, str, str, str]]()
        """Marks to add, by the hour they belong to, agent, contract, release and mark."""

    def all(self, seen: Iterable[Sighting]) -> None:
        """Take them, and write what became of it."""
        for each in seen:
            match each.subject:
                case "action":
                    self._action(each)
                case "task":
                    self._piece(each)
                case "use":
                    self._add(each.at, each.agent, "", each.release, {"uses": 1, "cost": each.cost})
        self._write()

    def _action(self, seen: Sighting) -> None:
        before = self._course(seen.id)
        if before is None and seen.seq != 1:
            return  # of an action whose beginning is not in this log nothing can be said
        kind = () if before is None else (self._name(before.contract), self._name(joined(before.asked_by)))
        alike = self._alike(*kind) if kind else 0
        now = after(before, seen, alike)
        longer = streak(before, now, alike)
        if longer is not None and kind:
            self._streaks[kind[0], kind[1]] = longer
        if seen.word is not None and now.asked_at is not None:
            waited = duration_class(max(seen.word.at - now.asked_at, 0))
            person = self._digest(seen.word.person) if seen.word.person else None
            self._words.append((seen.word.at, seen.id, person, verdict_on(now, seen.word), waited))
        self._courses[seen.id] = now
        self._ask(now, 1)
        if before is not None:
            self._ask(before, -1)
            if before.error != now.error or before.ruling != now.ruling == "known_bad":
                self._turned.add(seen.id)
        self._add(now.began_at, now.agent, now.contract, now.release, marks(now))
        if before is not None:
            self._add(now.began_at, now.agent, now.contract, now.release, marks(before), sign=-1)
        if now.ruling == "known_bad" and (before is None or before.ruling != "known_bad"):
            self._unmade(now.task)
        if now.state in BAD and (before is None or before.state not in BAD):
            self._went_wrong(now.task)

    def _piece(self, seen: Sighting) -> None:
        if self._known_piece(seen.id) is None:
            piece = Piece(id=seen.id, began_at=seen.at, agent=seen.agent, release=seen.release)
            self._pieces[seen.id] = piece
            self._add(piece.began_at, piece.agent, "", piece.release, marks_of_piece(piece))

    def _unmade(self, task: str) -> None:
        """A task that was opened for an item known to be bad is none."""
        piece = self._known_piece(task)
        if piece is not None:
            self._add(piece.began_at, piece.agent, "", piece.release, marks_of_piece(piece), sign=-1)

    def _went_wrong(self, task: str) -> None:
        piece = self._known_piece(task)
        if piece is not None and not piece.bad:
            self._pieces[task] = bad = msgspec.structs.replace(piece, bad=True)
            self._add(piece.began_at, piece.agent, "", piece.release, marks_of_piece(piece), sign=-1)
            self._add(bad.began_at, bad.agent, "", bad.release, marks_of_piece(bad))

    def _add(self, at: int, agent: str, contract: str, release: str, marked: dict[str, int], *, sign: int = 1) -> None:
        for what, n in marked.items():
            self._deltas[at - at % HOUR, agent, contract, release, what] += sign * n

    def _ask(self, course: Course, n: int) -> None:
        if course.asked_at is not None:
            waited = -1 if course.waited_ms is None else duration_class(course.waited_ms)
            alike = _Alike(
                day=course.asked_at - course.asked_at % DAY,
                agent=course.agent,
                contract=course.contract,
                asked_by=joined(course.asked_by),
                ruling=course.ruling,
                modified=course.modified,
                error=course.error,
                in_vain=course.in_vain,
                waited=waited,
            )
            self._asked[alike] += n

    def _course(self, action: str) -> Course | None:
        if action not in self._courses:
            row = self._run(f"SELECT {_COURSE} FROM course WHERE id = ?", (action,)).fetchone()  # noqa: S608  our own words
            self._courses[action] = None if row is None else self._read(row)
        return self._courses[action]

    def _read(self, row: Row) -> Course:
        return Course(
            id=row[0],
            began_at=row[1],
            agent=self._text(row[2]),
            release=self._text(row[3]),
            contract=self._text(row[4]),
            task=row[5],
            undoes=bool(row[6]),
            state=row[7],
            blocked_by=self._list(row[8]),
            asked_at=row[9],
            asked_by=self._list(row[10]),
            ruling=row[11],
            ruled_at=row[12],
            modified=bool(row[13]),
            alike=row[14],
            took_ms=row[15],
            sure=row[16],
        )

    def _known_piece(self, task: str) -> Piece | None:
        if task not in self._pieces:
            row = self._run("SELECT began_at, agent, release, bad FROM piece WHERE id = ?", (task,)).fetchone()
            self._pieces[task] = (
                None
                if row is None
                else Piece(
                    id=task,
                    began_at=cast(int, row[0]),
                    agent=self._text(cast(int, row[1])),
                    release=self._text(cast(int, row[2])),
                    bad=bool(row[3]),
                )
            )
        return self._pieces[task]

    def _alike(self, contract: int, asked_by: int) -> int:
        place = (contract, asked_by)
        if place not in self._streaks:
            found = self._run("SELECT n FROM streak WHERE contract = ? AND asked_by = ?", place).get
            self._streaks[place] = cast("int | None", found) or 0
        return self._streaks[place]

    def _write(self) -> None:
        name = self._name
        self._many(
            _SAVE_COURSE,
            [
                (
                    each.id,
                    each.began_at,
                    name(each.agent),
                    name(each.release),
                    name(each.contract),
                    each.task,
                    each.undoes,
                    each.state,
                    name(joined(each.blocked_by)),
                    each.asked_at,
                    name(joined(each.asked_by)),
                    each.ruling,
                    each.ruled_at,
                    each.modified,
                    each.alike,
                    each.took_ms,
                    each.sure,
                )
                for each in self._courses.values()
                if each is not None
            ],
        )
        self._many(
            "INSERT OR REPLACE INTO piece VALUES (?, ?, ?, ?, ?)",
            [
                (each.id, each.began_at, name(each.agent), name(each.release), each.bad)
                for each in self._pieces.values()
                if each is not None
            ],
        )
        self._many(
            "INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [
                (each.day, name(each.agent), name(each.contract), name(each.asked_by), *each[4:], n)
                for each, n in self._asked.items()
                if n
            ],
        )
        self._many(
            "INSERT INTO word (at, course, person, verdict, error, waited) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (at, course, person, verdict, self._wrong(course), waited)
                for at, course, person, verdict, waited in self._words
            ],
        )
        self._many(
            "UPDATE word SET error = ? WHERE course = ?", [(self._wrong(each), each) for each in sorted(self._turned)]
        )
        self._many("INSERT OR REPLACE INTO streak VALUES (?, ?, ?)", [(*key, n) for key, n in self._streaks.items()])
        self._tally()

    def _wrong(self, action: str) -> int:
        """What a word on it counts as: see `WENT_WRONG`."""
        course = self._courses[action]
        if course is None:
            return 0
        return KNOWN_BAD if course.ruling == "known_bad" else WENT_WRONG * course.error

    def _tally(self) -> None:
        """Each difference counts in every series, by hour and by day."""
        sums = Counter[tuple[int, int, int, int, int]]()
        for (at, agent, contract, release, what), n in self._deltas.items():
            if n:
                of = self._name(what)
                for series, each in (("all", ""), ("agent", agent), ("contract", contract), ("release", release)):
                    if series == "all" or each:
                        for grain in (HOUR, DAY):
                            sums[grain, SERIES[cast(Series, series)], at - at % grain, self._name(each), of] += n
        self._many(
            "INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [(*key, n) for key, n in sums.items() if n],
        )
