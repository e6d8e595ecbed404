"""Changing one policy in a file, and not a byte of anything else in it."""

import re
from collections.abc import Iterator
from typing import Final

import cedarpy
import msgspec

from interlock.adapters.cedar.source import PIECE, statements

_SPACE: Final = re.compile(r"[ \t]*")
_REST: Final = re.compile(r"[ \t\r]*(//[^\n]*)?(\n|\Z)")
_COMMENT: Final = re.compile(r"[ \t]*//[^\n]*\n?")
_BLANK: Final = re.compile(r"[ \t\r]*\n")


class Found(msgspec.Struct, frozen=True):
    """One policy in a text."""

    name: str
    tried: bool
    """Whether it is in shadow mode."""
    start: int
    end: int
    floor: int
    """Where the policy before it ends."""
    line: int


def policies_in(text: str) -> Iterator[Found]:
    """The policies of a file that can be read and have an id, in their order."""
    starts = [0, *(each.end() for each in re.finditer("\n", text))]
    floor = 0
    for statement in statements("", text):
        start = starts[statement.place.line - 1] + statement.place.column - 1
        end = start + len(statement.text)
        try:
            trees = list(cedarpy.policies_to_pst(statement.text).static_policies.values())
        except ValueError:
            trees = []
        if len(trees) == 1 and "id" in trees[0].annotations:
            said = trees[0].annotations
            yield Found(said["id"], said.get("mode") == "shadow", start, end, floor, statement.place.line)
        floor = end


def promoted(text: str, policy: Found) -> str:
    """`text` with `policy` in force: without its `@mode`, and without the line if nothing else stood on it."""
    start, end = _mode(text, policy)
    begin = text.rfind("\n", 0, start) + 1
    ahead = _SPACE.match(text, end)
    follows = ahead.end() if ahead is not None else end
    alone_before = not text[begin:start].strip()
    rest = _BLANK.match(text, end)
    if alone_before and rest is not None:
        return text[:begin] + text[rest.end() :]
    if rest is not None:
        return text[:start].rstrip(" \t") + text[end:]
    return text[:start] + text[follows:]


def dropped(text: str, policy: Found) -> str:
    """`text` without `policy`, the comment right above it and the one behind it. Of the blank lines around it one stays."""
    start, end = policy.start, policy.end
    begin = text.rfind("\n", 0, start) + 1
    rest = _REST.match(text, end)
    if text[begin:start].strip() or begin < policy.floor or rest is None:
        # It shares a line with another: nothing but its own words goes.
        ahead = _SPACE.match(text, end)
        return text[:start] + text[ahead.end() if ahead is not None else end :]
    begin, end = _above(text, begin, policy.floor), rest.end()
    blank = _BLANK.match(text, end)
    if blank is not None and (begin == 0 or _ends_blank(text[:begin])):
        end = blank.end()
    return text[:begin] + text[end:]


def _mode(text: str, policy: Found) -> tuple[int, int]:
    """Where `@mode("shadow")` stands."""
    words = [each for each in PIECE.finditer(text, policy.start, policy.end) if not each["skip"]]
    for place, word in enumerate(words):
        if word.group() == "@" and words[place + 1].group() == "mode":
            return word.start(), words[place + 4].end()
    raise ValueError(policy.name)


def _above(text: str, begin: int, floor: int) -> int:
    """Where the comment begins whose last line is right above `begin`."""
    while begin > floor:
        above = text.rfind("\n", 0, begin - 1) + 1
        if above < floor or _COMMENT.fullmatch(text, above, begin) is None:
            break
        begin = above
    return begin


def _ends_blank(text: str) -> bool:
    """Whether the last line is blank."""
    return text.endswith("\n") and not text[text.rfind("\n", 0, len(text) - 1) + 1 :].strip()
