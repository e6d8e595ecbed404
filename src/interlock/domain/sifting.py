"""The walk through a result: what a rule names goes, what is found in texts is masked, and what was taken is counted.

A text that is JSON is looked into: its members are seen under their own names, whatever escapes spell them, and what is left is
written anew. So it makes no difference whether a value came as itself or as the text of itself, however often wrapped.
"""

import unicodedata
from typing import Final, TypeAlias

import msgspec

from interlock.domain.canonical import MAX_DEPTH, pointer
from interlock.domain.exact import Raw
from interlock.domain.output import ANY, Output, Taken
from interlock.domain.personal import is_card, without_personal
from interlock.domain.secret import mask, without_secrets
from interlock.domain.wrapped import wrapped, wrapping

MAX_TAKEN: Final = 64
"""How many kinds of place are told apart; the rest is counted under the result as a whole."""
MAX_ROUNDS: Final = 8
"""How often a text is looked through again after something in it was masked."""
FIELD: Final = mask("field")
REPEATED: Final = "repeated"
"""A member that stood twice under one name, of which JSON programs read this or that one: the last is kept."""

Fields: TypeAlias = dict[str, "Fields | str"]
"""A rule's fields as a tree: by name what is below, or what is done."""

_NO_FIELDS: Final[Fields] = {}


def fields_of(rule: Output) -> Fields:
    """What a rule says of members, as a tree in which `*` is part of every name that is said beside it."""
    tree: Fields = {}
    for paths, done in ((rule.mask, "mask"), (rule.drop, "drop")):
        for path in paths:
            *above, last = (_plain(step) for step in path.split("."))
            at = tree
            for step in above:
                below = at.setdefault(step, {})
                if isinstance(below, str):
                    break  # all of it goes already
                at = below
            else:
                at[last] = done
    return _spread(tree)


def merged(one: "Fields | str", other: "Fields | str") -> "Fields | str":
    """What both say: the whole of a member goes where either says so."""
    if isinstance(one, str) or isinstance(other, str):
        return "drop" if "drop" in (one, other) else "mask"
    found = dict(one)
    for name, below in other.items():
        found[name] = merged(found[name], below) if name in found else below
    return found


class Walk:
    """One look through a result, which counts what it takes."""

    def __init__(self, rule: Output, names: frozenset[str] = frozenset()) -> None:
        self._rule = rule
        self._names = names
        self._path = ""
        self.taken: dict[tuple[str, str], int] = {}
        self.hidden: list[Raw] = []
        """What the rule's fields took."""
        self.refused = False

    def told(self) -> tuple[Taken, ...]:
        """What was taken, in the order in which it was found."""
        return tuple(Taken(path=path, kind=kind, places=places) for (path, kind), places in self.taken.items())

    def value(self, value: Raw, path: str, depth: int, fields: Fields) -> Raw:
        """`value` at `path` as the agent gets it: the same object where nothing in it was taken."""
        if depth > MAX_DEPTH:
            raise RecursionError
        if isinstance(value, str):
            return self.text(value, path, depth, fields)
        if isinstance(value, dict):
            return self._members(value, path, depth, fields)
        if isinstance(value, list):
            items = [self.value(each, f"{path}/{ANY}", depth + 1, fields) for each in value]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if "card" in self._rule.personal and _is_card(value):
            self.take("card", path)
            return mask("card")
        return value

    def text(self, text: str, path: str, depth: int = 0, fields: Fields = _NO_FIELDS) -> str:
        """`text` with what must not leave masked, in itself and in the JSON that it may be."""
        after = text
        for _ in range(MAX_ROUNDS):
            before = after
            after = self._within(after, path, depth, fields)
            self._path = path
            if self._rule.secrets != "keep":
                after = without_secrets(after, self._secret)
            if self._rule.personal:
                after = without_personal(after, self._rule.personal, self._found)
            if after is before:
                return after
        # What stood beside something masked may be something itself, now that it stands alone; but not for ever.
        return mask("text")

    def take(self, kind: str, path: str) -> None:
        """Count one thing that is taken."""
        place = (path, kind) if (path, kind) in self.taken or len(self.taken) < MAX_TAKEN else ("", kind)
        self.taken[place] = self.taken.get(place, 0) + 1

    def _within(self, text: str, path: str, depth: int, fields: Fields) -> str:
        """A text that is JSON, written anew where something in it was taken."""
        read = wrapped(text)
        if read is None:
            return text
        after = self.value(read.value, path, depth + 1, fields)
        if read.repeated:
            self.take(REPEATED, path)
        elif after is read.value:
            return text
        return wrapping(after)

    def _members(self, value: dict[str, Raw], path: str, depth: int, fields: Fields) -> Raw:
        after: dict[str, Raw] = {}
        same = True
        for name, member in value.items():
            place = path + (pointer(name) if name in self._names else f"/{ANY}")
            rule = fields.get(_plain(name), fields.get(ANY, _NO_FIELDS)) if fields else _NO_FIELDS
            if rule == "drop":
                self.take("dropped", place)
                self.hidden.append(member)
                same = False
                continue
            # A name may hold a secret as well as what it names.
            key = name if name in self._names else self.text(name, place, depth + 1)
            if isinstance(rule, str):
                new = self._masked(member, place)
            elif _is_aws_secret(name, member) and self._rule.secrets != "keep":
                self._path = place
                self._secret("aws-secret")
                new = mask("aws-secret")
            else:
                new = self.value(member, place, depth + 1, rule)
            same = same and new is member and key is name
            while key in after:
                key += "'"
            after[key] = new
        return value if same else after

    def _masked(self, member: Raw, place: str) -> Raw:
        """A member that the rule names: text says that it is masked, anything else is null."""
        if member is None or member == FIELD:
            return member
        self.take("field", place)
        self.hidden.append(member)
        return FIELD if isinstance(member, str) else None

    def _secret(self, kind: str) -> None:
        self.refused = self.refused or self._rule.secrets == "refuse"
        self.take(kind, self._path)

    def _found(self, kind: str) -> None:
        self.take(kind, self._path)


def _is_card(value: object) -> bool:
    """Whether a number is a card's, whichever way it is written."""
    if isinstance(value, msgspec.Raw):
        written = bytes(value)
        try:
            number = int(written) if written.isdigit() and len(written) < 20 else float(written)
        except ValueError:
            return False
    elif type(value) is int or type(value) is float:
        number = value
    else:
        return False
    return 0 < number < 1e20 and number == int(number) and is_card(int(number))


def _plain(name: str) -> str:
    """A name as it is compared: letters that look and mean the same are the same."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


def _spread(tree: Fields) -> Fields:
    """What is said of any name is said of those, too, of which something else is said."""
    every = tree.get(ANY, _NO_FIELDS)
    found: Fields = {}
    for name, below in tree.items():
        all_of_it = merged(below, every) if name != ANY else below
        found[name] = all_of_it if isinstance(all_of_it, str) else _spread(all_of_it)
    return found


def _is_aws_secret(name: str, value: object) -> bool:
    """AWS's own answers give the secret key as a member of that name; the value has no mark."""
    return isinstance(value, str) and len(value) == 40 and name.replace("_", "").lower().endswith("secretaccesskey")
