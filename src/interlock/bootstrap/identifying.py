"""What a workspace's files say of identity: its trust domain, the key that signs credentials, how instances are recognised."""

from pathlib import Path

import msgspec

from interlock.adapters.issuing import IDENTITY
from interlock.adapters.keys import public_key
from interlock.bootstrap.site import settled
from interlock.domain.attesting import Attestation
from interlock.domain.keyring import keyid
from interlock.domain.spiffe import plane_id


class Identifying(msgspec.Struct, frozen=True, kw_only=True):
    """How instances are known here."""

    trust_domain: str
    plane: str
    """Who issues credentials, for whom proofs are made, and the audience of JWT-SVIDs."""
    key: str | None
    """By what credentials name the key they are signed with; None where none was made yet."""
    attestation: Attestation


def identifying(folder: Path) -> Identifying:
    """How they are, in the workspace in `folder`. Raises WorkspaceError and KeyFileError."""
    settings = settled(folder).settings
    public = settings.keys / f"{IDENTITY}.pub"
    return Identifying(
        trust_domain=settings.trust_domain,
        plane=plane_id(settings.trust_domain),
        key=keyid(public_key(public)) if public.exists() else None,
        attestation=settings.attestation,
    )
