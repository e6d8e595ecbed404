"""What other policies would have decided of what was done, and what they would of anything there could be."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from interlock.bootstrap.tending import proving
from interlock.domain.duration import DAY
from interlock.domain.proof import Kept, Proof
from interlock.domain.whatif import Comparison, Consent, consents
from interlock.services.proving import TIMEOUT_MS, grave
from interlock.workbench.sides import FILES, IN_FORCE, Side, plane_for, side, text_of

LONGEST_MS = 100_000 * DAY


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Two sets of policies beside each other."""

    old: Side
    new: Side
    decisions: Comparison
    searches: tuple[Proof, ...] | None
    """What was found among all requests; None where nobody asked for it."""
    consents: tuple[Consent, ...]

    @property
    def loosened(self) -> bool:
        """Whether anything is treated more loosely, or may be for all that is known."""
        searched = any(each.answer != "none" for each in self.searches or ())
        return self.decisions.count("loosened") > 0 or searched


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """What became of invariants."""

    about: Side
    invariants: tuple[Kept, ...]


async def compared(
    folder: Path,
    old: str = IN_FORCE,
    new: str = FILES,
    *,
    since_ms: int,
    limit: int | None = None,
    proofs: bool = False,
    timeout_ms: int = TIMEOUT_MS,
) -> Compared:
    """The recorded decisions of the last `since_ms`, the newest `limit`, asked again under both; with `proofs` every
    request there could be. Changes nothing. Raises InterlockError; EffectorError where `proofs` finds no solver."""
    async with plane_for(folder, old, new) as plane:
        was, now = await side(folder, plane, old), await side(folder, plane, new)
        at = max(plane.means.clock.now() - min(since_ms, LONGEST_MS), 0)
        contracts = tuple(now.contracts.values())
        found = await plane.whatif.replay(was.bundle, now.bundle, contracts, since_at=at, limit=limit)
        tenant = plane.means.tenant
    searched: tuple[Proof, ...] = ()
    if proofs:
        prover = proving(tenant)
        searches = prover.loosenings(
            was.bundle, now.bundle, contracts, now.agents, timeout_ms=timeout_ms, capabilities=now.capabilities
        )
        searched = tuple(searches)
    needed = consents((*found.loosenings, *grave(searched, now.contracts, was.contracts)))
    return Compared(old=was, new=now, decisions=found, searches=searched if proofs else None, consents=tuple(needed))


def written_in(path: Path) -> dict[str, str]:
    """The invariants of a file. Raises NotFound where it cannot be read."""
    return {
        path.name: text_of(
            path, "write it, or name another file: `interlock policy prove FILE`; a program may give the text itself"
        )
    }


async def proved(
    folder: Path, invariants: Mapping[str, str], about: str = FILES, *, timeout_ms: int = TIMEOUT_MS
) -> Proved:
    """Whether each of `invariants` (texts by file name) holds of every request there could be. Raises InterlockError."""
    async with plane_for(folder, about) as plane:
        meant = await side(folder, plane, about)
        tenant = plane.means.tenant
    contracts = tuple(meant.contracts.values())
    found = proving(tenant).invariants(
        invariants,
        meant.bundle,
        contracts,
        meant.agents,
        timeout_ms=timeout_ms,
        capabilities=meant.capabilities,
    )
    return Proved(about=meant, invariants=tuple(found))
