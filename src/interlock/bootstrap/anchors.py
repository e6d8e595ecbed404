"""A workspace's way to its witnesses, and whom its log is verified with: made of what interlock.yaml says."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from interlock.adapters.cosigners import can_check, check_cosigner
from interlock.adapters.memory import MemoryStore
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.system import SystemClock
from interlock.adapters.workspace.anchors_file import Anchorage
from interlock.bootstrap.site import settled
from interlock.domain.anchoring import SKEW_MS, Trust
from interlock.domain.cosignature import MLDSA44, CosignerKey, parse_cosigner
from interlock.domain.errors import ContractError, EffectorError
from interlock.domain.note import NoteError
from interlock.domain.quorum import NONE, PolicyFileError, TrustPolicy, Witness, parse_policy
from interlock.ports.cosigning import Stamper
from interlock.services.anchoring import Anchoring


def anchoring(anchorage: Anchorage, store: MemoryStore | SqliteStore) -> Anchoring | None:
    """The way to the witnesses that `anchorage` names, or None where it names nobody."""
    if not anchorage.wanted:
        return None
    return Anchoring(
        store=store,
        log=store,
        policy=anchorage.policy,
        witnesses=_LaterWitnesses(),
        stamper=_LaterStamper(anchorage) if anchorage.stamp_url else None,
        check=check_cosigner,
        clock=SystemClock(),
        every_ms=anchorage.every_ms,
    )


def trusted(
    folder: Path,
    *,
    policy: Path | None = None,
    certificates: Path | None = None,
    second: Path | None = None,
    max_age_ms: int | None = None,
    skew_ms: int = SKEW_MS,
) -> Trust | None:
    """Whom a verification of the workspace's log trusts: a policy file and certificates where they are given, which a log must
    then satisfy; else what its own interlock.yaml says, which is reported. None where nobody is named.

    Raises ContractError for a file that is no policy, WitnessError for what holds no certificates, and EffectorError where a
    signature that would count cannot be checked here.
    """
    own = settled(folder).settings.anchorage
    asked = policy is not None or certificates is not None or max_age_ms is not None
    rule = own.policy if policy is None else policy_in(policy)
    pem = certificates or own.stamp_certificates
    if not all(can_check(each.kind) for each in rule.keys):
        raise lacking_mldsa()
    if not asked and not own.wanted and second is None:
        return None
    return Trust(
        policy=None if rule.quorum == NONE else rule,
        check=check_cosigner,
        check_stamp=None if pem is None else _stamping("", pem).check,
        skew_ms=skew_ms,
        now=SystemClock().now(),
        max_age_ms=max_age_ms,
        demanded=asked,
        second=None if second is None else _second(second),
    )


def policy_in(path: Path) -> TrustPolicy:
    """The trust policy in a file (C2SP tlog-policy). Raises ContractError."""
    try:
        return parse_policy(path.read_bytes())
    except (OSError, PolicyFileError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise ContractError(
            f"`{path}` is no trust policy: {said}", next_step="write it as https://c2sp.org/tlog-policy has it"
        ) from None


def _second(path: Path) -> CosignerKey:
    if can_check(MLDSA44):
        try:
            return parse_cosigner(path.read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError, NoteError) as error:
            raise ContractError(
                f"`{path}` is not a log's second public key: {error}", next_step="name its `second.pub`"
            ) from None
    raise lacking_mldsa()


def lacking_mldsa() -> EffectorError:
    """What is said where the second algorithm is wanted and not installed."""
    return EffectorError("ML-DSA-44 is not installed", next_step="install it: `pip install 'interlock[pq]'`")


def _stamping(url: str, certificates: Path) -> Stamper:
    try:
        made: Callable[[str, Path], Stamper] = import_module("interlock.adapters.stamping").TimeStamping
    except ImportError:
        raise EffectorError(
            "time stamps are not installed", next_step="install them: `pip install 'interlock[timestamps]'`"
        ) from None
    return made(url, certificates)


class _LaterWitnesses:
    """`HttpWitnesses`, made when somebody anchors."""

    async def ask(self, witness: Witness, request: bytes) -> tuple[int, bytes]:
        """See `Witnesses.ask`."""
        door: Any = import_module("interlock.adapters.cosigning").HttpWitnesses()
        answer: tuple[int, bytes] = await door.ask(witness, request)
        return answer


class _LaterStamper:
    """`TimeStamping`, made when somebody anchors."""

    def __init__(self, anchorage: Anchorage) -> None:
        self._anchorage = anchorage

    async def stamp(self, data: bytes) -> bytes:
        """See `Stamper.stamp`."""
        return await self._made().stamp(data)

    def check(self, token: bytes, data: bytes) -> int:
        """See `Stamper.check`."""
        return self._made().check(token, data)

    def _made(self) -> Stamper:
        return _stamping(self._anchorage.stamp_url, self._anchorage.stamp_certificates or Path())
