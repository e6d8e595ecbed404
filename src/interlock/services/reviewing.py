"""What a publication would change, for whoever is asked to agree to it."""

import msgspec

from interlock.domain.ids import ContractName, PublicationId
from interlock.domain.ownership import loosened
from interlock.domain.publication import Difference, Publication, differences
from interlock.domain.publishing import Missing, missing
from interlock.domain.whatif import Comparison
from interlock.services.consenting import Consenting
from interlock.services.editions import Editions, texts_of
from interlock.services.orders import StandingOrders
from interlock.services.whatif import WhatIf


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A publication as whoever accepts it should see it."""

    publication: Publication
    differences: tuple[Difference, ...]
    loosened: dict[ContractName, tuple[str, ...]]
    """By contract that is irreversible or of high or critical risk: what of the change loosens it, or may."""
    whatif: Comparison | None
    """Recorded decisions under both; None where the policies are the same, where there is nothing to ask again, and where
    it is open no more."""
    missing: Missing
    stale: bool
    """What is in force is not what it was proposed against."""
    known: bool = True
    """Whether what it is held against is known: what is in force while it is open, and later what was when it was
    proposed. Where not, there are no differences to show."""


class Reviewing:
    """Holds a publication against what it changes. Changes nothing."""

    def __init__(self, *, consenting: Consenting, orders: StandingOrders, editions: Editions, whatif: WhatIf) -> None:
        self._consenting = consenting
        self._orders = orders
        self._editions = editions
        self._whatif = whatif

    async def review(self, publication: PublicationId, *, since_at: int = 0, limit: int | None = None) -> Review:
        """What it would change, held against what is in force now, with recorded decisions (since `since_at`, at most
        `limit`) asked again; of one that ended, what it changed or would have. Raises NotFound."""
        found = await self._consenting.get(publication)
        control = (await self._orders.refresh()).control
        current = await self._editions.in_force(control)
        before = current if found.state == "open" else found.replaces
        old = await self._editions.side(before) if before is not None else None
        new = await self._editions.side(found.edition)
        compared: Comparison | None = None
        if found.state == "open" and current.bundle and current.bundle != found.edition.bundle:
            compared = await self._whatif.replay(
                await self._editions.bundle(current.bundle),
                await self._editions.bundle(found.edition.bundle),
                new.contracts.values(),
                since_at=since_at,
                limit=limit,
            )
        return Review(
            publication=found,
            differences=differences(texts_of(before, old), texts_of(found.edition, new))
            if before is not None and old is not None
            else (),
            loosened=loosened(old, new) if old is not None else {},
            whatif=compared,
            missing=missing(control.publishing, found.owners, found.consents),
            stale=current.digest != found.base,
            known=old is not None,
        )
