"""Secrets in how a server is reached, as a client's configuration or a file of ours says it: none of them is copied or shown.

A value of the environment or of a header is copied only if it is plainly none (`true`, `8080`, `info`); of a command's words and
of an address, what stands where secrets stand, what has the shape of one, and what nobody would write by hand, is not copied.
In each place stands `${NAME}` instead, and whoever begins the server sets NAME.
"""

import re
from typing import Final

from interlock.domain.adoption import Hidden
from interlock.domain.secret import without_secrets

_INNOCENT: Final = re.compile(
    r"(?i)|true|false|yes|no|on|off|none|null|\d{1,5}|debug|info|warn|warning|error|production|development|test|stdio|http|utf-?8"
)
REFERENCE: Final = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]{0,127})(?::-[^{}]*)?\}")
_INPUT: Final = re.compile(r"\$\{input:([^{}]{1,64})\}")
_TELLING: Final = re.compile(
    r"(?i)key|token|secret|passw|auth|cred|cookie|dsn|connection|header|session|signature|bearer|pat\b"
)
_PLAIN_HEADERS: Final = frozenset({"accept", "content-type", "user-agent"})
_URL: Final = re.compile(r"([^:/?#]+:)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
"""RFC 3986 appendix B."""
_PAIR: Final = re.compile(r"(-{0,2}[A-Za-z_][A-Za-z0-9_.-]{0,127})=(.*)", re.DOTALL)
_RANDOM: Final = re.compile(r"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])[A-Za-z0-9_+=~.-]{20,}|[0-9a-fA-F-]{32,}")
_VERSIONED: Final = re.compile(r"[@A-Za-z0-9_./-]*[@=]{1,2}[0-9]+(\.[0-9]+)*[a-z0-9.-]*")
_SCHEME: Final = re.compile(r"(?i)(bearer|basic|token)\s+\S")


class Hiding:
    """The secrets of one configuration: each has a variable of its own, and the same secret the same one."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def server(self, name: str) -> "OfServer":
        """What is hidden for one server."""
        return OfServer(self, name)

    def values(self) -> dict[str, str]:
        """What each variable stands for: to be put where it came from, never to be shown."""
        return dict(self._values)

    def variable(self, wanted: str, prefix: str, value: str) -> str:
        """A name for `value` that stands for no other one."""
        base = _variable(wanted)
        for candidate in (base, f"{_variable(prefix)}_{base}", *(f"{base}_{number}" for number in range(2, 1000))):
            if self._values.setdefault(candidate, value) == value:
                return candidate
        return f"{base}_X"


class OfServer:
    """What is hidden of one server's configuration, in the order it was met."""

    def __init__(self, hiding: Hiding, name: str) -> None:
        self._hiding, self._name = hiding, name
        self.hidden: list[Hidden] = []

    def env(self, key: str, value: str) -> str:
        """A value of the environment."""
        if _is_reference(value) or _INNOCENT.fullmatch(value):
            return self.known(value)
        return self._hide(f"the variable {key}", key, value)

    def header(self, key: str, value: str) -> str:
        """A value of a header."""
        if key.lower() in _PLAIN_HEADERS or _INNOCENT.fullmatch(value) or REFERENCE.search(self.known(value)):
            return self.known(value)
        scheme = value.split(None, 1)[0] + " " if _SCHEME.match(value) else ""
        return scheme + self._hide(f"the header {key}", f"{self._name}_{key}", value[len(scheme) :].strip())

    def words(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """The words of a command."""
        given, before = list[str](), ""
        for word in words:
            given.append(self._word(word, before))
            before = word
        return tuple(given)

    def url(self, url: str, what: str = "the address") -> str:
        """An address: who signs in, what is asked for, and what in its path nobody would write by hand."""
        parts = _URL.fullmatch(url)
        if parts is None or ("[" in url) != ("]" in url):
            return self._hide(what, f"{self._name}_URL", url)
        scheme, place, path, query = (each or "" for each in parts.groups())
        user, host = place.rpartition("@")[::2]
        if user:
            user = self._hide(f"who signs in at {what}", f"{self._name}_USER", user) + "@"
        path = "/".join(self._segment(each, what) for each in path.split("/"))
        query = "&".join(self._queried(each, what) for each in query.split("&")) if query else ""
        # What stands behind `#` is never sent.
        authority = f"//{user}{host}" if place else ""
        return f"{scheme}{authority}{path}{f'?{query}' if query else ''}"

    def known(self, value: str) -> str:
        """`value` with the references of clients in our form: `${env:NAME}`, `${NAME:-else}`, `${input:id}`."""
        named = _INPUT.sub(lambda found: "${" + self._asked(found[1]) + "}", value)
        return REFERENCE.sub(lambda found: "${" + found[1] + "}", named)

    def _asked(self, identifier: str) -> str:
        variable = self._hiding.variable(identifier, self._name, "${input:" + identifier + "}")
        self.hidden.append(Hidden(what=f"what the client asks for as `{identifier}`", variable=variable))
        return variable

    def _word(self, word: str, before: str) -> str:
        if _is_reference(word):
            return self.known(word)
        if before.startswith("-") and "=" not in before and _TELLING.search(before) and not word.startswith("-"):
            return self._told(word, before)
        if pair := _PAIR.fullmatch(word):
            name, value = pair.groups()
            if _is_reference(value):
                return f"{name}={self.known(value)}"
            if _TELLING.search(name) or before in ("-e", "--env"):
                quiet = _INNOCENT.fullmatch(value) is not None
                return word if quiet else f"{name}={self._hide(f'`{name}` of its command', name, value)}"
        if "://" in word:
            start = word.index("://")
            while start and (word[start - 1].isalnum() or word[start - 1] in "+-."):
                start -= 1
            return word[:start] + self.url(word[start:], "an address in its command")
        return self._hide("a word of its command", f"{self._name}_SECRET", word) if _looks_secret(word) else word

    def _told(self, word: str, flag: str) -> str:
        """What stands behind a flag that is named like a secret; a header keeps its name."""
        name, colon, value = word.partition(":")
        if colon and "header" in flag.lower():
            return f"{name}: {self.header(name, value.strip())}"
        return self._hide(f"`{flag}` of its command", flag, word)

    def _segment(self, segment: str, what: str) -> str:
        return self._hide(f"a part of {what}", f"{self._name}_PATH", segment) if _looks_secret(segment) else segment

    def _queried(self, pair: str, what: str) -> str:
        name, equals, value = pair.partition("=")
        if not equals or _is_reference(value) or _INNOCENT.fullmatch(value):
            return self.known(pair) if not _looks_secret(pair) else self._hide(what, f"{self._name}_QUERY", pair)
        return f"{name}={self._hide(f'`{name}` of {what}', f'{self._name}_{name}', value)}"

    def _hide(self, what: str, wanted: str, value: str) -> str:
        variable = self._hiding.variable(wanted, self._name, value)
        self.hidden.append(Hidden(what=what, variable=variable))
        return "${" + variable + "}"


def _is_reference(value: str) -> bool:
    return bool(REFERENCE.fullmatch(value) or _INPUT.fullmatch(value))


def _looks_secret(text: str) -> bool:
    """Whether it has the shape of a published kind of secret, or is of the kind that machines make up."""
    found = list[str]()
    without_secrets(text, found.append)
    return bool(found) or (_RANDOM.fullmatch(text) is not None and _VERSIONED.fullmatch(text) is None)


def _variable(text: str) -> str:
    """A name as environments have them."""
    made = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")[:64]
    return made if made and not made[0].isdigit() else f"V_{made}".rstrip("_")
