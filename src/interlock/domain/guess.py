"""What a tool probably does, guessed from its name and from what is said of it, for somebody who then says it themselves.

The guess errs to one side. That a tool only reads is guessed where a verb that reads stands in its name and nothing speaks
against it: no word in the name, no clause of the description, no argument, no hint of its server, nothing in its code. Whatever
else is said can only make the guess graver, for it is said by whoever made the tool: a description that calls a tool harmless,
or a hint that it reads, changes nothing. What nobody can tell is guessed to be `external` and `critical`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from interlock.domain.contract import RISKS, Effect, Risk
from interlock.domain.tool_words import (
    ADDRESSES,
    ARGUMENTS,
    LISTED,
    NOUNS,
    READS,
    READS_LAST,
    SENSITIVE,
    STRONG,
    THINGS,
    TOLD,
    UNLESS,
    Deed,
    inside,
    words_of,
)

_EFFECTS: Final[tuple[Effect, ...]] = ("read", "write", "external")
_WORST: Final = Deed("external", "critical")
_READ: Final = 4000
"""So many characters of a description are looked at."""
_LATIN: Final = 0x24F
"""The last of the Latin letters."""
_CLAUSE: Final = re.compile(r"(?:^|[.!?:;,(\n-]|\b(?:and|then|or|to|will|also|can|may|that|which)\b)\s*(?=([a-z]+))")
_WORD: Final = re.compile(r"[a-z]+")


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool probably does. `why` are the reasons, worded to stand behind `guessed`; `sure` is whether anything spoke."""

    effect: Effect
    risk: Risk
    why: str
    sure: bool = True

    @property
    def acts(self) -> bool:
        """Whether it is guessed to change anything."""
        return self.effect != "read"


def guess(
    name: str,
    *,
    description: str = "",
    arguments: Iterable[str] = (),
    hints: Mapping[str, object] | None = None,
    code: Iterable[str] = (),
) -> Guess:
    """The guess about one tool. `hints` are a server's annotations, `code` what was seen in the tool's own code."""
    words = words_of(name)
    verb = _reading(name, words)
    taken = tuple(arguments)
    if verb:
        against = next(_against(words, verb, description, taken, hints or {}, tuple(code)), None)
        if against is None:
            return _read(words, verb)
        deed, why = against
        return _graver(_Said(deed, why), words, verb, hints or {})
    found = [_Said(deed, f'from "{word}" in its name') for word, deed in _deeds(words)]
    if found:
        first = max(found, key=lambda each: _weight(each.deed))
        return _graver(first, words, "", hints or {})
    return Guess(effect="external", risk="critical", why="because nothing in its name says what it does", sure=False)


class _Said:
    """A deed, and what says so."""

    def __init__(self, deed: Deed, why: str) -> None:
        self.deed, self.why = deed, why


def _weight(deed: Deed) -> tuple[int, int]:
    return RISKS.index(deed.risk), _EFFECTS.index(deed.effect)


def _read(words: tuple[str, ...], verb: str) -> Guess:
    private = next((word for word in words if word in SENSITIVE), "")
    if private:
        return Guess(effect="read", risk="high", why=f'from "{verb}" and "{private}" in its name')
    return Guess(effect="read", risk="low", why=f'from "{verb}" in its name')


def _graver(said: _Said, words: tuple[str, ...], verb: str, hints: Mapping[str, object]) -> Guess:
    """The guess that `said` makes, graver where the server itself says that the tool destroys."""
    deed, why = said.deed, said.why
    if hints.get("destructiveHint") is True and RISKS.index(deed.risk) < RISKS.index("high"):
        deed, why = Deed(deed.effect, "high"), f"{why}, and its server says that it destroys"
    sure = not verb and any(word in STRONG or word in NOUNS for word in words)
    return Guess(effect=deed.effect, risk=deed.risk, why=why, sure=sure)


