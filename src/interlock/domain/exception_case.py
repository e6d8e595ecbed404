"""Exceptions: what an agent cannot settle by itself and puts before people, by a declared taxonomy.

An exception is an action like any: of one contract, decided by policies, which say whom each kind goes to and by when. It
happens when a person answers, and what happens is the answer. So nothing here but its own rules: it always asks somebody,
and an answer is a person's to give.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Final

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.domain.ids import ContractName

RAISE: Final = ContractName("exception.raise")
"""The contract that every exception is raised through."""
ANSWER: Final = "answer"
RULE: Final = "interlock.exception"

KINDS: Final[Mapping[str, str]] = {
    "unrecognised_input": "what came in is nothing that the agent knows",
    "conflicting_information": "two sources say different things",
    "out_of_scope": "it is not what the agent is for",
    "potential_violation": "it might break a rule, a contract or a law",
    "system_error": "a system that is needed fails again and again",
    "user_request": "whoever it is for asks for a person",
    "low_confidence": "the agent is not sure enough",
}
"""What may be wrong, and what each means. Whatever else is `other:` and words."""
OTHER: Final = "other:"
PATTERN: Final = rf"^({'|'.join(KINDS)}|{OTHER}.{{1,100}})$"
_ALIKE: Final = 0.6
"""From this share of what they have in common on two kinds are one, in other words."""
_MOST_GROUPS: Final = 200
_WORD: Final = re.compile(r"[^\W_]+")


class NewKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind that nobody declared, with the words agents used for it."""

    words: str
    """Those used most."""
    count: int
    also: tuple[str, ...] = ()
    """The same in other words."""


def must_be_unanswered(contract: ContractName, arguments: Mapping[str, JsonValue]) -> None:
    """Raises ContractError where an agent proposes an exception together with its answer: a yes would make it a person's."""
    if contract == RAISE and arguments.get(ANSWER):
        raise ContractError("the answer is a person's to give", path=f"/{ANSWER}", next_step=f"leave `{ANSWER}` away")


def new_kinds(kinds: Iterable[str]) -> tuple[NewKind, ...]:
    """The kinds among `kinds` that nobody declared, those alike together, the most frequent first."""
    counted = Counter(kind.removeprefix(OTHER).strip() for kind in kinds if kind.startswith(OTHER))
    groups: list[tuple[str, list[str], int]] = []
    for words, count in counted.most_common():
        plain = _plain(words)
        place = next((at for at, group in enumerate(groups) if _alike(group[0], plain)), None)
        if place is not None:
            like, said, total = groups[place]
            groups[place] = (like, [*said, words], total + count)
        elif len(groups) < _MOST_GROUPS:
            groups.append((plain, [words], count))
    found = [NewKind(words=said[0], count=total, also=tuple(said[1:])) for _, said, total in groups]
    return tuple(sorted(found, key=lambda each: (-each.count, each.words)))


def _plain(words: str) -> str:
    """The words in order of the alphabet, so that neither case nor order nor punctuation makes another kind."""
    return " ".join(sorted(_WORD.findall(words.casefold())))


def _alike(one: str, other: str) -> bool:
    left, right = set(one.split()), set(other.split())
    shared = len(left & right) / max(len(left | right), 1)
    return shared >= _ALIKE or SequenceMatcher(None, one, other, autojunk=False).ratio() >= 1 - _ALIKE / 4
