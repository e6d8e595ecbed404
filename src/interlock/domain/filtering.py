"""Filtering what a tool gave back, before anybody but the contract's own checks sees it: the half of step 9 that is a rule.

What nothing was found in stays the very same object. What cannot be looked through is withheld whole.
"""

import json
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, cast

import msgspec

from interlock.domain.action import Action, Outcome
from interlock.domain.canonical import MAX_DEPTH, JsonValue, pointer
from interlock.domain.contract import Contract, Reversal
from interlock.domain.output import ANY, MASKING, Output, Redaction, Taken
from interlock.domain.personal import is_card, without_personal
from interlock.domain.secret import mask, may_hold_secrets, without_secrets

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of a result as JSON, before and after: what an effector lets through (1 MiB) is less, whatever its escapes."""
MAX_TAKEN: Final = 64
"""How many kinds of place are told apart; the rest is counted under the result as a whole."""
MAX_ROUNDS: Final = 8
"""How often a text is looked through again after something in it was masked."""

_FIELD: Final = mask("field")
_Fields = dict[str, "_Fields | str"]
"""A rule's fields as a tree: by name what is below, or what is done."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_to_json: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode
_in_order: Final[Callable[[object], bytes]] = msgspec.json.Encoder(order="sorted").encode


class Filtered(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent gets, and what was taken of it."""

    result: JsonValue
    taken: tuple[Taken, ...] = ()
    withheld: bool = False


def filtered(result: JsonValue, rule: Output, names: frozenset[str] = frozenset()) -> Filtered:
    """What of `result` the agent gets under `rule`. In places only `names`, the contract's own, are said.

    Nothing found: the same object. A secret under `refuse`, and a result that is too long, too deep or no JSON, or is JSON as a
    text where the rule names members of it: nothing.
    """
    try:
        text = _to_json(result)
        if len(text) > MAX_BYTES:
            return _withheld("unreadable")
        looks = rule.secrets != "keep" and may_hold_secrets(text)
        if not (looks or rule.personal or rule.drop or rule.mask):
            return Filtered(result=result)
        walk = _Walk(rule, names)
        after = walk.value(result, "", 0, _tree(rule))
        if not walk.taken:
            return Filtered(result=result)
        if walk.refused:
            return Filtered(result=None, taken=walk.told(), withheld=True)
        if len(_to_json(after)) > MAX_BYTES:
            return _withheld("unreadable")
    except (UnicodeEncodeError, RecursionError, TypeError, ValueError, OverflowError):
        return _withheld("unreadable")
    return Filtered(result=after, taken=walk.told())


def clean(text: str, contract: Contract) -> str:
    """Words of a tool (why it failed, what it calls an error) as they may be shown. A secret in them is masked unless
    secrets are kept; a result can be refused, the reason of a failure cannot."""
    rule = contract.output or MASKING
    return _Walk(rule, frozenset()).text(text, "")


def told(outcome: Outcome, contract: Contract, salt: Callable[[], str]) -> Outcome:
    """`outcome`, in which a tool's result stands as it came, as it is recorded, kept and shown.

    `salt` gives at least 128 random bits in hexadecimal, and is asked only where something was taken.
    """
    got = outcome.result
    if got is None:
        return outcome
    seen = filtered(got, contract.output or MASKING, contract.result_names)
    if not seen.taken:
        return outcome
    random = salt()
    kept = reads_result(contract)
    redaction = Redaction(
        taken=seen.taken,
        before=committed(got, random),
        after=committed(seen.result, random),
        salt=random,
        withheld=seen.withheld,
        kept=kept,
        raw=got if kept else None,
    )
    return msgspec.structs.replace(outcome, result=seen.result, redaction=redaction)


def published(action: Action) -> Action:
    """`action` as it may be printed or given to a program: without what only an undo may read."""
    outcome = action.outcome
    if outcome is None or outcome.redaction is None:
        return action
    redaction = msgspec.structs.replace(outcome.redaction, raw=None, salt="")
    return msgspec.structs.replace(action, outcome=msgspec.structs.replace(outcome, redaction=redaction))


def raw_result(outcome: Outcome | None) -> JsonValue:
    """What the tool gave, as far as it was kept: for what undoes it, and for nobody else."""
    if outcome is None:
        return None
    redaction = outcome.redaction
    return redaction.raw if redaction is not None and redaction.kept else outcome.result


def reads_result(contract: Contract) -> bool:
    """Whether undoing it reads the result, so that it has to be kept as it came."""
    way = contract.reversal
    return isinstance(way, Reversal) and any(
        isinstance(each, str) and each.split(".")[0] == "$result" for each in way.arguments.values()
    )


def committed(result: JsonValue, salt: str) -> str:
    """SHA-256 over the JSON of `{"result": ..., "salt": ...}`, keys in order, without spaces; empty for what is no JSON."""
    try:
        return sha256(_in_order({"result": result, "salt": salt})).hexdigest()
    except (UnicodeEncodeError, RecursionError, TypeError, ValueError, OverflowError):
        return ""


def misstated(output: object, phase: str, commitments: Mapping[str, str], clear: Mapping[str, object]) -> str | None:
    """What is wrong with the `output` of an entry: in itself, with what it commits to, or with the clear texts of its
    commitments that are at hand."""
    if phase not in ("outcome", "settled") or not {"toolResult", "outputSalt"} <= commitments.keys():
        return "it says that a result was filtered, and commits to none"
    said = cast("dict[str, object]", output) if isinstance(output, dict) else {}
    before, after, taken = said.get("before"), said.get("after"), said.get("taken")
    if not _is_digest(after) or not (before == "" or _is_digest(before)) or before == after:
        return "it does not say what its result was before and after it was filtered"
    if not isinstance(taken, list) or not taken:
        return "it says that its result was filtered, and not what was taken"
    if "toolResult" not in clear:
        return None
    result = cast(JsonValue, clear["toolResult"])
    if said.get("withheld") is True and result is not None:
        return "it says that its result was withheld, and holds one"
    # What was too long to keep is stated in its stead.
    left_out = isinstance(result, dict) and "leftOut" in result
    if "outputSalt" in clear and not left_out and committed(result, str(clear["outputSalt"])) != after:
        return "its result is not the one that filtering left"
    return None


class _Walk:
    """One look through a result, which counts what it takes."""

    def __init__(self, rule: Output, names: frozenset[str]) -> None:
        self._rule = rule
        self._names = names
        self._path = ""
        self.taken: dict[tuple[str, str], int] = {}
        self.refused = False

    def told(self) -> tuple[Taken, ...]:
        """What was taken, in the order in which it was found."""
        return tuple(Taken(path=path, kind=kind, places=places) for (path, kind), places in self.taken.items())

    def value(self, value: JsonValue, path: str, depth: int, fields: _Fields) -> JsonValue:
        """`value` at `path` as the agent gets it: the same object where nothing in it was taken."""
        if depth > MAX_DEPTH:
            raise RecursionError
        if isinstance(value, str):
            if fields and _holds_members(value):
                # JSON as a text, where the rule names members: what of it would have to go is not seen.
                raise ValueError
            return self.text(value, path)
        if isinstance(value, dict):
            return self._members(value, path, depth, fields)
        if isinstance(value, list):
            items = [self.value(each, f"{path}/{ANY}", depth + 1, fields) for each in value]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if type(value) is int and "card" in self._rule.personal and is_card(value):
            self._take("card", path)
            return mask("card")
        return value

    def text(self, text: str, path: str) -> str:
        """`text` with what must not leave masked."""
        self._path = path
        after = text
        for _ in range(MAX_ROUNDS):
            before = after
            if self._rule.secrets != "keep":
                after = without_secrets(after, self._secret)
            if self._rule.personal:
                after = without_personal(after, self._rule.personal, self._found)
            if after is before:
                return after
        # What stood beside something masked may be something itself, now that it stands alone; but not for ever.
        return mask("text")

    def _members(self, value: dict[str, JsonValue], path: str, depth: int, fields: _Fields) -> JsonValue:
        after: dict[str, JsonValue] = {}
        same = True
        for name, member in value.items():
            place = path + (pointer(name) if name in self._names else f"/{ANY}")
            rule = fields.get(name, fields.get(ANY, _NO_FIELDS))
            if rule == "drop":
                self._take("dropped", place)
                same = False
                continue
            # A name may hold a secret as well as what it names.
            key = name if name in self._names else self.text(name, place)
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

    def _masked(self, member: JsonValue, place: str) -> JsonValue:
        """A member that the rule names: text says that it is masked, anything else is null."""
        if member is None or member == _FIELD:
            return member
        self._take("field", place)
        return _FIELD if isinstance(member, str) else None

    def _secret(self, kind: str) -> None:
        self.refused = self.refused or self._rule.secrets == "refuse"
        self._take(kind, self._path)

    def _found(self, kind: str) -> None:
        self._take(kind, self._path)

    def _take(self, kind: str, path: str) -> None:
        place = (path, kind) if (path, kind) in self.taken or len(self.taken) < MAX_TAKEN else ("", kind)
        self.taken[place] = self.taken.get(place, 0) + 1


_NO_FIELDS: Final[_Fields] = {}


def _tree(rule: Output) -> _Fields:
    tree: _Fields = {}
    for paths, done in ((rule.mask, "mask"), (rule.drop, "drop")):
        for path in paths:
            *above, last = path.split(".")
            at = tree
            for step in above:
                below = at.setdefault(step, {})
                if isinstance(below, str):
                    break  # all of it goes already
                at = below
            else:
                at[last] = done
    return tree


def _holds_members(text: str) -> bool:
    """Whether a text is a JSON object or list."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_aws_secret(name: str, value: JsonValue) -> bool:
    """AWS's own answers give the secret key as a member of that name; the value has no mark."""
    return isinstance(value, str) and len(value) == 40 and name.replace("_", "").lower().endswith("secretaccesskey")


def _withheld(kind: str) -> Filtered:
    return Filtered(result=None, taken=(Taken(path="", kind=kind),), withheld=True)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