def _reading(name: str, words: tuple[str, ...]) -> str:
    """The verb by which a name says that it reads, or nothing. A name in other letters than these says nothing."""
    if not name.isascii() or not words:
        return ""
    for place, word in enumerate(words):
        if word not in READS:
            continue
        others = words[:place] + words[place + 1 :]
        if UNLESS.get(word, frozenset()) & set(others):
            return ""
        rest = words[place + 1 :]
        if word == "list" and rest and not any(each in LISTED or each.endswith("s") for each in rest):
            return ""
        # What is a verb as often as a thing, and stands before it, may be what the tool does: `order_list`.
        return "" if any(each in NOUNS for each in words[:place]) else word
    return words[-1] if len(words) > 1 and words[-1] in READS_LAST and words[0] not in NOUNS else ""


def _deeds(words: tuple[str, ...]) -> Iterator[tuple[str, Deed]]:
    """What the words of a name that reads nothing say it does."""
    grave = False
    for word in words:
        if strong := inside(word):
            yield strong, STRONG[strong]
            grave = grave or STRONG[strong].risk != "medium"
        elif word in NOUNS and not grave:
            # What is cancelled or sent is a thing; what is created may be an order that is placed.
            yield word, NOUNS[word]


def _against(
    words: tuple[str, ...],
    verb: str,
    description: str,
    arguments: tuple[str, ...],
    hints: Mapping[str, object],
    code: tuple[str, ...],
) -> Iterator[tuple[Deed, str]]:
    """What speaks against it that a tool which says that it reads does no more than that, the nearest first."""
    for place, word in enumerate(words):
        strong = inside(word) if word != verb else ""
        if strong:
            yield STRONG[strong], f'from "{strong}" in its name, beside "{verb}"'
        elif word in NOUNS and place and words[place - 1] in ("and", "then", "or", "to"):
            yield NOUNS[word], f'from "{word}" in its name, beside "{verb}"'
    if hints.get("readOnlyHint") is False:
        yield _WORST, f'because its server does not say that it only reads, "{verb}" in its name or not'
    if hints.get("destructiveHint") is True:
        yield _WORST, f'because its server says that it destroys, "{verb}" in its name or not'
    for sign in code:
        yield _WORST, f"because {sign}"
    for argument in arguments:
        parts = words_of(argument)
        if any(part in ADDRESSES for part in parts):
            yield Deed("external", "high"), f'because it reaches what its argument "{argument}" names'
        elif telling := next(
            (part for part in parts if part in ARGUMENTS or (inside(part) and part not in THINGS)), ""
        ):
            yield _WORST, f'because it takes "{telling}", "{verb}" in its name or not'
        elif not argument.isascii():
            yield _WORST, "because an argument is named in letters that say nothing to us"
    if any(letter.isalpha() and ord(letter) > _LATIN for letter in description[:_READ]):
        yield _WORST, f'because its description is in letters that say nothing to us, "{verb}" in its name or not'
    if clause := _acting_clause(description[:_READ].lower()):
        yield _WORST, f'from "{clause}" in its description, "{verb}" in its name or not'


def _acting_clause(description: str) -> str:
    """A word that acts: anywhere if it is never a thing, at the beginning of a clause if it may be one."""
    for word in _WORD.findall(description):
        base = _base(word)
        if base in STRONG and base not in THINGS:
            return str(word)
    for found in _CLAUSE.finditer(description):
        base = _base(found[1])
        if (base in NOUNS and base not in TOLD) or base in THINGS:
            return str(found[1])
    return ""


def _base(word: str) -> str:
    """A verb as a name would have it: `deletes` and `deleting` are delete."""
    for known in (STRONG, NOUNS):
        for end, instead in (("", ""), ("s", ""), ("es", ""), ("ies", "y"), ("ing", ""), ("ing", "e")):
            if word.endswith(end) and (base := word.removesuffix(end) + instead) in known:
                return base
    return word
