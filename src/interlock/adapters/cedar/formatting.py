"""Policy files in Cedar's own form, by its own formatter.

The formatter takes time by the square of a text's length, and is not ours; so it is given one policy after the other, with
the comments before it, and what it gives is held against what it was given: the same policies and the same comments.
"""

import re
from typing import Final

import cedarpy

from interlock.adapters.cedar.limits import MAX_POLICIES, readable, within_size
from interlock.adapters.cedar.source import PIECE, Problems, statements

_REST: Final = re.compile(r"[ \t]*//[^\n]*")
_BLANK: Final = re.compile(r"\n(?:[ \t]*\n)+")
"""What keeps a comment apart from the policy below it: then it is the file's own."""
_WIDTH: Final = 100


def formatted(file: str, text: str) -> str | None:
    """The text in Cedar's form, or None where it does not parse: what is wrong, `findings` says."""
    pieces = _pieces(file, text)
    if pieces is None:
        return None
    done: list[str] = []
    for piece in pieces:
        try:
            # Without a policy there is nothing that the formatter would take.
            new = cedarpy.format_policies(piece, _WIDTH).strip() if _has_policy(piece) else _tidy(piece)
            same = not _has_policy(piece) or _tree(new) == _tree(piece)
        except ValueError:
            return None
        done.append(new if same and _comments(new) == _comments(piece) else _tidy(piece))
    whole = "\n\n".join(filter(None, done))
    return f"{whole}\n" if whole else ""


def _pieces(file: str, text: str) -> list[str] | None:
    """The file in pieces: each policy with the comments before it and the one behind it, and what follows the last."""
    problems = Problems()
    if not list(within_size({file: text}, problems)):
        return None
    found = list(statements(file, text))
    if len(found) > MAX_POLICIES or not all(readable(each, problems) for each in found):
        return None
    pieces: list[str] = []
    start = 0
    for each in found:
        begin = text.index(each.text, start)
        behind = _REST.match(text, begin + len(each.text))
        stop = behind.end() if behind else begin + len(each.text)
        before = text[start:begin]
        apart = max((found.end() for found in _BLANK.finditer(before)), default=0)
        pieces += [before[:apart], text[start + apart : stop]]
        start = stop
    return [*pieces, text[start:]]


def _has_policy(piece: str) -> bool:
    return any(found["skip"] is None for found in PIECE.finditer(piece))


def _tidy(piece: str) -> str:
    return "\n".join(line.rstrip() for line in piece.strip().split("\n"))


def _tree(text: str) -> object:
    return tuple(cedarpy.policies_to_pst(text).static_policies.values())


def _comments(text: str) -> list[str]:
    return [found[0].rstrip() for found in PIECE.finditer(text) if found["skip"] and found[0].startswith("//")]
