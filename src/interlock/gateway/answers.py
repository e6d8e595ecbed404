"""What a client is answered: the outcome of an action in the protocol's words, for the model and for programs alike."""

import json
from collections.abc import Mapping
from typing import Final, cast

from mcp_types import CallToolResult, TextContent

from interlock.domain.action import SETTLED, Action, State
from interlock.domain.approval import Query
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError, InterlockError
from interlock.domain.ids import ActionId
from interlock.domain.output import in_words
from interlock.domain.tool_name import ANSWER, TICKET
from interlock.gateway.schemas import given, structured
from interlock.sdk.outcomes import Done, Held, NotDone, Outcome, Pending, Unknown

ACTION: Final = "interlock/action"
TASK: Final = "interlock/task"
STATE: Final = "interlock/state"
SOURCE: Final = "interlock/source"
"""Whose word it is, where it is not our own: never the source's own label."""
AGAIN: Final = "do not call the tool again for it: that would be another action"
_WAITS: Final = {
    "held": "it waits for a person's word, and nothing has happened yet",
    "pending": "it is allowed, and is being done or waits for a worker",
    "unknown": "it may or may not have happened; a lookup or a person settles that",
}


def answered(outcome: Outcome, contract: Contract | None) -> CallToolResult:
    """What the caller gets of `outcome`, of a call of `contract` where that is known."""
    if isinstance(outcome, Done):
        return _done(outcome, contract)
    if isinstance(outcome, Held | Pending | Unknown):
        return waiting(outcome)
    return refused(outcome, outcome.action_id, outcome.state)


def refused(error: InterlockError, action: ActionId | None = None, state: State | None = None) -> CallToolResult:
    """A no, with what to do. Nothing happened."""
    said: dict[str, JsonValue] = {"code": error.code, "detail": error.detail, "next": error.next_step}
    if state is not None:
        said["state"] = state
    if isinstance(error, NotDone):
        said["reasons"] = list(error.reasons)
        if error.rule:
            said["rule"] = error.rule
    return result(f"{error.detail}\nnext: {error.next_step}", said, action, state, is_error=True)


def waiting(outcome: Held | Pending | Unknown) -> CallToolResult:
    """A ticket: what there is to know now, and how to hear the rest. Of what may have happened it is an error, so that no model
    takes it for done."""
    said = ticket_of(outcome)
    lines = [f"{outcome.detail}: {_WAITS[outcome.code]}."]
    asked = _open(outcome)
    lines += [f"{each.person} asks ({each.number}): {each.text}" for each in asked]
    if asked:
        lines.append(
            f"Answer with `{ANSWER}`, ticket `{outcome.action_id}` and your words: whoever decides reads them."
        )
    lines.append(f"To hear what became of it call `{TICKET}` with ticket `{outcome.action_id}`; {AGAIN}.")
    unsure = isinstance(outcome, Unknown)
    return result("\n".join(lines), said, outcome.action_id, outcome.state, is_error=unsure)


def ticket_of(outcome: Held | Pending | Unknown) -> dict[str, JsonValue]:
    """The same for programs."""
    asked: list[JsonValue] = [{"number": each.number, "by": each.person, "text": each.text} for each in _open(outcome)]
    return {
        "ticket": outcome.action_id,
        "state": outcome.state,
        "poll_with": TICKET,
        "reasons": list(outcome.reasons),
        **({"questions": asked, "answer_with": ANSWER} if asked else {}),
    }


def result(
    text: str,
    said: Mapping[str, JsonValue] | None,
    action: ActionId | None,
    state: State | None,
    *,
    is_error: bool = False,
) -> CallToolResult:
    """The protocol's shape of it."""
    found = CallToolResult(content=[TextContent(text=text)], is_error=is_error)
    if said is not None:
        found.structured_content = dict(said)
    if action is not None:
        found.meta = {ACTION: action, **({STATE: state} if state is not None else {})}
    return found


def settled(action: Action) -> bool:
    """Whether nothing more will become of it by itself."""
    return action.state in SETTLED


def _done(done: Done, contract: Contract | None) -> CallToolResult:
    if done.withheld:
        words = ", ".join(in_words(done.taken))
        text = f"It is done, and its result is withheld: {words}. Go on without it; {AGAIN}."
        return result(text, {"ticket": done.action_id, "state": "done", "withheld": True}, done.action_id, "done")
    value = cast(JsonValue, done.result)
    promised = contract is not None and given(contract.output_schema) is not None
    said: dict[str, JsonValue] | None = structured(value) if promised or isinstance(value, dict) else None
    if contract is not None and promised and not _kept(contract, value):
        # What was taken of it leaves something else than the tool promises.
        said = {"ticket": done.action_id, "state": "done", "masked": done.masked, "result": value}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    found = result(text, said, done.action_id, "done")
    if done.note:
        found.content.append(TextContent(text=f"note: {done.note}"))
    return found


def _kept(contract: Contract, value: JsonValue) -> bool:
    try:
        return contract.gives.is_valid(value)
    except ContractError:
        return False


def _open(outcome: Held | Pending | Unknown) -> list[Query]:
    """What reviewers asked and nobody answered."""
    return [each for each in outcome.questions if each.answered_at is None] if isinstance(outcome, Held) else []
