"""What somebody who searches actions gives, as a question to the index: each word by the field it was given in."""

from collections.abc import Sequence
from typing import get_args

from interlock.domain.action import State
from interlock.domain.baseline import UNUSUAL
from interlock.domain.card import Question, Word
from interlock.domain.errors import ContractError
from interlock.domain.ids import ActionId
from interlock.domain.names import instead

STATES: tuple[State, ...] = get_args(State)


def question(
    *,
    agent: str = "",
    contract: str = "",
    policy: str = "",
    approver: str = "",
    initiator: str = "",
    touching: Sequence[str] = (),
    task: str = "",
    release: str = "",
    unusual: str = "",
    states: Sequence[str] = (),
    since_at: int | None = None,
    until_at: int | None = None,
    before: ActionId | None = None,
    limit: int = 50,
) -> Question:
    """Everything that is given must fit. `unusual` is `any`, or what an action can be unusual in; `initiator` without a kind
    is a `user:`; a record is `kind:id`. Raises ContractError for a state that there is not, for a record without a kind, and
    for what nothing is unusual in."""
    if unusual not in ("", "any", *UNUSUAL):
        raise ContractError(f"nothing is unusual in `{unusual}`", next_step=instead(unusual, ("any", *UNUSUAL), ""))
    for each in states:
        if each not in STATES:
            raise ContractError(f"there is no state `{each}`", next_step=instead(each, STATES, ""))
    for each in touching:
        if not all(each.partition(":")):
            raise ContractError(f"`{each}` names no record", next_step="write kind and id: `order:A-17`")
    words = {
        Word("agent", agent),
        Word("contract", contract),
        Word("policy", policy),
        Word("approver", approver),
        Word("initiator", initiator if ":" in initiator or not initiator else f"user:{initiator}"),
        Word("task", task),
        Word("release", release),
        Word("unusual", unusual),
        *(Word("touching", each) for each in touching),
    }
    return Question(
        words=tuple(sorted(each for each in words if each.text)),
        states=tuple(states),
        since_at=since_at,
        until_at=until_at,
        before=before,
        limit=limit,
    )
