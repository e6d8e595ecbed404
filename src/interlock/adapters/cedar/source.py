"""Policy files as people write them: one policy after the other, each with its place.

Cedar's parser says which policy is wrong but not where it stands, and names policies by their order. So a file is cut
into its policies first, and each is parsed by itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import cedarpy
import msgspec
from cedarpy import pst

from interlock.domain.errors import PolicyError

# Nothing but a policy's end is a semicolon outside strings and comments.
_PIECE: Final = re.compile(r'(?P<skip>\s+|//[^\n]*)|"(?:[^"\\]|\\.)*"|(?P<end>;)|[^\s";/]+|.', re.DOTALL)


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


class Problem(msgspec.Struct, frozen=True):
    """What is wrong at one place, in a policy if that is known."""

    place: Place
    policy: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: policy `{self.policy}`: {self.detail}" if self.policy else f"{self.place}: {self.detail}"


class Problems:
    """Collects what is wrong, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, place: Place, detail: str, policy: str = "") -> None:
        """Note that something at `place` is wrong."""
        self._found.append(Problem(place, policy, detail))

    def settle(self) -> None:
        """Raise PolicyError if anything was noted. Its members are those of the first; `problems` has them all."""
        if not self._found:
            return
        first, others = self._found[0], len(self._found) - 1
        raise PolicyError(
            f"{first} (and {others} more)" if others else str(first),
            file=first.place.file,
            line=first.place.line,
            column=first.place.column,
            policy=first.policy,
            problems=tuple(str(each) for each in self._found),
        )


def statements(file: str, text: str) -> Iterator[Statement]:
    """The policies of one file in their order. What follows the last semicolon counts as one, complete or not."""
    start: int | None = None
    for piece in _PIECE.finditer(text):
        if piece["skip"]:
            continue
        if start is None:
            start = piece.start()
        if piece["end"]:
            yield _statement(file, text, start, piece.end())
            start = None
    if start is not None:
        yield _statement(file, text, start, len(text))


def _statement(file: str, text: str, start: int, end: int) -> Statement:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Statement(Place(file, line, column), text[start:end])


def parsed(sources: Mapping[str, str], problems: Problems) -> Iterator[tuple[Statement, pst.Template]]:
    """Every policy of every file that parses, files by name. Templates are refused: nothing here links them."""
    for file, text in sorted(sources.items()):
        for statement in statements(file, text):
            try:
                found = cedarpy.policies_to_pst(statement.text)
            except ValueError as error:
                problems.add(statement.place, f"this is no Cedar policy: {error}")
                continue
            if found.templates:
                problems.add(
                    statement.place, "a template (`?principal`, `?resource`) is not supported; name who is meant"
                )
            elif len(found.static_policies) != 1:
                problems.add(statement.place, "exactly one policy was expected here")
            else:
                yield statement, next(iter(found.static_policies.values()))


def invalid(statement: Statement, schema: cedarpy.Schema, *, idle: bool) -> list[str]:
    """What Cedar's strict validation finds wrong with one policy. `idle`: it is about groups that no contract is in now,
    which the validator takes for a mistake."""
    result = cedarpy.validate_policies(statement.text, schema)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped
    if result.validation_passed:
        return []
    found = {_OWN_NAME.sub("", problem.error) for problem in result.errors} or {"it does not pass validation"}
    if idle or len(found) > 1:
        # Beside another problem it only follows from that one.
        found.discard(_NOTHING_TO_APPLY_TO)
    return sorted(found)


_NOTHING_TO_APPLY_TO: Final = "unable to find an applicable action given the policy scope constraints"
_OWN_NAME: Final = re.compile(r"^for policy `policy0`[:,] ")
