"""Where in a policy's text something stands. Cedar's tree has no places, so what is looked for is written as Cedar text,
and its tokens are looked for among the policy's, without brackets, dots and commas: `context["args"].x` is `context.args.x`.
"""

import re
from functools import cached_property
from typing import Final, NamedTuple

from interlock.adapters.cedar.source import PIECE

Span = tuple[int, int]

_LEFT_OUT: Final = frozenset("()[]{}.,")
_ESCAPE: Final = re.compile(r"\\u\{([0-9A-Fa-f]{1,6})\}|\\x([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)
_SHORT: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


class Token(NamedTuple):
    """A token as Cedar has it, text without its quotes, and where it stands."""

    word: str
    start: int
    end: int


class Finder:
    """Looks through the text of one policy."""

    def __init__(self, text: str) -> None:
        self._text = text

    def find(self, wanted: str) -> Span | None:
        """The first place of `wanted`, a piece of Cedar text, in the policy's scope and clauses."""
        return _found(self._body, [token.word for token in _tokens(wanted)])

    def last(self, wanted: str) -> Span | None:
        """The last name in the first place of `wanted`: of `context.args.sku`, `sku`."""
        words = [token.word for token in _tokens(wanted)]
        return _found(self._body, words, only_last=True)

    def word(self, wanted: str) -> Span | None:
        """The first token that is `wanted`, annotations included."""
        return next(((token.start, token.end) for token in self._all if token.word == wanted), None)

    def variable(self, name: str) -> Span | None:
        """The first place in the scope and the clauses where `name` begins an expression."""
        tokens = self.tokens
        begin = self._body[0].start if self._body else 0
        for at, token in enumerate(tokens):
            plain = token.start >= begin and self._text[token.start] != '"' and token.word == name
            after = tokens[at + 1].word if at + 1 < len(tokens) else ""
            if plain and after not in ("::", ":") and (at == 0 or tokens[at - 1].word not in (".", "has", "::")):
                return token.start, token.end
        return None

    def annotation(self, key: str, *, value: bool = False) -> Span | None:
        """The key of an annotation, or its value if it has one."""
        tokens = self._all
        for at, token in enumerate(tokens[:-1]):
            if token.word == "@" and tokens[at + 1].word == key:
                given = tokens[at + 2] if at + 2 < len(tokens) else None
                found = given if value and given and self._text[given.start] == '"' else tokens[at + 1]
                return found.start, found.end
        return None

    def token_at(self, count: int) -> Span | None:
        """The token of that number, counted with brackets."""
        token = self.tokens[count] if count < len(self.tokens) else None
        return None if token is None else (token.start, token.end)

    @cached_property
    def tokens(self) -> list[Token]:
        """All of them."""
        return _tokens(self._text, whole=True)

    @cached_property
    def _all(self) -> list[Token]:
        return [token for token in self.tokens if token.word not in _LEFT_OUT or self._text[token.start] == '"']

    @cached_property
    def _body(self) -> list[Token]:
        for at, token in enumerate(self._all):
            annotated = at > 0 and self._all[at - 1].word == "@"
            if self._text[token.start] != '"' and token.word in ("permit", "forbid") and not annotated:
                return self._all[at:]
        return self._all


def _found(tokens: list[Token], words: list[str], *, only_last: bool = False) -> Span | None:
    count = len(words)
    for at in range(len(tokens) - count + 1 if count else 0):
        if tokens[at].word == words[0] and all(tokens[at + each].word == words[each] for each in range(count)):
            last = tokens[at + count - 1]
            return (last.start if only_last else tokens[at].start), last.end
    return None


def _tokens(text: str, *, whole: bool = False) -> list[Token]:
    found: list[Token] = []
    for piece in PIECE.finditer(text):
        if piece["skip"] is None and (whole or piece[0] not in _LEFT_OUT):
            word = _unquoted(piece[0]) if piece["text"] else piece[0]
            found.append(Token(word, piece.start(), piece.end()))
    return found


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_letter, text.removeprefix('"').removesuffix('"'))


def _letter(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    if number:
        return chr(min(int(number, 16), 0x10FFFF))
    return _SHORT.get(found[3], found[3])
