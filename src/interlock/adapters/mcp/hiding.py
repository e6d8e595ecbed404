"""What we give a server so that it works (`${NAME}` in its environment, its headers, its address), and nobody else may read.

A server that writes it back, in a result, in news, in an error or on its standard error, is answered for: whoever reads it reads
a mask. It is looked for in what messages say, after they were read, so that no way of writing JSON brings it past.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, cast
from urllib.parse import quote, quote_plus, unquote, urlsplit

import msgspec

from interlock.adapters.mcp.environment import INHERITED, named_in
from interlock.domain.upstream import Http, Stdio, Way
from interlock.domain.wrapped import wrapped, wrapping

SHORTEST: Final = 8
"""Characters that a secret has at least: a shorter word may be any word."""
MASK: Final = "[masked: credential]"
_DEEPEST: Final = 200


class Hiding:
    """Puts a mask in the place of each of some secrets."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self.secrets = secrets

    def text(self, text: str) -> str:
        """`text` without them; the same object where there is none."""
        pattern = self._pattern
        if pattern is None:
            return text
        if "\\" in text:
            text = self._within(text)
        return text if pattern.search(text) is None else pattern.sub(MASK, text)

    def value(self, value: Any, depth: int = 0) -> Any:
        """A JSON value without them, in its names, too; what is nested too deep to be seen is none."""
        if self._pattern is None:
            return value
        if depth > _DEEPEST:
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value).items()
            return {self.text(name): self.value(member, depth + 1) for name, member in members}
        if isinstance(value, list):
            return [self.value(each, depth + 1) for each in cast("list[object]", value)]
        if isinstance(value, msgspec.Raw):
            return MASK if bytes(value).decode() in self.secrets else value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return MASK if is_number and str(value) in self.secrets else value

    def _within(self, text: str) -> str:
        """A text with escapes that is JSON itself, without what they spell."""
        try:
            read = wrapped(text)
            after = None if read is None else self.value(read.value)
        except RecursionError:
            return MASK
        return text if read is None or (after == read.value and not read.repeated) else wrapping(after)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        forms = {form for each in self.secrets for form in _forms(each)}
        longest = sorted(forms, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest))) if longest else None


def hiding(way: Way, environ: Mapping[str, str]) -> Hiding:
    """What `${NAME}` stands for where it says how a server is reached. What every program is given anyway is no secret."""
    templates = tuple(way.env.values()) if isinstance(way, Stdio) else (*way.headers.values(), way.url)
    named = sorted({name for each in templates for name in named_in(each)} - {*INHERITED})
    found = [part for name in named for part in _parts(environ.get(name, ""))]
    if isinstance(way, Http) and (user := urlsplit(way.url).netloc.rpartition("@")[0]):
        # It is sent as a header, in which it is written otherwise.
        for name in named_in(user):
            user = user.replace(f"${{{name}}}", environ.get(name, ""))
        found.append(b64encode(user.encode()).decode())
    return Hiding(tuple(dict.fromkeys(each for each in found if len(each) >= SHORTEST)))


def _parts(value: str) -> Iterator[str]:
    """A secret, and what in it is one: the password of an address."""
    yield value
    try:
        password = urlsplit(value).password if "://" in value else None
    except ValueError:
        return
    if password:
        yield from (password, unquote(password))


def _forms(secret: str) -> Iterator[str]:
    """How a server may write it: as it is, in an address, and in a text that is JSON itself."""
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield from (escaped, escaped.replace("/", "\\/"))
