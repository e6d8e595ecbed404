"""What people write who have another language in their fingers, and how Cedar has it.

Asked for only once Cedar's parser has refused a text, to say where and what instead: of what parses nothing is said here.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from interlock.adapters.cedar.finder import Span, Token
from interlock.adapters.cedar.words import quoted

_WORDS: Final = {"and": "`&&`", "or": "`||`", "not": "`!`", "AND": "`&&`", "OR": "`||`", "NOT": "`!`"}
_SIGNS: Final = {"=": "`==`", "&": "`&&`", "|": "`||`", "~": "`like`, with `*` for anything"}
_PAIRS: Final = {("=", ">"): "`>=`", ("=", "<"): "`<=`", ("<", ">"): "`!=`", ("==", "="): "`==`", ("!=", "="): "`!=`"}
_CALLS: Final = {
    "startsWith": '`like "...*"`',
    "startswith": '`like "...*"`',
    "starts_with": '`like "...*"`',
    "endsWith": '`like "*..."`',
    "endswith": '`like "*..."`',
    "ends_with": '`like "*..."`',
    "matches": "`like`, with `*` for anything",
    "includes": "`contains`, or of text `like`",
    "not": "`!`",
}
_EFFECTS: Final = {"allow": "`permit`", "grant": "`permit`"}
_OUTCOMES: Final = ("deny", "shadow", "escalate", "require_approval", "oblige")
_CONSTANTS: Final = {
    "True": "`true`",
    "TRUE": "`true`",
    "False": "`false`",
    "FALSE": "`false`",
    "null": "`has`: what is null is not there",
    "None": "`has`: what is null is not there",
    "nil": "`has`: what is null is not there",
}


_REACH: Final = 50
"""Tokens that one slip may take up."""
_LETTERS: Final = {"invalid token": "'&|~", "division": "/", "remainder": "%"}
_WORD: Final = re.compile(r"[\w]+|[=<>!]+")


class Slip(NamedTuple):
    """From which token to which, and what to write."""

    first: int
    last: int
    hint: str


def slip(text: str, tokens: Sequence[Token], error: str, stopped: int | None) -> tuple[Span, str] | None:
    """Where it is and what to say of it. `stopped` is the token at which Cedar did, where it says so."""
    known = _Tokens(text, tokens)
    first, end = (0, len(tokens)) if stopped is None else (max(0, stopped - _REACH - 1), min(stopped + 2, len(tokens)))
    for at in range(first, end):
        for rule in _RULES:
            found = rule(known, at)
            if found is None:
                continue
            near = stopped is None or found.first - 1 <= stopped <= found.last + 1
            if near and (stopped is not None or _named(error, text, tokens[found.first])):
                return (tokens[found.first].start, tokens[found.last].end), found.hint
    return None


def _named(error: str, text: str, token: Token) -> bool:
    """Whether Cedar's words are about that token, where they do not say at which they stopped."""
    for kind, letters in _LETTERS.items():
        if error.startswith(kind):
            return text[token.start] in letters
    return token.word in _WORD.findall(error)


class _Tokens:
    """The tokens of a policy, asked for by number."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens

    def word(self, at: int) -> str:
        """A token as it stands there; nothing before the first and after the last."""
        if not 0 <= at < len(self._tokens):
            return ""
        return self._text[self._tokens[at].start : self._tokens[at].end]

    def touching(self, at: int) -> bool:
        """Whether nothing stands between a token and the next."""
        return at + 1 < len(self._tokens) and self._tokens[at].end == self._tokens[at + 1].start

    def until(self, at: int, *ends: str) -> int:
        """The last token before the next of `ends`, as far as anybody would have meant it."""
        last = at + _REACH
        while at < last and self.word(at + 1) and self.word(at + 1) not in ends:
            at += 1
        return at

    def between(self, first: int, last: int) -> str:
        """The text of some of them."""
        return self._text[self._tokens[first].start : self._tokens[last].end]


def _fraction(tokens: _Tokens, at: int) -> Slip | None:
    if not (tokens.word(at).isdigit() and tokens.word(at + 1) == "." and tokens.word(at + 2).isdigit()):
        return None
    return Slip(at, at + 2, "; there are no fractions: write money in its smallest unit, a ratio in per mille")


def _time_of_day(tokens: _Tokens, at: int) -> Slip | None:
    hours, minutes = tokens.word(at), tokens.word(at + 2)
    if not (tokens.word(at + 1) == ":" and hours.isdigit() and minutes.isdigit() and len(minutes) == 2):
        return None
    total = int(hours) * 60 + int(minutes)
    return Slip(at, at + 2, f"; a time of day is `context.minuteOfDay`, in minutes: write `{total}`")


def _grouped(tokens: _Tokens, at: int) -> Slip | None:
    word, rest = tokens.word(at), tokens.word(at + 1)
    if not (word.isdigit() and tokens.touching(at) and rest.startswith("_") and rest.replace("_", "").isdigit()):
        return None
    return Slip(at, at + 1, f"; write `{word}{rest.replace('_', '')}`")


def _word_as_sign(tokens: _Tokens, at: int) -> Slip | None:
    word = tokens.word(at)
    # After a dot, or before a colon, it is somebody's name.
    if word not in _WORDS or tokens.word(at - 1) in (".", "has") or tokens.word(at + 1) in (":", "("):
        return None
    return Slip(at, at, f"; write {_WORDS[word]}")


def _sign(tokens: _Tokens, at: int) -> Slip | None:
    pair = tokens.word(at), tokens.word(at + 1)
    if pair in _PAIRS and tokens.touching(at):
        return Slip(at, at + 1, f"; write {_PAIRS[pair]}")
    return Slip(at, at, f"; write {_SIGNS[pair[0]]}") if pair[0] in _SIGNS else None


def _division(tokens: _Tokens, at: int) -> Slip | None:
    if tokens.word(at) == "/":
        return Slip(at, at, "; multiply the other side instead: `a > b * 2` for `a / 2 > b`")
    return Slip(at, at, "; let the contract read it as a fact") if tokens.word(at) == "%" else None


def _single_quotes(tokens: _Tokens, at: int) -> Slip | None:
    if tokens.word(at) != "'":
        return None
    last = tokens.until(at, "'")
    if not tokens.word(last + 1):
        return Slip(at, at, '; text stands in double quotes: `"`')
    inner = tokens.between(at, last + 1)[1:-1]
    return Slip(at, last + 1, f"; text stands in double quotes: `{quoted(inner)}`")


def _bare_value(tokens: _Tokens, at: int) -> Slip | None:
    """An annotation's value that is no text."""
    key, value = tokens.word(at + 1), tokens.word(at + 3)
    if tokens.word(at) != "@" or tokens.word(at + 2) != "(" or value[:1] in ('"', "", ")", "'"):
        return None
    last = tokens.until(at + 3, ")")
    said = quoted(tokens.between(at + 3, last))
    return Slip(at + 3, last, f"; what an annotation says stands in quotes: `@{key}({said})`")


