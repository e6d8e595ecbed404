"""What is wrong in a file, as one line that begins with where."""

from typing import Protocol

from interlock.cli.output import shown


class Placed(Protocol):
    """Something wrong or doubtful in a file of a workspace."""

    @property
    def file(self) -> str:
        """Under the workspace; empty where it is about all of it."""
        ...

    @property
    def line(self) -> int:
        """From 1; 0 where it is about the whole file."""
        ...

    @property
    def column(self) -> int:
        """From 1; 0 where it is about the whole line."""
        ...

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        ...

    @property
    def message(self) -> str:
        """A sentence."""
        ...


def placed(problem: Placed) -> str:
    """One line for a person, in markup: where it is, how bad it is, what it is."""
    where = ":".join(str(part) for part in (problem.file or "workspace", problem.line, problem.column) if part)
    colour = "red" if problem.severity == "error" else "yellow"
    return f"{shown(where)}: [{colour}]{problem.severity}[/{colour}]: {shown(problem.message)}"
