"""Policies out of text, by Cedar's own parser, and where it stopped reading."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import cedarpy
from cedarpy import pst

from interlock.adapters.cedar.finder import Finder, Span
from interlock.adapters.cedar.limits import MAX_POLICIES, readable, within_size
from interlock.adapters.cedar.source import Place, Problems, Statement, statements
from interlock.adapters.cedar.words import near

_QUOTED: Final = re.compile(r"[`']([^`']+)[`']")
_INVALID: Final = re.compile(r"(?:an invalid variable in the policy scope|duplicate annotation): @?(\S+)")
_UNFINISHED: Final = "unexpected end of input"
_WORDS: Final = ("permit", "forbid", "principal", "action", "resource", "context", "when", "unless")


def parsed(sources: Mapping[str, str], problems: Problems) -> Iterator[tuple[Statement, pst.Template]]:
    """Every policy of every file that parses, files by name. Templates are refused: nothing here links them. What is too
    big or too deep for the parser does not reach it."""
    count = 0
    for file, text in within_size(sources, problems):
        for statement in statements(file, text):
            count += 1
            if count > MAX_POLICIES:
                problems.add(statement, f"a bundle has at most {MAX_POLICIES} policies")
            if count > MAX_POLICIES or problems.full:
                return
            template = _template(statement, problems) if readable(statement, problems) else None
            if template is not None:
                yield statement, template


def _template(statement: Statement, problems: Problems) -> pst.Template | None:
    try:
        found = cedarpy.policies_to_pst(statement.text)
    except ValueError as error:
        span, hint = _stopped(statement.text, str(error))
        problems.add(statement, f"this is no Cedar policy: {error}{hint}", span=span)
        return None
    if found.templates:
        finder = Finder(statement.text)
        problems.add(
            statement,
            "a template (`?principal`, `?resource`) is not supported; name who is meant",
            span=finder.word("?"),
        )
        return None
    if len(found.static_policies) != 1:
        problems.add(statement, "exactly one policy was expected here")
        return None
    return next(iter(found.static_policies.values()))


def _stopped(text: str, error: str) -> tuple[Span | None, str]:
    """The token at which Cedar stopped, and what may have been meant.

    Cedar says what it stumbled over, not where. Up to the token before, the text is merely unfinished to it; so the
    place is found by halves.
    """
    finder = Finder(text)
    said = _INVALID.search(error) or _QUOTED.search(error)
    if not error.startswith("unexpected"):
        place = None if said is None else finder.annotation(said[1]) or finder.word(said[1])
        return place, near(said[1], _WORDS) if said is not None and "variable" in error else ""
    low, high = 0, len(finder.tokens)
    while low < high:
        middle = (low + high) // 2
        if _error(text[: finder.tokens[middle].end]).startswith(_UNFINISHED):
            low = middle + 1
        else:
            high = middle
    if (
        said is not None
        and 0 < low < len(finder.tokens)
        and finder.tokens[low].word != said[1] == finder.tokens[low - 1].word
    ):
        # At the very end of a text it may take the token that it stumbles over for one more that is to come.
        low -= 1
    if low < len(finder.tokens):
        span = finder.token_at(low)
        return span, near(text[span[0] : span[1]], _WORDS) if span is not None else ""
    return finder.token_at(len(finder.tokens) - 1), "; a policy ends with `;`" if error == _UNFINISHED else ""


def _error(text: str) -> str:
    try:
        cedarpy.policies_to_pst(text)
    except ValueError as error:
        return str(error)
    return ""


def places(sources: Mapping[str, str]) -> dict[str, Place]:
    """Where each policy begins, by id. What does not parse is left out."""
    return {
        template.annotations["id"]: statement.place
        for statement, template in parsed(sources, Problems())
        if "id" in template.annotations
    }
