"""What a reviewer is shown of an action: the same for every surface, so that its digest means something."""

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.contract import Contract, NoReversal, Reversal
from interlock.domain.diff import rows_of
from interlock.domain.ids import Digest
from interlock.domain.policy import Decision
from interlock.domain.record import plain


def view_of(action: Action, contract: Contract, decision: Decision) -> dict[str, JsonValue]:
    """The action as a reviewer sees it: what, with which arguments, for whom, why they are asked, what it will change where its
    contract says so, how it is undone."""
    view: dict[str, JsonValue] = {
        "action": action.contract,
        "version": contract.version,
        "description": contract.description,
        "risk": contract.risk,
        "effect": contract.effect,
        "arguments": action.arguments,
        "facts": action.facts,
        "agent": action.agent,
        "release": action.release,
        "initiator": action.initiator,
        "justification": action.justification,
        "because": list(decision.because),
        "reasons": list(decision.reasons),
        "undo": _undo(contract),
    }
    if contract.changes:
        view["changes"] = plain(rows_of(contract, action.arguments, action.facts))
    return view


def view_digest(view: dict[str, JsonValue], nonce: str) -> Digest:
    """What an entry says of a view. With the action's nonce: alone it could be guessed back to the arguments."""
    return Digest(digest({"nonce": nonce, "view": view}))


def _undo(contract: Contract) -> JsonValue:
    match contract.reversal:
        case Reversal(contract=name, within_ms=within):
            return {"contract": name, "withinMs": within}
        case NoReversal(why=why):
            return {"none": why}
        case None:
            return None
