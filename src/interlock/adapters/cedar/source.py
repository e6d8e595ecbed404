"""Policy files as people write them: one policy after the other, each with its place.

Cedar's parser says which policy is wrong but not where it stands, and names policies by their order. So a file is cut
into its policies first, each is parsed by itself, and the place of a mistake within it is found on its tokens.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

import msgspec

from interlock.domain.errors import PolicyError
from interlock.domain.finding import Finding, Severity

PIECE: Final = re.compile(
    r'(?P<skip>\s+|//[^\n\r]*)|(?P<text>"(?:[^"\\]+|\\.)*"?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)'
    r"|[0-9]+|&&|\|\||[=!<>]=|::|(?P<end>;)|.",
    re.DOTALL,
)
"""The tokens of Cedar, and what stands between them. A comment ends with the line, and to Cedar a carriage return ends
one, too. A string that nothing closes goes on to the end: looking for its end again from every quote in it would take time
by the square of its length. Outside of strings and comments a semicolon is nothing but a policy's end."""

MOST: Final = 500
"""Errors, and warnings, about one bundle. Nobody reads more, and a person's mistake in a list of thousands is one
mistake. They are counted apart: no number of warnings may keep an error from being noted."""


_WIDEST: Final = 400
"""Letters of a line that are shown."""
_LONGEST: Final = 1_000
"""Letters of a message: Cedar's own repeat whatever they are about."""


class Place(msgspec.Struct, frozen=True):
    """Where a policy begins: file, and line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Statement(msgspec.Struct, frozen=True):
    """The text of one policy and where it begins."""

    place: Place
    text: str
    before: str = ""
    """What stands before it on its first line; nothing where that is very long."""
    start: int = 0
    """Where in its file it begins, counted in letters."""


class Problems:
    """Collects what is wrong, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self._count: dict[Severity, int] = {"error": 0, "warning": 0}

    def add(
        self,
        statement: Statement,
        message: str,
        policy: str = "",
        *,
        span: tuple[int, int] | None = None,
        severity: Severity = "error",
    ) -> None:
        """Note something about `statement`; `span` is where in its text, else it is its first word."""
        if self._count[severity] >= MOST:
            return
        self._count[severity] += 1
        start, end = span or _first_word(statement.text)
        begin = statement.text.rfind("\n", 0, start) + 1
        stop = statement.text.find("\n", start)
        stop = len(statement.text) if stop < 0 else stop
        before = "" if begin else statement.before
        ahead = 0 if begin else statement.place.column - 1
        column = ahead + start - begin + 1
        # Of a longer line nobody sees the end, and where its beginning was not kept, none of it.
        seen = len(before) == ahead and column <= _WIDEST
        self.found.append(
            Finding(
                severity=severity,
                message=message if len(message) <= _LONGEST else f"{message[:_LONGEST]}...",
                policy=policy,
                file=statement.place.file,
                line=statement.place.line + statement.text.count("\n", 0, start),
                column=column,
                end_column=ahead + min(end, stop) - begin + 1,
                source=(before + statement.text[begin:stop]).rstrip()[:_WIDEST] if seen else "",
            )
        )

    @property
    def full(self) -> bool:
        """Whether so much is wrong that no more is noted."""
        return self._count["error"] >= MOST

    def at(self, file: str, message: str, line: int = 1) -> None:
        """Note something about a file."""
        self.found.append(Finding(message=message, file=file, line=line, column=1, end_column=1))

    def findings(self) -> tuple[Finding, ...]:
        """What was noted, by place, each once."""
        return tuple(sorted(dict.fromkeys(self.found), key=lambda each: (each.file, each.line, each.column)))

    def settle(self) -> None:
        """Raise PolicyError if anything noted is an error. Its members are those of the first; `problems` has all."""
        wrong = [each for each in self.findings() if each.severity == "error"]
        if not wrong:
            return
        first, others = wrong[0], len(wrong) - 1
        raise PolicyError(
            f"{first} (and {others} more)" if others else str(first),
            file=first.file,
            line=first.line,
            column=first.column,
            policy=first.policy,
            problems=tuple(str(each) for each in wrong),
        )


def _first_word(text: str) -> tuple[int, int]:
    found = PIECE.match(text)
    return (0, found.end() if found else 1)


def statements(file: str, text: str) -> Iterator[Statement]:
    """The policies of one file in their order. What follows the last semicolon counts as one, complete or not."""
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    start: int | None = None
    for piece in PIECE.finditer(text):
        if piece["skip"]:
            continue
        if start is None:
            start = piece.start()
        if piece["end"]:
            yield _statement(file, text, start, piece.end(), lines)
            start = None
    if start is not None:
        yield _statement(file, text, start, len(text), lines)


def _statement(file: str, text: str, start: int, end: int, lines: list[int]) -> Statement:
    line = bisect_right(lines, start)
    begin = lines[line - 1]
    # A line of ten thousand policies kept before each of them would take memory by the square of its length.
    before = text[begin:start] if start - begin < _WIDEST else ""
    return Statement(Place(file, line, start - begin + 1), text[start:end], before, start)
