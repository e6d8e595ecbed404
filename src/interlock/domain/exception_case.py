"""Exceptions: what an agent cannot settle by itself and puts before people, by a declared taxonomy.

An exception is an action like any: of one contract, decided by policies, which say whom each kind goes to and by when. It
happens when a person answers, and what happens is the answer. So nothing here but its own rules: it always asks somebody,
and an answer is a person's to give.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.domain.ids import ActionId, ContractName

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


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    how: Literal["chosen", "instructed", "closed", "default"]
    """`chosen`: one of the options. `instructed`: something else. `closed`: nothing more is to be done. `default`: nobody
    answered, and this is what the policy that asked says for that."""
    answer: str
    """The option or the instruction; empty where it was closed."""


class Sighting(NamedTuple):
    """One exception, as far as it says what kinds there are."""

    kind: str
    at: int
    """When it was raised, UTC ms."""
    action: ActionId


class NewKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind that nobody declared, with the words agents used for it."""

    words: str
    """Those used most."""
    count: int
    first_at: int
    """When it was first raised, UTC ms; so is `last_at`."""
    last_at: int
    example: ActionId
    """The latest of them."""
    also: tuple[str, ...] = ()
    """The same in other words."""


def kind_words(kind: str) -> str:
    """A kind as people read it: a declared one without its underscores, any other in the agent's own words."""
    return kind.removeprefix(OTHER) if kind.startswith(OTHER) else kind.replace("_", " ")


def must_be_unanswered(contract: ContractName, arguments: Mapping[str, JsonValue]) -> None:
    """Raises ContractError where an agent proposes an exception together with its answer: a yes would make it a person's."""
    if contract == RAISE and arguments.get(ANSWER):
        raise ContractError("the answer is a person's to give", path=f"/{ANSWER}", next_step=f"leave `{ANSWER}` away")


def new_kinds(seen: Iterable[Sighting]) -> tuple[NewKind, ...]:
    """The kinds among what was `seen` that nobody declared, those alike together, the most frequent first."""
    by_words: dict[str, NewKind] = {}
    for each in seen:
        if each.kind.startswith(OTHER):
            words = each.kind.removeprefix(OTHER).strip()
            one = NewKind(words=words, count=1, first_at=each.at, last_at=each.at, example=each.action)
            by_words[words] = _joined(by_words[words], one) if words in by_words else one
    groups: list[tuple[str, NewKind]] = []
    for said in sorted(by_words.values(), key=_weight):
        plain = _plain(said.words)
        place = next((at for at, group in enumerate(groups) if _alike(group[0], plain)), None)
        if place is not None:
            like, kind = groups[place]
            groups[place] = (like, _joined(kind, said))
        elif len(groups) < _MOST_GROUPS:
            groups.append((plain, said))
    return tuple(sorted((kind for _, kind in groups), key=_weight))


def _weight(kind: NewKind) -> tuple[int, str]:
    return -kind.count, kind.words


def _joined(kind: NewKind, more: NewKind) -> NewKind:
    """`kind` and what was found to be the same, in these words or in others."""
    return NewKind(
        words=kind.words,
        count=kind.count + more.count,
        first_at=min(kind.first_at, more.first_at),
        last_at=max(kind.last_at, more.last_at),
        example=max((kind.last_at, kind.example), (more.last_at, more.example))[1],
        also=kind.also if more.words == kind.words else (*kind.also, more.words),
    )


def _plain(words: str) -> str:
    """The words in order of the alphabet, so that neither case nor order nor punctuation makes another kind."""
    return " ".join(sorted(_WORD.findall(words.casefold())))


def _alike(one: str, other: str) -> bool:
    left, right = set(one.split()), set(other.split())
    shared = len(left & right) / max(len(left | right), 1)
    return shared >= _ALIKE or SequenceMatcher(None, one, other, autojunk=False).ratio() >= 1 - _ALIKE / 4
