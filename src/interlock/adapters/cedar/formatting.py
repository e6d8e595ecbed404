"""Policy files in Cedar's own form, by its own formatter.

The formatter takes time by the square of a text's length, and is not ours; so it is given one policy after the other, with
the comments before it, and what it gives is held against what it was given: the same policies and the same comments.
"""

import re
from itertools import islice
from typing import Final

import cedarpy

from interlock.adapters.cedar.limits import MAX_POLICIES, MAX_POLICY, readable, within_size
from interlock.adapters.cedar.source import PIECE, Problems, statements

_REST: Final = re.compile(r"[ \t]*//[^\n\r]*")
_BLANK: Final = re.compile(r"\n(?:[ \t]*\n)+")
"""What keeps a comment apart from the policy below it: then it is the file's own."""
_WIDTH: Final = 100
_ROUNDS: Final = 5


def formatted(file: str, text: str) -> str | None:
    """The text in Cedar's form, or None where it does not parse: what is wrong, `findings` says. Where the form would not
    have the same policies and comments, the text stays as it is."""
    pieces = _pieces(file, text)
    if pieces is None:
        return None
    done: list[str] = []
    for piece in pieces:
        try:
            # Without a policy there is nothing that the formatter would take, and nobody reads so long a comment.
            taken = _has_policy(piece) and len(piece) <= 2 * MAX_POLICY
            new = _form(piece) if taken else _tidy(piece)
            same = _read(new) == _read(piece)
        except ValueError:
            return None
        done.append(new if same and _comments(new) == _comments(piece) else _tidy(piece))
    whole = "\n\n".join(filter(None, done))
    whole = f"{whole}\n" if whole else ""
    # Held against the text once more as a whole: a cut in the wrong place could bring what was a comment into force.
    return whole if _read(whole) == _read(text) and _comments(whole) == _comments(text) else text


def _form(piece: str) -> str:
    """By the formatter, again and again: around comments within a name, what it gives is not its own form yet."""
    for _ in range(_ROUNDS):
        before, piece = piece, cedarpy.format_policies(piece, _WIDTH).strip()
        if piece == before:
            break
    return piece


def _pieces(file: str, text: str) -> list[str] | None:
    """The file in pieces: each policy with the comments before it and the one behind it, and what follows the last."""
    problems = Problems()
    if not list(within_size({file: text}, problems)):
        return None
    found = list(islice(statements(file, text), MAX_POLICIES + 1))
    if len(found) > MAX_POLICIES or not all(readable(each, problems) for each in found):
        return None
    pieces: list[str] = []
    start = 0
    for each in found:
        end = each.start + len(each.text)
        behind = _REST.match(text, end)
        stop = behind.end() if behind else end
        before = text[start : each.start]
        apart = max((found.end() for found in _BLANK.finditer(before)), default=0)
        pieces += [before[:apart], text[start + apart : stop]]
        start = stop
    return [*pieces, text[start:]]


def _has_policy(piece: str) -> bool:
    return any(found["skip"] is None for found in PIECE.finditer(piece))


def _tidy(piece: str) -> str:
    return "\n".join(line.rstrip() for line in piece.strip().split("\n"))


def _read(text: str) -> object:
    """What a text means."""
    if not _has_policy(text):
        return ((), ())
    found = cedarpy.policies_to_pst(text)
    return tuple(found.static_policies.values()), tuple(found.templates.values())


def _comments(text: str) -> list[str]:
    return [found[0].rstrip() for found in PIECE.finditer(text) if found["skip"] and found[0].startswith("//")]
