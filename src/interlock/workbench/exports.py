"""Exports of the evidence, and the stand-alone verifier called from here: it is the same file that goes along."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

import interlock_verify as alone
from interlock.bootstrap.auditing import enclosed, gate_of, parcel, receipts_of
from interlock.bootstrap.connecting import public_keys
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.export import Exported, Wish
from interlock.domain.ids import ActionId
from interlock.services.exporting import Progress, export
from interlock.services.verifying import must_not_be_behind
from interlock.workbench.finding import find_action, must_be_there
from interlock.workbench.planes import reading


async def exported(
    folder: Path, place: Path, wish: Wish, *, actions: Sequence[str] = (), progress: Progress | None = None
) -> Exported:
    """Write what `wish` asks for of the workspace's evidence to `place`: a folder, or a zip file. `actions` are ids, or
    the ends of them. Raises InterlockError, IntegrityError where the store is older than its vault."""
    keys, gate = public_keys(folder), gate_of(folder)

    async with reading(folder) as plane:
        await must_not_be_behind(plane.means.store)
        await must_be_there(plane, wish.selection.agent)
        if actions:
            found = frozenset([ActionId((await find_action(plane, each)).id) for each in actions])
            chosen = msgspec.structs.replace(wish.selection, actions=wish.selection.actions | found)
            wish = msgspec.structs.replace(wish, selection=chosen)
        now = plane.means.clock.now()
        with parcel(place) as made:
            return await export(
                plane.means.log,
                made,
                wish,
                keys=keys,
                gate=gate,
                enclosed=enclosed(folder),
                place=str(place),
                now=now,
                receipts=receipts_of(folder) if wish.receipts else None,
                progress=progress,
            )


class BroughtError(ContractError):
    """What was brought to check an export with is not what it must be: nothing is said about the export."""

    next = "look at what was given with `--key`, `--policy`, `--retained` and `--max-age`"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the stand-alone verifier said of an export."""

    verdict: str
    """`verified`, `failed`, `unvouched` (it agrees with itself, and nobody vouched for its keys), or `suspect` (a key that
    signed was declared lost)."""
    findings: tuple[tuple[str, str], ...]
    """Place and problem of each thing wrong."""
    warnings: tuple[str, ...]
    report: alone.Report


def verified(
    place: Path,
    *,
    keys: Sequence[str],
    policy: Path | None = None,
    retained: Sequence[Path] = (),
    max_age_ms: int | None = None,
    skew_ms: int = alone.SKEW_MS,
    accept_suspect: bool = False,
    before: Sequence[str] = (),
    progress: Progress | None = None,
) -> Verdict:
    """Have the stand-alone verifier check an export. Raises ContractError and NotFound where it cannot be read, and
    BroughtError where the keys, policy or checkpoints brought along are not what they must be."""
    try:
        options = alone.options_from(
            keys,
            policy,
            retained,
            max_age_ms,
            skew_ms,
            time.time_ns() // 1_000_000,
            accept_suspect=accept_suspect,
            before=before,
            progress=progress,
        )
        report = alone.verify_export(place, options)
    except alone.Refused as refused:
        if refused.code in alone.USAGE:
            raise BroughtError(refused.detail, next_step=BroughtError.next) from None
        kind = NotFound if refused.code == "missing" else ContractError
        raise kind(refused.detail, next_step="name a folder or file that `interlock audit export` wrote") from None
    return Verdict(
        verdict=report.verdict, findings=tuple(report.findings), warnings=tuple(report.warnings), report=report
    )
