"""For who audits: places to export to, the stand-alone verifier that goes along, and the index over the log."""

import os
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from interlock.adapters.keys import KeyFolder
from interlock.adapters.parcel import parcel_at
from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.adapters.sqlite.rollups import SqliteRollups
from interlock.bootstrap.site import settled
from interlock.domain.errors import ContractError, IntegrityError, KeyFileError
from interlock.ports.index import Index
from interlock.ports.parcel import Parcel
from interlock.ports.receipts import Receipts
from interlock.ports.rollups import Rollups
from interlock.ports.signer import Signer
from interlock.services.exporting import Enclosed

__all__ = [
    "enclosed",
    "gate_of",
    "has_figures",
    "has_index",
    "index_of",
    "parcel",
    "receipts_of",
    "rollups_of",
]

VERIFIER = "interlock_verify"


def parcel(place: Path) -> AbstractContextManager[Parcel]:
    """What is to appear at `place`, a folder or a zip file. Raises ContractError where something is there."""
    return parcel_at(place)


def enclosed(folder: Path) -> Enclosed:
    """What goes along with every export of the workspace in `folder`. Raises WorkspaceError, and IntegrityError where the
    installation lacks the verifier."""
    spec = find_spec(VERIFIER)
    if spec is None or spec.origin is None:
        raise IntegrityError("the stand-alone verifier is not installed", next_step="install Interlock again")
    policy = settled(folder).settings.anchorage.policy
    return Enclosed(
        verifier=Path(spec.origin).read_bytes(),
        version=version("interlock"),
        policy=policy.encode().decode() if policy.witnesses else "",
    )


def gate_of(folder: Path) -> Signer:
    """The gate's key of the workspace in `folder`, which signs each export as a whole. Raises WorkspaceError, and KeyFileError
    where no private key is: there is no export that nobody signed."""
    try:
        return KeyFolder(settled(folder).settings.keys).load().gate
    except KeyFileError as error:
        raise KeyFileError(
            f"an export is signed with the gate's private key: {error.detail}",
            next_step="export where the keys are; whoever has the public ones alone can verify, and publish the log",
        ) from None


def receipts_of(folder: Path) -> Receipts:
    """What signs receipts with the log's key of the workspace in `folder`. Raises ContractError where the extra is not
    installed, WorkspaceError and KeyFileError."""
    try:
        made = import_module("interlock.adapters.cose")
    except ModuleNotFoundError as error:
        raise ContractError(
            f"receipts need `{error.name}`, which is not installed", next_step="install `interlock[receipts]`"
        ) from None
    receipts: Receipts = made.CoseReceipts(KeyFolder(settled(folder).settings.keys).load().log)
    return receipts


def index_of(store: Path | None) -> Index:
    """The index beside `store`. Where nothing can be written, and beside no store, it lives in memory and is made anew each
    time. Raises StoreError."""
    return AuditIndex.open(_writable(store, ".audit"))


def rollups_of(store: Path | None) -> Rollups:
    """The sums beside `store`; in memory as the index is. Raises StoreError."""
    return SqliteRollups.open(_writable(store, ".figures"))


def has_index(folder: Path) -> bool:
    """Whether somebody has searched before, so that there is an index. Raises WorkspaceError."""
    return _beside(settled(folder).settings.store, ".audit").exists()


def has_figures(folder: Path) -> bool:
    """Whether somebody has asked for figures before. Raises WorkspaceError."""
    return _beside(settled(folder).settings.store, ".figures").exists()


def _writable(store: Path | None, ending: str) -> Path | None:
    return None if store is None or not os.access(store.parent, os.W_OK) else _beside(store, ending)


def _beside(store: Path, ending: str) -> Path:
    return store.with_name(f"{store.name}{ending}")
