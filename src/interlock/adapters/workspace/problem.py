"""What is wrong with a workspace, and where: all of it, not only the first."""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]

MOST_PROBLEMS = 100
"""Per file. Beyond that the file is something else than what it is taken for."""


class Place(msgspec.Struct, frozen=True):
    """Where something stands. `line` and `column` begin at 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. An `error` keeps the workspace out of force, a `warning` does not."""

    file: str
    """Relative to the workspace, with `/`; empty for the workspace as a whole."""
    line: int = 0
    column: int = 0
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{where or 'workspace'}: {self.severity}: {self.message}"


class Problems:
    """Collects what is wrong with one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, message: str, line: int = 0, column: int = 0, severity: Severity = "error") -> None:
        """Note one problem, unless it is noted or there are too many to read. A field may be read for more than one reason."""
        found = Problem(file=self.file, line=line, column=column, message=message, severity=severity)
        if len(self.found) < MOST_PROBLEMS and found not in self.found:
            self.found.append(found)

    @property
    def full(self) -> bool:
        """Whether nobody would read more."""
        return len(self.found) >= MOST_PROBLEMS

    @property
    def wrong(self) -> bool:
        """Whether there is an error among them."""
        return any(problem.severity == "error" for problem in self.found)
