"""What is refused before Cedar's parser sees it.

The parser calls itself once for each level of nesting, and cedarpy once for each member of a chain: at some six hundred
brackets, or some twelve hundred `&&`, the process is gone without a word (8 MiB of stack; in a thread with 512 KiB at
forty and eighty). So how deep a text goes is counted on its tokens, which takes one pass and no stack.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from interlock.adapters.cedar.source import PIECE, Problems, Statement

MAX_POLICY: Final = 64 * 1024
"""Bytes of one policy."""
MAX_FILE: Final = 1024 * 1024
MAX_BUNDLE: Final = 8 * 1024 * 1024
MAX_POLICIES: Final = 5_000
MAX_BRACKETS: Final = 30
"""Brackets open at once. Written by people there are about five."""
MAX_DEPTH: Final = 100
"""Brackets and operators around one operand. cedarpy builds no tree that is deeper."""

_CLOSES: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSING: Final = frozenset(_CLOSES.values())
# What binds weakest. Between two of these an operand is complete, so operands do not add up.
_JOINS: Final = frozenset({"&&", "||", "if", "then", "else"})
_ENDS: Final = frozenset({",", ";"})
_OPERATORS: Final = frozenset(
    {"!", "-", "+", "*", ".", "<", ">", "=", "<=", ">=", "==", "!=", "has", "in", "is", "like"}
)
# What makes text read otherwise than it is: it turns the direction of writing, or it ends a line, and with it a comment,
# for whoever reads but not for Cedar, or the other way round.
_HIDDEN: Final = re.compile("[\0\v\f\x1c-\x1e\x85\u2028-\u202e\u2066-\u2069]|\r(?!\n)")


def within_size(sources: Mapping[str, str], problems: Problems) -> Iterator[tuple[str, str]]:
    """The files that are text of a size we read, by name; the others are noted. Nothing of a bundle that is too big."""
    sizes = {file: _bytes(text) for file, text in sources.items()}
    if sum(size or 0 for size in sizes.values()) > MAX_BUNDLE:
        problems.at(next(iter(sorted(sources)), ""), f"all policies together are longer than {_size(MAX_BUNDLE)}")
        return
    for file, text in sorted(sources.items()):
        size = sizes[file]
        if size is None:
            problems.at(file, "it has half of a surrogate pair in it, which is no character")
        elif size > MAX_FILE:
            problems.at(file, f"it is longer than {_size(MAX_FILE)}; make it several files")
        elif strange := _HIDDEN.search(text):
            line = text.count("\n", 0, strange.start()) + 1
            problems.at(
                file, f"it has {_named(strange[0])}; in a string write it as `\\u{{{ord(strange[0]):x}}}`", line
            )
        else:
            yield file, text


def readable(statement: Statement, problems: Problems) -> bool:
    """Whether Cedar's parser may see it; what is against that is noted."""
    if len(statement.text.encode()) > MAX_POLICY:
        problems.add(statement, f"a policy is at most {_size(MAX_POLICY)}; put what it lists into a fact")
        return False
    deep = _too_deep(statement.text)
    if deep is not None:
        start, why = deep
        problems.add(
            statement, f"{why}; put some of it into a fact, or make it several policies", span=(start, start + 1)
        )
    return deep is None


def _named(strange: str) -> str:
    if strange == "\0":
        return "the character NUL in it"
    what = "a carriage return without a line feed" if strange == "\r" else f"the character U+{ord(strange):04X} in it"
    return f"{what}, which makes text read otherwise than it is"


def _bytes(text: str) -> int | None:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None


def _size(limit: int) -> str:
    return f"{limit // 1024} KiB" if limit < 1024 * 1024 else f"{limit // (1024 * 1024)} MiB"


class _Level:
    """What stands between two brackets, so far."""

    __slots__ = ("deepest", "joins", "operand")

    def __init__(self) -> None:
        self.deepest = 0
        """Of the operands that are complete."""
        self.joins = 0
        self.operand = 0
        """Operators and brackets around the operand that is being read."""

    def complete(self) -> None:
        """An operand ends here."""
        self.deepest, self.operand = max(self.deepest, self.operand), 0

    def depth(self) -> int:
        """At least as deep as the tree that this becomes."""
        return max(self.deepest, self.operand) + self.joins


def _too_deep(text: str) -> tuple[int, str] | None:
    """Where a text gets too deep, and how, or None."""
    levels = [_Level()]
    most = 0
    for start, token in _tokens(text):
        level = levels[-1]
        if token in _CLOSES:
            levels.append(_Level())
            if len(levels) - 1 > MAX_BRACKETS:
                return start, f"more than {MAX_BRACKETS} brackets are open here"
        elif token in _CLOSING:
            if len(levels) > 1:
                levels.pop()
                levels[-1].operand += level.depth() + 1
                most = max(most, levels[-1].depth())
        elif token in _ENDS:
            # An element of a list, or an argument: the next one stands beside it.
            most = max(most, level.depth())
            level.complete()
            level.deepest, level.joins = max(level.deepest, level.depth()), 0
        elif token in _JOINS:
            level.complete()
            level.joins += 1
        elif token in _OPERATORS:
            level.operand += 1
        if max(most, level.depth()) > MAX_DEPTH:
            return start, f"this is nested, or chained, more than {MAX_DEPTH} deep"
    return None


def _tokens(text: str) -> Iterable[tuple[int, str]]:
    for found in PIECE.finditer(text):
        if found["skip"] is None:
            yield found.start(), found[0]