def _call(tokens: _Tokens, at: int) -> Slip | None:
    word = tokens.word(at)
    infix = word == "matches" and tokens.word(at - 1) != "."
    if word in _CALLS and (infix or tokens.word(at + 1) == "("):
        return Slip(at, at, f"; write {_CALLS[word]}")
    return None


def _effect(tokens: _Tokens, at: int) -> Slip | None:
    word = tokens.word(at)
    if tokens.word(at + 1) != "(" or tokens.word(at - 1) not in (")", "", ";") or word in ("permit", "forbid"):
        return None
    if word in _OUTCOMES:
        return Slip(at, at, f'; write `forbid`, with `@outcome("{word}")` before it')
    return Slip(at, at, f"; write {_EFFECTS[word]}") if word in _EFFECTS else None


def _constant(tokens: _Tokens, at: int) -> Slip | None:
    word = tokens.word(at)
    if word not in _CONSTANTS or tokens.word(at - 1) in (".", "has") or tokens.word(at + 1) in (":", "::"):
        return None
    return Slip(at, at, f"; write {_CONSTANTS[word]}")


def _unbraced(tokens: _Tokens, at: int) -> Slip | None:
    """A condition without its braces, or without its `when`."""
    word, before = tokens.word(at), tokens.word(at - 1)
    if before in ("when", "unless") and word != "{":
        return Slip(at, at, f"; a condition stands in braces: `{before} {{ ... }}`")
    if before == ")" and (word == "{" or (word == "if" and tokens.word(at + 1) == "{")):
        return Slip(at, at, "; a condition begins with `when` or `unless`: `when { ... }`")
    return None


_RULES: Final[tuple[Callable[[_Tokens, int], Slip | None], ...]] = (
    _fraction,
    _time_of_day,
    _grouped,
    _word_as_sign,
    _sign,
    _division,
    _single_quotes,
    _bare_value,
    _call,
    _effect,
    _constant,
    _unbraced,
)


def unquoted_scope(text: str, tokens: Sequence[Token]) -> tuple[Span, str] | None:
    """A scope that compares with a bare name or a text, where an entity belongs."""
    found = _Tokens(text, tokens)
    for at, name in _scopes(found, len(tokens)):
        last = found.until(at + 1, ",", ")")
        said = found.between(at + 2, last) if last >= at + 2 else ""
        if said and "::" not in said and not said.startswith(("?", "[")):
            bare = said.strip('"')
            meant = _ENTITIES[name].format(quoted(bare))
            return (tokens[at + 2].start, tokens[last].end), f"; did you mean `{meant}`?"
    return None


_ENTITIES: Final = {
    "principal": "principal in Agent::{}",
    "action": "action == Action::{}",
    "resource": "resource == System::{}",
}


def _scopes(tokens: _Tokens, count: int) -> Iterator[tuple[int, str]]:
    """Where a part of the scope is compared with something."""
    for at in range(count):
        if tokens.word(at) in _ENTITIES and tokens.word(at - 1) in ("(", ",") and tokens.word(at + 1) in ("==", "in"):
            yield at, tokens.word(at)
        if tokens.word(at) in ("when", "unless"):
            return
