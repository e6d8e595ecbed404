"""Policies in shadow: what they would have done, and what becomes of them."""

from pathlib import Path
from typing import Literal

import msgspec

from interlock.bootstrap.tending import candidate, explainer
from interlock.domain.errors import NotFound, StoreError
from interlock.services.candidates import Candidate, Candidates
from interlock.workbench.planes import reading


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that ended in the policy's file. Publishing that is the next step."""

    policy: str
    done: Literal["promoted", "dropped"]
    file: str
    line: int
    figures: Candidate | None
    """None where the policy was not in force, so that nothing was decided beside it."""
    changed_since: bool
    """The file said something else than what the figures are about."""


async def figures(folder: Path, *, since_ms: int | None = None) -> tuple[Candidate, ...]:
    """Policies in shadow that are in force, and what was decided beside each in the last `since_ms`. Raises InterlockError."""
    async with reading(folder) as plane:
        means = plane.means
        counted = Candidates(
            store=means.store, orders=plane.orders, policies=means.policies, explainer=explainer(), tenant=means.tenant
        )
        return await counted.figures(since_at=0 if since_ms is None else means.clock.now() - since_ms)


async def ended(
    folder: Path, policy: str, done: Literal["promoted", "dropped"], *, since_ms: int | None = None
) -> Ended:
    """Take a policy out of shadow in its file, or out of its file with its comments; no other byte changes.

    Raises NotFound where no file has it, IllegalMove where it is not in shadow, WorkspaceError.
    """
    found = candidate(folder, policy)
    counted = await _known(folder, policy, since_ms)
    if done == "promoted":
        found.promote()
    else:
        found.drop()
    return Ended(
        policy=policy,
        done=done,
        file=found.name,
        line=found.found.line,
        figures=counted,
        changed_since=counted is not None and counted.text != found.text,
    )


async def _known(folder: Path, policy: str, since_ms: int | None) -> Candidate | None:
    try:
        found = await figures(folder, since_ms=since_ms)
    except (NotFound, StoreError):
        return None
    return next((each for each in found if each.policy == policy), None)
