"""What an entry adds to the index over the log: a derived thing, which can be thrown away and made again.

An action is found by words: its agent, its contract, who agreed, which records it touches. Persons and records are read from
the clear texts beside the entry, and from them alone: what was erased adds nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

import msgspec

from interlock.domain.account import Told, listed, within
from interlock.domain.contract import Contract
from interlock.domain.disclosure import DisclosureError, OpenValue
from interlock.domain.disclosure import parse as parse_disclosure
from interlock.domain.ids import ActionId

Kind = Literal[
    "any", "agent", "release", "contract", "policy", "state", "task", "approver", "initiator", "touching", "unusual"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
PRIVATE: frozenset[Kind] = frozenset({"approver", "initiator", "touching"})
"""What may say who a person is: forgotten when an action is erased."""


class Word(NamedTuple):
    """What an action is found by."""

    kind: Kind
    text: str


ANY = Word("any", "")
"""The word of every action."""


class Card(NamedTuple):
    """What one entry says of its action."""

    action: ActionId
    at: str
    """RFC 3339."""
    state: str
    """Empty where the entry is none of the action's numbered facts."""
    words: frozenset[Word]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions are meant: every word must fit, and one of the states where any is named. Newest first."""

    words: tuple[Word, ...] = ()
    states: tuple[str, ...] = ()
    since_at: int | None = None
    """When they began, UTC ms, this included."""
    until_at: int | None = None
    """When they began, this not included."""
    before: ActionId | None = None
    """Only those that began before this one (the next page); none where it is not known."""
    limit: int = 50


def schema_digest(told: Told) -> str:
    """The digest of the contract that an entry names, or nothing."""
    return str(within(told.predicate, "resource", "schemaDigest"))


def card_of(told: Told, disclosures: Iterable[str], contract: Contract | None) -> Card:
    """The card of an entry of an action. `contract` says which of its arguments are records, where it is known."""
    said = told.predicate
    words = {ANY}
    words |= _word("agent", within(said, "agent", "id"))
    words |= _word("release", within(said, "agent", "release"))
    words |= _word("contract", within(said, "resource", "id"))
    words |= _word("task", within(said, "taskId"))
    for policy in listed(said, "decision", "policies"):
        words |= _word("policy", policy)
    unusual = listed(said, "decision", "unusual")
    for each in ("any", *unusual) if unusual else ():
        words |= _word("unusual", each)
    for text in disclosures:
        try:
            opened = parse_disclosure(text)
        except DisclosureError:
            continue
        words |= _private(opened.name, opened.value, contract)
    return Card(ActionId(told.action), told.at, told.state if told.seq else "", frozenset(words))


def touched(contract: Contract, arguments: Mapping[str, object]) -> frozenset[str]:
    """The records that an action with these arguments touches, and whom its contract says it is about, as `kind:id`. Of a
    list each item is one."""
    found: set[str] = set()
    for kind, path in (*contract.touches.items(), *contract.subject.items()):
        value = within(arguments, *path.removeprefix("$args.").split("."))
        for each in listed(value) or [value]:
            if isinstance(each, str | int) and not isinstance(each, bool) and each != "":
                found.add(f"{kind}:{each}")
    return frozenset(found)


def kinds_of(contract: Contract, arguments: Mapping[str, object]) -> frozenset[str]:
    """The kinds of the records that an action with these arguments touches, and of whom it is about."""
    declared = (*contract.touches.items(), *contract.subject.items())
    return frozenset(
        kind
        for kind, path in declared
        if within(arguments, *path.removeprefix("$args.").split(".")) not in ("", None, [])
    )


def _private(name: str, value: OpenValue, contract: Contract | None) -> set[Word]:
    match name:
        case "initiator":
            return _word("initiator", value)
        case "approvers" if isinstance(value, list):
            # Each is a person and the person's note.
            people = [each[0] for each in value if isinstance(each, list) and each]
            return {word for each in people for word in _word("approver", each)}
        case "toolArgs" if isinstance(value, dict) and contract is not None:
            return {Word("touching", each) for each in touched(contract, value)}
        case _:
            return set()


def _word(kind: Kind, text: object) -> set[Word]:
    return {Word(kind, text)} if isinstance(text, str) and text else set()
