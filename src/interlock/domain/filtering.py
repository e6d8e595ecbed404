"""Filtering what a tool gave back, before anybody but the contract's own checks sees it: the half of step 9 that is a rule.

What nothing was found in stays the very same object. What cannot be looked through is withheld whole. Of a server's result it is
the value that came which is looked through, whatever of it is recorded as a text.
"""

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, Literal, cast

import msgspec

from interlock.domain.action import Action, Outcome
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess, McpTarget, Reversal
from interlock.domain.echo import without_echo
from interlock.domain.exact import Raw, opened, written
from interlock.domain.output import ANY, MASKING, Output, Redaction, Taken
from interlock.domain.secret import mask, may_hold_secrets
from interlock.domain.sifting import Fields, Walk, fields_of, merged

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of a result as JSON, before and after: what an effector lets through (1 MiB) is less, whatever its escapes."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_ESCAPES: Final = (rb"\\u", rb"\\/")
"""An escape in a text that is JSON itself: what it spells may be a secret."""
_to_json: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode
_in_order: Final[Callable[[object], bytes]] = msgspec.json.Encoder(order="sorted").encode

Form = Literal["plain", "exact", "tool"]
"""How a result is written down: as it is; with what has no canonical form as texts (`exact.written`); so, and the result of a
server's tool, whose words (`content`) repeat what it says in `structuredContent`."""


class Filtered(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent gets, and what was taken of it."""

    result: JsonValue
    taken: tuple[Taken, ...] = ()
    withheld: bool = False


def filtered(result: JsonValue, rule: Output, names: frozenset[str] = frozenset(), *, form: Form = "plain") -> Filtered:
    """What of `result` the agent gets under `rule`. In places only `names`, the contract's own, are said.

    Nothing found: the same object. A secret under `refuse`, and a result that is too long, too deep or no JSON: nothing.
    """
    try:
        text = _to_json(result)
        if len(text) > MAX_BYTES:
            return _withheld("unreadable")
        looks = rule.secrets != "keep" and (may_hold_secrets(text) or any(each in text for each in _ESCAPES))
        if not (looks or rule.personal or rule.drop or rule.mask):
            return Filtered(result=result)
        walk = Walk(rule, names)
        fields = fields_of(rule)
        value = opened(result) if form != "plain" and isinstance(result, dict) else cast(Raw, result)
        after = walk.value(value, "", 0, _echoed(fields, value) if form == "tool" else fields)
        if not walk.taken:
            return Filtered(result=result)
        if walk.refused:
            return Filtered(result=None, taken=walk.told(), withheld=True)
        if form == "tool" and walk.hidden and isinstance(after, dict):
            after = without_echo(after, walk.hidden, lambda place: walk.take("field", place))
        if form != "plain" and isinstance(after, dict):
            after = cast(Raw, written(after))
        if len(_to_json(after)) > MAX_BYTES:
            return _withheld("unreadable")
    except (UnicodeEncodeError, RecursionError, TypeError, ValueError, OverflowError):
        return _withheld("unreadable")
    return Filtered(result=cast(JsonValue, after), taken=walk.told())


def clean(text: str, contract: Contract) -> str:
    """Words of a tool (why it failed, what it calls an error) as they may be shown. A secret in them is masked unless
    secrets are kept; a result can be refused, the reason of a failure cannot."""
    rule = contract.output or MASKING
    try:
        return Walk(rule).text(text, "")
    except RecursionError:
        return mask("text")


def told(outcome: Outcome, contract: Contract, salt: Callable[[], str]) -> Outcome:
    """`outcome`, in which a tool's result stands as it came, as it is recorded, kept and shown.

    `salt` gives at least 128 random bits in hexadecimal, and is asked only where something was taken.
    """
    got = outcome.result
    if got is None:
        return outcome
    seen = filtered(got, contract.output or MASKING, contract.result_names, form=_form(contract))
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


def _form(contract: Contract) -> Form:
    match contract.target:
        case McpTarget():
            return "tool"
        case InProcess(server=server) if server:
            return "exact"
        case _:
            return "plain"


def _echoed(fields: Fields, result: Raw) -> Fields:
    """What is said of `structuredContent`, said of the words that repeat it, too. What is no object is there as the one member
    `result`, of which the words say the value alone, or each item of it in a block of its own."""
    said = fields.get("structuredContent", fields.get(ANY))
    if not isinstance(said, dict):
        return fields
    whole = result.get("structuredContent") if isinstance(result, dict) else None
    if isinstance(whole, dict) and whole.keys() == {"result"}:
        inner = said.get("result", said.get(ANY, {}))
        said = "mask" if isinstance(inner, str) else cast(Fields, merged(said, inner))
    words: Fields = {"text": said, "resource": {"text": said}}
    return {**fields, "content": merged(fields.get("content", fields.get(ANY, {})), words)}


def _withheld(kind: str) -> Filtered:
    return Filtered(result=None, taken=(Taken(path="", kind=kind),), withheld=True)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
