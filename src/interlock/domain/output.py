"""What may leave the gate towards the agent of what a tool gave back: a contract's word, and the account of what was taken.

A contract that says nothing masks secrets. Names, places and kinds are said of what was taken, never values.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, cast

import msgspec

from interlock.domain.canonical import JsonValue

Secrets = Literal["mask", "refuse", "keep"]
SECRETS: Final[tuple[Secrets, ...]] = ("mask", "refuse", "keep")
Personal = Literal["email", "phone", "iban", "card", "ip"]
PERSONAL: Final[tuple[Personal, ...]] = ("email", "phone", "iban", "card", "ip")

ANY: Final = "*"
"""In a rule's field: a member of any name. In a place: a name that the contract's result schema does not say, or any item
of a list. Such a name may itself be a secret or a person's, so it is never repeated."""


class Output(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="output", omit_defaults=True):
    """What the agent gets of a tool's result.

    `secrets` that stand in any text of it are masked, or the whole result is refused to the agent, or they are kept.
    `personal` data of the kinds named is masked. `drop` and `mask` name members by dotted path (`customer.phone`); a list on
    the way is passed through, `*` is any name.
    """

    secrets: Secrets = "mask"
    personal: tuple[Personal, ...] = ()
    drop: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()


MASKING: Final = Output()
"""The rule of a contract that says nothing."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken at one kind of place. `path` is a JSON pointer whose steps are names of the contract's, or `*`."""

    path: str
    kind: str
    """`dropped`, `field`, a kind of personal data, or the kind of secret; `unreadable`: the whole result was withheld."""
    places: int = 1


class Redaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The account of one filtering in which something was taken.

    `before` and `after` are SHA-256 over the canonical JSON of `{"result": ..., "salt": ...}`: what the tool gave, and what
    the agent gets. The salt is private, so that neither can be guessed from what is known to be masked.
    """

    taken: tuple[Taken, ...]
    before: str
    after: str
    salt: str
    withheld: bool = False
    """Whether the agent gets nothing of the result at all."""
    kept: bool = False
    """Whether `raw` is the result before, which an undo reads (`$result...`)."""
    raw: JsonValue = None

    @property
    def places(self) -> int:
        """In how many places something was taken."""
        return sum(each.places for each in self.taken)


def in_words(taken: tuple[Taken, ...]) -> Iterator[str]:
    """What was taken, a line each: `aws-key at /note`, `email at /rows/*/contact (3 places)`."""
    for each in taken:
        count = f" ({each.places} places)" if each.places > 1 else ""
        yield f"{each.kind} at {each.path or 'the whole of it'}{count}"


def misnamed(rule: Output, schema: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """What a rule names that the result schema has not, with its pointer in the contract."""
    for word, paths in (("drop", rule.drop), ("mask", rule.mask)):
        for place, path in enumerate(paths):
            if why := _wrong(path, schema):
                yield f"its output cannot {word} `{path}`: {why}", f"/output/{word}/{place}"
    for path in sorted({*rule.drop} & {*rule.mask}):
        yield f"its output both drops and masks `{path}`", "/output/mask"


def _wrong(path: str, schema: Mapping[str, JsonValue]) -> str:
    steps = path.split(".")
    if not all(steps):
        return "it is a dotted path of names, such as `customer.phone`"
    known = [cast(JsonValue, dict(schema))]
    for step in steps:
        below = [each for one in known for each in _below(one, step, schema)]
        if not below:
            return f"no result has a member `{step}` there"
        known = below
    return ""


def names_in(schema: JsonValue) -> frozenset[str]:
    """Every name of a member that a result schema says, at whatever depth."""
    found: set[str] = set()
    todo: list[JsonValue] = [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            members = node.get("properties")
            if isinstance(members, dict):
                found |= members.keys()
            todo += node.values()
    return frozenset(found)


def _below(node: JsonValue, step: str, whole: Mapping[str, JsonValue]) -> Iterator[JsonValue]:
    """The schemas that a member `step` of what `node` describes may have. What says nothing of members allows any."""
    seen: list[JsonValue] = []
    todo = [node]
    while todo:
        each = todo.pop()
        if any(each is one for one in seen):
            continue
        seen.append(each)
        if each is True or each == {}:
            yield {}
        if not isinstance(each, dict):
            continue
        todo += _alternatives(each, whole)
        members, others = each.get("properties"), each.get("additionalProperties")
        if isinstance(members, dict):
            if step == ANY:
                yield from members.values()
            elif step in members:
                yield members[step]
        if isinstance(others, dict) or others is True:
            yield others if isinstance(others, dict) else {}
        elif each.get("type") == "object" and members is None and others is None:
            yield {}


def _alternatives(node: Mapping[str, JsonValue], whole: Mapping[str, JsonValue]) -> Iterator[JsonValue]:
    """What else describes the same value, or the items of it where it is a list."""
    for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        options = node.get(word)
        if isinstance(options, list):
            yield from options
    if "items" in node:
        yield node["items"]
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        found: JsonValue = cast(JsonValue, whole)
        for step in reference[2:].split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        yield found
