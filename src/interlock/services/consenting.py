"""People's words on what was proposed: agreed to, taken back, and with the last word needed brought into force.

Every step is one commit: a word with its fact; the swap of the control record with the publication, the budgets and their
facts. A crash between two of them leaves a proposal that is open, and nothing of it in force. The swap holds only if the
control record is the one that was looked at.
"""

from typing import Literal

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change, given
from interlock.domain.control import Control
from interlock.domain.edition import relearned
from interlock.domain.errors import Conflict, IllegalMove, NotAllowed, NotFound, StaleView
from interlock.domain.evidence import Fact
from interlock.domain.ids import Person, PublicationId
from interlock.domain.people import roles_of
from interlock.domain.publication import Publication, publication_fact
from interlock.domain.publishing import Consent, Missing, missing
from interlock.domain.recording import control_fact
from interlock.ports.clock import Clock
from interlock.ports.policies import Policies
from interlock.ports.store import Store
from interlock.services.editions import Editions
from interlock.services.orders import StandingOrders
from interlock.services.saving import beside_it, save

MOST = 1_000
"""How many publications are looked through, newest first."""
DIFFERENT = "what is in force changed since it was proposed; it must be proposed again"


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may say of a publication: for each of the two why not, empty where they may."""

    accept: str
    withdraw: str


class Consenting:
    """The publications there are, and what people say to them."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, editions: Editions, policies: Policies, clock: Clock
    ) -> None:
        self._store = store
        self._orders = orders
        self._editions = editions
        self._policies = policies
        self._clock = clock

    async def accept(
        self, publication: PublicationId, person: Person, *, note: str = "", author: bool = True
    ) -> Publication:
        """Count `person`'s yes. With the last one needed it is in force, in every process, when this returns. Of who is no
        `author`, who may publish, it counts only where they are asked as an owner.

        Raises NotFound, IllegalMove when it is open no more, NotAllowed when the person is unknown, not asked, or has agreed
        already, and StaleView when what is in force is not what it was proposed against: it is superseded then.
        """
        while True:
            found = await self._open(publication)
            control = (await self._orders.refresh()).control
            if (await self._editions.in_force(control)).digest != found.base:
                with beside_it():
                    ended = await self._end(found, "superseded", person, control)
                if ended is not None:
                    raise StaleView(DIFFERENT, next_step="look at what differs now: `interlock apply --as NAME`")
                continue
            word = self._word(found, person, control, note, author=author)
            after = msgspec.structs.replace(found, consents=(*found.consents, word))
            try:
                if missing(control.publishing, after.owners, after.consents):
                    fact = publication_fact(after, "accepted", person, self._clock.now(), control)
                    await save(self._store, Change(puts=(after,), given=(given(control),), facts=(fact,)))
                    return after.saved()
                return await self._swap(after, person, control)
            except Conflict:
                continue

    async def withdraw(self, publication: PublicationId, person: Person, *, author: bool = True) -> Publication:
        """Nobody shall agree to it any more. Whoever proposed it may, and whoever could accept it, as an `author` or not.

        Raises as `accept` does.
        """
        while True:
            found = await self._open(publication)
            control = (await self._orders.refresh()).control
            self._may_withdraw(found, person, control, author=author)
            ended = await self._end(found, "withdrawn", person, control)
            if ended is not None:
                return ended

    async def publications(self) -> list[Publication]:
        """Every publication, newest first, whatever became of it."""
        return await self._store.all(Publication, limit=MOST)

    async def get(self, publication: PublicationId) -> Publication:
        """One of them. Raises NotFound."""
        found = await self._store.get(Publication, publication)
        if found is None:
            raise NotFound(
                f"there is no publication `{publication}`", next_step="list them: `interlock policy pending --all`"
            )
        return found

    async def waits_for(self, publication: Publication) -> Missing:
        """Whose word is still needed."""
        control = (await self._orders.refresh()).control
        return missing(control.publishing, publication.owners, publication.consents)

    async def voice(self, publication: Publication, person: Person, *, author: bool) -> Voice:
        """What `person` may say of it now, which is decided once more when it is said."""
        if publication.state != "open":
            closed = f"it is {publication.state}"
            return Voice(accept=closed, withdraw=closed)
        control = (await self._orders.refresh()).control
        accept = withdraw = ""
        try:
            self._word(publication, person, control, "", author=author)
        except NotAllowed as error:
            accept = error.detail
        try:
            self._may_withdraw(publication, person, control, author=author)
        except NotAllowed as error:
            withdraw = error.detail
        return Voice(accept=accept, withdraw=withdraw)

    async def superseded(self, control: Control, published: Publication | None) -> tuple[list[Publication], list[Fact]]:
        """Every other publication that is open, ended: what it was proposed against is in force no more."""
        now = self._clock.now()
        ended = [
            msgspec.structs.replace(each, state="superseded", ended_at=now)
            for each in await self.publications()
            if each.state == "open" and (published is None or each.id != published.id)
        ]
        by = f"publication:{published.id}" if published is not None else "apply"
        return ended, [publication_fact(each, "superseded", by, now, control) for each in ended]

    # -- parts -------------------------------------------------------------------------------------------------

    async def _swap(self, agreed: Publication, person: Person, control: Control) -> Publication:
        """Put it in force. Raises Conflict where anybody was faster, PolicyError where its policies cannot be loaded."""
        edition, now = agreed.edition, self._clock.now()
        self._policies.load(await self._editions.bundle(edition.bundle), edition.engine)
        after = msgspec.structs.replace(agreed, state="published", ended_at=now)
        enacted = edition.enacted(control)
        limits = await self._editions.limits(edition)
        others, said = await self.superseded(control, after)
        body: dict[str, JsonValue] = {
            "releases": dict[str, JsonValue](await self._editions.labels(edition)),
            "publication": after.id,
        }
        body |= relearned(control, edition)
        # The publication first: once published it never changes again, so that a store that is not sure can be asked.
        change = Change(
            puts=(after, enacted, *limits, *others),
            facts=(
                publication_fact(after, "published", person, now, control),
                control_fact(enacted, "applied", body, person, now),
                *said,
            ),
        )
        await save(self._store, change)
        await self._orders.refresh()
        return after.saved()

    async def _open(self, publication: PublicationId) -> Publication:
        found = await self.get(publication)
        if found.state != "open":
            next_step = "what waits for somebody's word: `interlock policy pending`"
            raise IllegalMove(f"the publication is {found.state}", state=found.state, next_step=next_step)
        return found

    async def _end(
        self, found: Publication, how: Literal["withdrawn", "superseded"], person: Person, control: Control
    ) -> Publication | None:
        """End it without publishing; None where somebody was faster."""
        now = self._clock.now()
        after = msgspec.structs.replace(found, state=how, ended_at=now)
        fact = publication_fact(after, how, person, now, control)
        try:
            await save(self._store, Change(puts=(after,), facts=(fact,)))
        except Conflict:
            return None
        return after.saved()

    def _word(self, found: Publication, person: Person, control: Control, note: str, *, author: bool) -> Consent:
        if found.agreed(person):
            proposed = person == found.proposed_by
            raise NotAllowed(
                f"`{person}` {'proposed this' if proposed else 'has agreed already'}; it takes somebody else",
                next_step=f"it waits for {missing(control.publishing, found.owners, found.consents).words}",
            )
        return self._may_speak(found, person, control, found.consents, note, author=author)

    def _may_withdraw(self, found: Publication, person: Person, control: Control, *, author: bool) -> None:
        if person != found.proposed_by:
            self._may_speak(found, person, control, author=author)

    def _may_speak(
        self,
        found: Publication,
        person: Person,
        control: Control,
        beside: tuple[Consent, ...] = (),
        note: str = "",
        *,
        author: bool,
    ) -> Consent:
        """`person`'s word. Raises NotAllowed where it would not count beside those of `beside`."""
        roles = tuple(sorted(roles_of(person, control)))
        word = Consent(person=person, roles=roles, consented_at=self._clock.now(), note=note)
        rule = control.publishing
        before, after = (missing(rule, found.owners, said) for said in (beside, (*beside, word)))
        if before == after or (not author and before.owners == after.owners):
            raise NotAllowed(
                f"`{person}` is not asked here",
                next_step=f"it waits for {missing(rule, found.owners, found.consents).words}",
            )
        return word
