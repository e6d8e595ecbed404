"""Both verifiers asked about one log: ours as `interlock verify` asks, the other about an export of it."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from interlock.adapters.keys import SigningKey, verify
from interlock.domain.export import Wish
from interlock.domain.note import VerifierKey
from interlock.ports.log import Log
from interlock.services.audit import Verifying
from interlock.services.exporting import Enclosed, export
from interlock.services.verifying import verify_log
from interlock_verify import Options, key_of, verify_export
from tests.audit.ledger import Bag

Found = list[tuple[str, str]]


async def both(
    log: Log, log_key: VerifierKey, gate: Sequence[VerifierKey], sealing: SigningKey, now: int, place: Path
) -> tuple[Found, Found]:
    """What each finds: place and problem. `sealing` is the key that the log says its gate has in the end."""
    bag = Bag(place)
    keys = Verifying(log_key=log_key, gate_keys=tuple(gate), verify=verify)
    enclosed = Enclosed(verifier=b"# a verifier", version="test")
    wish = Wish(disclosed=None)
    await export(log, bag, wish, keys=keys, gate=sealing, enclosed=enclosed, place=str(place), now=now)
    brought = tuple(key_of(each.vkey()) for each in (log_key, *gate))
    theirs = verify_export(place, Options(keys=brought, accept_suspect=True)).findings
    ours = (await verify_log(log, log_key, gate, verify)).verification.findings
    return [(each.place, each.problem) for each in ours], theirs


async def lies(log: Log, log_key: VerifierKey, gate: SigningKey, now: int = 0) -> Found:
    """All that either finds in a log."""
    with TemporaryDirectory() as folder:
        ours, theirs = await both(log, log_key, (gate.verifier,), gate, now, Path(folder) / "export")
    return ours + theirs
