"""The words of Cedar text: strings and names as Cedar writes them, and a reader for the few forms we read ourselves."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from interlock.domain.errors import PolicyError

_WORD: Final = re.compile(r'\s+|//[^\n]*|(?P<word>"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|[^\s\w])', re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Everything that Cedar might take for something else is written as a string; both forms name the same member.
_RESERVED: Final = frozenset("else enum false has if in is like then true __cedar".split())  # noqa: SIM905 - reads better
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)", re.DOTALL)


def quoted(text: str) -> str:
    """`text` as a Cedar string. Whatever is not plain printable ASCII is written by its number."""
    return '"' + "".join(_letter(letter) for letter in text) + '"'


def name_text(name: str) -> str:
    """The name of a record's member, quoted where it must be."""
    return name if _NAME.fullmatch(name) and name not in _RESERVED else quoted(name)


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` with what comes closest, or nothing."""
    found = get_close_matches(name[:128], sorted(set(known)), n=1, cutoff=0.6)
    return f"; did you mean `{found[0]}`?" if found else ""


def _letter(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if " " <= letter <= "~" else f"\\u{{{ord(letter):x}}}"


def _unquoted(word: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], word[1:-1])


class Words:
    """The words of a text, one after the other. Whatever does not fit raises PolicyError."""

    def __init__(self, text: str) -> None:
        self._words = [word for found in _WORD.finditer(text) if (word := found["word"])]
        self._place = 0

    def rest(self) -> Iterator[str]:
        """The words not yet read."""
        return iter(self._words[self._place :])

    def take(self, word: str) -> bool:
        """Read `word` if it is the next one."""
        if self._place < len(self._words) and self._words[self._place] == word:
            self._place += 1
            return True
        return False

    def expect(self, *words: str) -> None:
        """Read exactly these."""
        for word in words:
            if not self.take(word):
                raise self.wrong(f"`{word}` was expected")

    def identifier(self) -> str:
        """Read a plain name."""
        word = self._next()
        if not _NAME.fullmatch(word):
            raise self.wrong("a name was expected")
        return word

    def string(self) -> str:
        """Read a string."""
        word = self._next()
        if not word.startswith('"'):
            raise self.wrong("a string was expected")
        return _unquoted(word)

    def name(self) -> str:
        """Read a name, plain or as a string."""
        word = self._next()
        return _unquoted(word) if word.startswith('"') else word

    def wrong(self, why: str) -> PolicyError:
        """What to raise when the text is not of the form expected."""
        return PolicyError(
            f"the bundle's schema was not written by this version: {why} at word {self._place + 1}",
            next_step="form the bundle again: `interlock apply`",
        )

    def _next(self) -> str:
        if self._place >= len(self._words):
            raise self.wrong("it ends too early")
        self._place += 1
        return self._words[self._place - 1]
