"""What other policies would have decided of what was recorded: the bundle in force with one file as somebody would have it."""

import re
from typing import Final

import anyio.to_thread

from interlock.domain.bundle import Bundle
from interlock.domain.duration import DAY
from interlock.domain.errors import ContractError
from interlock.domain.whatif import Comparison
from interlock.services.plane import ControlPlane

REPLAYED: Final = 2_000
"""So many of the newest recorded decisions are asked again while somebody waits."""
LONGEST_FILE: Final = 200_000
MOST_DAYS: Final = 400
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.cedar")


async def supposed(plane: ControlPlane, file: str, text: str, *, days: int, limit: int) -> Comparison:
    """How the newest decisions of the last `days`, at most `limit`, would have come out with `text` as the policies of `file`;
    without a text, without that file. Nothing comes into force.

    Raises ContractError for what is no such file, NotFound where no policies are in force, PolicyError for a bundle that cannot
    be loaded.
    """
    if not _FILE.fullmatch(file):
        raise ContractError("a file of policies is called `NAME.cedar`", path="/file", next_step="name it so")
    if len(text) > LONGEST_FILE:
        raise ContractError("that is longer than a file of policies is", path="/text", next_step="give less")
    bundle = await plane.orders.bundle()
    contracts = list((await plane.orders.current()).contracts.values())
    sources = {name: each for name, each in bundle.sources.items() if name != file}
    if text.strip():
        sources[file] = text

    def formed() -> Bundle:
        return plane.means.policies.bundle(sources, contracts)

    # Compiling takes a moment, in which others are served.
    candidate = await anyio.to_thread.run_sync(formed)
    since_at = plane.means.clock.now() - max(1, min(days, MOST_DAYS)) * DAY
    return await plane.whatif.replay(bundle, candidate, contracts, since_at=since_at, limit=limit)
