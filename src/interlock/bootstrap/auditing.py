"""For who audits: places to export to, and the stand-alone verifier that goes along."""

from contextlib import AbstractContextManager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from interlock.adapters.parcel import parcel_at
from interlock.domain.errors import IntegrityError
from interlock.ports.parcel import Parcel
from interlock.services.exporting import Enclosed

VERIFIER = "interlock_verify"


def parcel(place: Path) -> AbstractContextManager[Parcel]:
    """What is to appear at `place`, a folder or a zip file. Raises ContractError where something is there."""
    return parcel_at(place)


def enclosed() -> Enclosed:
    """What goes along with every export. Raises IntegrityError where the installation lacks the verifier."""
    spec = find_spec(VERIFIER)
    if spec is None or spec.origin is None:
        raise IntegrityError("the stand-alone verifier is not installed", next_step="install Interlock again")
    return Enclosed(verifier=Path(spec.origin).read_bytes(), version=version("interlock"))
