"""A contract's `pattern` as a solver's regular expression, for the part of the language that both have.

`expression` is the text in which the pattern is found somewhere, as JSON Schema means it, unless it is anchored. What is
not known raises Unread: then the solver is not told of the pattern, and the contract is asked when a request is found.
"""

from typing import Final

from interlock.adapters.cedar.symbolic.values import Z

_CLASSES: Final = {"d": (("0", "9"),), "w": (("0", "9"), ("A", "Z"), ("a", "z"), ("_", "_"))}
_PLAIN: Final = frozenset("-/:;,@#_ '\"!%&=<>~`")
_MANY: Final = 200


class Unread(ValueError):
    """A pattern beyond what is read here."""


def expression(z: Z, pattern: str) -> Z:
    """The texts in which `pattern` is found. Raises Unread."""
    reader = _Reader(z, pattern)
    found = reader.either()
    if reader.left:
        raise Unread(pattern)
    return found


class _Reader:
    def __init__(self, z: Z, pattern: str) -> None:
        self.z = z
        self.left = pattern
        self.anything = z.Full(z.ReSort(z.StringSort()))

    def either(self) -> Z:
        """Alternatives at the outermost level: only there may anchors stand."""
        ways = [self._anchored()]
        while self._take("|"):
            ways.append(self._anchored())
        return ways[0] if len(ways) == 1 else self.z.Union(*ways)

    def _anchored(self) -> Z:
        parts = [] if self._take("^") else [self.anything]
        parts.append(self._row())
        if not self._take("$"):
            parts.append(self.anything)
        return self.z.Concat(*parts) if len(parts) > 1 else parts[0]

    def _inner(self) -> Z:
        ways = [self._row()]
        while self._take("|"):
            ways.append(self._row())
        return ways[0] if len(ways) == 1 else self.z.Union(*ways)

    def _row(self) -> Z:
        parts = [self.z.Re("")]
        while self.left and self.left[0] not in "|)$":
            parts.append(self._repeated(self._one()))
        return self.z.Concat(*parts) if len(parts) > 1 else parts[0]

    def _one(self) -> Z:
        if self._take("(?:") or (not self.left.startswith("(?") and self._take("(")):
            found = self._inner()
            self._expect(")")
            return found
        if self._take("["):
            return self._set()
        if self._take("."):
            return self.z.AllChar(self.z.ReSort(self.z.StringSort()))
        return self._ranges(self._char())

    def _repeated(self, one: Z) -> Z:
        if self._take("*"):
            found = self.z.Star(one)
        elif self._take("+"):
            found = self.z.Plus(one)
        elif self._take("?"):
            found = self.z.Option(one)
        elif self._take("{"):
            found = self._times(one)
        else:
            return one
        if self.left[:1] in ("*", "+", "?", "{"):
            raise Unread(self.left)
        return found

    def _times(self, one: Z) -> Z:
        inner, closed, self.left = self.left.partition("}")
        low, comma, high = inner.partition(",")
        if not closed or not _count(low) or (high and not _count(high)) or int(high or low) > _MANY:
            raise Unread(inner)
        if not comma:
            return self.z.Loop(one, int(low), int(low)) if int(low) else self.z.Re("")
        if not high:
            at_least = self.z.Star(one)
            return self.z.Concat(self.z.Loop(one, int(low), int(low)), at_least) if int(low) else at_least
        return self.z.Loop(one, int(low), int(high)) if int(high) else self.z.Re("")

    def _set(self) -> Z:
        if self._take("^"):
            raise Unread("a negated set")
        spans: list[tuple[str, str]] = []
        while not self._take("]"):
            found = self._char(inside=True)
            if len(found) == 1 and found[0][0] == found[0][1] and self.left[:1] == "-" and self.left[1:2] != "]":
                self._expect("-")
                last = self._char(inside=True)
                if len(last) != 1:
                    raise Unread("a range of classes")
                found = ((found[0][0], last[0][1]),)
            spans += found
        return self._ranges(tuple(spans))

    def _char(self, *, inside: bool = False) -> tuple[tuple[str, str], ...]:
        if not self.left:
            raise Unread("the end")
        char, self.left = self.left[0], self.left[1:]
        if char == "\\":
            if not self.left:
                raise Unread("the end")
            char, self.left = self.left[0], self.left[1:]
            if char in _CLASSES:
                return _CLASSES[char]
            if char.isalnum():
                raise Unread(f"\\{char}")
            return ((char, char),)
        if not char.isascii() or not (char.isalnum() or char in _PLAIN or (inside and char in ".()+*?{}|$")):
            raise Unread(char)
        return ((char, char),)

    def _ranges(self, spans: tuple[tuple[str, str], ...]) -> Z:
        if not spans:
            raise Unread("an empty set")
        ways = [self.z.Re(low) if low == high else self.z.Range(low, high) for low, high in spans]
        return ways[0] if len(ways) == 1 else self.z.Union(*ways)

    def _take(self, word: str) -> bool:
        if not self.left.startswith(word):
            return False
        self.left = self.left[len(word) :]
        return True

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise Unread(self.left)


def _count(text: str) -> bool:
    return text.isascii() and text.isdecimal()
