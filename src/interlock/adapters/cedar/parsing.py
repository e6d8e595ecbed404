"""Policies out of text, by Cedar's own parser, and where it stopped reading."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import cedarpy
from cedarpy import pst

from interlock.adapters.cedar.finder import Finder, Span
from interlock.adapters.cedar.limits import MAX_POLICIES, readable, within_size
from interlock.adapters.cedar.schema import AROUND
from interlock.adapters.cedar.slips import slip, unquoted_scope
from interlock.adapters.cedar.source import Place, Problems, Statement, statements
from interlock.adapters.cedar.words import near

_QUOTED: Final = re.compile(r"[`']([^`']+)[`']")
_INVALID: Final = re.compile(
    r"(?:an invalid variable in the policy scope|duplicate annotation|invalid variable|invalid policy effect"
    r"|invalid policy condition): @?(\S+)"
)
_ACCESS: Final = re.compile(r"invalid (?:member access|indexing expression) `([A-Za-z_][A-Za-z0-9_]*)")
_OTHER_TYPE: Final = re.compile(r"with type `\w+` but got `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"missing the `(\w+)` variable in the scope")
_UNFINISHED: Final = "unexpected end of input"
_VARIABLES: Final = ("principal", "action", "resource", "context")
_MEMBERS: Final = ("args", "facts", "parsed", "budget", "taint", *(member.name for member in AROUND))
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
    """The token at which Cedar stopped, and what may have been meant."""
    finder = Finder(text)
    if _MISSING.search(error):
        return finder.word("permit") or finder.word("forbid"), "; write `(principal, action, resource)`"
    if (typed := _OTHER_TYPE.search(error)) is not None:
        return finder.find(typed[1]), ""
    if error.startswith("expected an entity uid") and (found := unquoted_scope(text, finder.tokens)):
        return found
    stopped = _stopped_at(text, error, finder) if error.startswith("unexpected") else None
    if (found := slip(text, finder.tokens, error, stopped)) is not None:
        return found
    if (unknown := _unknown_name(error)) is not None:
        return finder.variable(unknown), _meant(unknown)
    said = _INVALID.search(error) or _QUOTED.search(error)
    if stopped is None:
        place = None if said is None else finder.annotation(said[1]) or finder.word(said[1])
        return place, _other(said[1]) if said is not None and "invalid" in error else ""
    span = finder.token_at(stopped)
    if span is not None:
        return span, _other(text[span[0] : span[1]])
    return finder.token_at(len(finder.tokens) - 1), "; a policy ends with `;`" if error == _UNFINISHED else ""


def _stopped_at(text: str, error: str, finder: Finder) -> int:
    """The number of the token at which Cedar stopped.

    Cedar says what it stumbled over, not where. Up to the token before, the text is merely unfinished to it; so the
    place is found by halves.
    """
    said = _QUOTED.search(error)
    low, high = 0, len(finder.tokens)
    while low < high:
        middle = (low + high) // 2
        if _error(text[: finder.tokens[middle].end]).startswith(_UNFINISHED):
            low = middle + 1
        else:
            high = middle
    if said is not None and low < len(finder.tokens) and finder.tokens[low].word != said[1]:
        # It may take the token that it stumbles over for the beginning of one more that is to come.
        return next((at for at in range(low - 1, -1, -1) if finder.tokens[at].word == said[1]), low)
    return low


def _unknown_name(error: str) -> str | None:
    """The name that Cedar does not know where an expression begins."""
    found = _ACCESS.match(error)
    if found is None and error.startswith("invalid variable"):
        found = _INVALID.match(error)
    return None if found is None else found[1]


def _meant(name: str) -> str:
    if name in _MEMBERS:
        return f"; did you mean `context.{name}`?"
    return near(name, _VARIABLES) or f"; an argument is `context.args.{name}`, a text stands in quotes"


def _other(word: str) -> str:
    return "" if word in _WORDS else near(word, _WORDS)


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
