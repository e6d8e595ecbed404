"""Rights tried before they are in force: which of the actions that were decided they would have refused.

Recorded decisions are read page by page, so memory does not grow with their number.
"""

from typing import Final

import anyio.lowlevel
import msgspec

from interlock.domain.ids import ActionId, ContractName
from interlock.domain.initiator import USER
from interlock.domain.rights import EVERY, Lending
from interlock.domain.whatif import Decided
from interlock.ports.store import Store

PAGE: Final = 500


class Beyond(msgspec.Struct, frozen=True, kw_only=True):
    """What would have been refused alike: of those whose rights are the same, with one contract, for one reason."""

    who: str
    """Whose rights count, as the file names them; of those whom it does not name the kind: `customer:*`."""
    named: bool
    contract: ContractName
    why: str
    count: int
    example: ActionId
    """The newest."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Rights, held against what was decided."""

    asked: int
    unread: int
    """So many more whose initiator and arguments are erased, or sealed."""
    refused: tuple[Beyond, ...]
    """The most frequent first."""


async def held_against(store: Store, lending: Lending, *, since_at: int = 0) -> Held:
    """What of the decisions since `since_at` initiators could not have lent by `lending`. Undos take nobody's right."""
    asked = unread = 0
    found: dict[tuple[str, bool, ContractName, str], tuple[int, ActionId]] = {}
    before: ActionId | None = None
    while True:
        page = await store.decided(since_at=since_at, before=before, limit=PAGE)
        for action in page:
            if action.undoes is not None:
                continue
            if action.withheld:
                unread += 1
                continue
            asked += 1
            why = lending.of(action.initiator).admits(action.contract, action.arguments)
            if why is not None:
                key = (*_whose(lending, action), action.contract, why)
                count, newest = found.get(key, (0, action.id))
                found[key] = (count + 1, newest)
        if len(page) < PAGE:
            break
        before = page[-1].id
        await anyio.lowlevel.checkpoint()
    groups = sorted(found.items(), key=lambda each: (-each[1][0], each[0]))
    return Held(
        asked=asked,
        unread=unread,
        refused=tuple(
            Beyond(who=who, named=named, contract=contract, why=why, count=count, example=newest)
            for (who, named, contract, why), (count, newest) in groups
        ),
    )


def _whose(lending: Lending, action: Decided) -> tuple[str, bool]:
    counting = lending.counting(action.initiator)
    if counting:
        return ", ".join(counting), True
    kind = action.initiator.partition(":")[0] if ":" in action.initiator else USER
    return f"{kind}:{EVERY}", False
