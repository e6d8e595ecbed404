"""Asking the evidence: which actions, by whom, under which policy, agreed by whom, about which record."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

from interlock.bootstrap.auditing import IndexDamaged, discard_index, has_index, index_of
from interlock.bootstrap.connecting import looking
from interlock.domain.action import State
from interlock.domain.baseline import UNUSUAL
from interlock.domain.card import Question, Word
from interlock.domain.errors import ContractError
from interlock.domain.names import instead
from interlock.services.following import Progress
from interlock.services.searching import Found, Searching

STATES: tuple[str, ...] = get_args(State)


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
        limit=limit,
    )


async def found(folder: Path, wanted: Question, progress: Progress | None = None) -> Found:
    """The actions that are meant, newest first. The index is brought up to the log's head before. Raises InterlockError."""
    try:
        async with searching(folder) as searches:
            return await searches.find(wanted, progress)
    except IndexDamaged:
        # It is no evidence: thrown away, and made again from the log, once.
        discard_index(folder)
        async with searching(folder) as searches:
            return await searches.find(wanted, progress)


async def followed(folder: Path) -> None:
    """Bring the index up to the log's head if there is one: what was erased is forgotten in it. Raises InterlockError."""
    if has_index(folder):
        async with searching(folder) as searches:
            await searches.catch_up()


@asynccontextmanager
async def searching(folder: Path) -> AsyncGenerator[Searching]:
    """The index of the workspace in `folder`, for as long as something is asked of it."""
    plane = looking(folder)
    try:
        index = index_of(folder)
        try:
            yield Searching(store=plane.means.store, log=plane.means.log, index=index)
        finally:
            await index.close()
    finally:
        await plane.means.store.close()
