"""Bringing another edition into force, with as many people as the rule in force asks for.

Every step is one commit: a proposal with all its versions and its fact; a word with its fact; the swap of the control
record with the publication, the budgets and their facts. A crash between two of them leaves a proposal that is open, and
nothing of it in force. The swap holds only if the control record is the one that was looked at.
"""

from typing import Literal

import msgspec

from interlock.domain.answering import gone, raised
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change, given
from interlock.domain.control import Control
from interlock.domain.edition import Edition
from interlock.domain.errors import Conflict, IllegalMove, NotAllowed, NotFound, StaleView, WorkspaceError
from interlock.domain.evidence import Fact
from interlock.domain.ids import ContractName, Person, PublicationId
from interlock.domain.names import listed
from interlock.domain.ownership import Side, loosened, owners_of
from interlock.domain.people import roles_of
from interlock.domain.publication import Publication, differences, publication_fact
from interlock.domain.publishing import Consent, Missing, missing
from interlock.domain.record import Record
from interlock.domain.recording import control_fact
from interlock.ports.clock import Clock, Ids
from interlock.ports.policies import Policies
from interlock.ports.store import Store
from interlock.services.editions import Definition, Editions, Formed, texts_of
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

MOST = 1_000
"""How many publications are looked through, newest first."""
DIFFERENT = "what is in force changed since it was proposed; it must be proposed again"


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What an apply brought into force, or proposed."""

    bundle: str
    releases: dict[str, str]
    """Label by agent."""
    changed: bool
    """False when nothing else came into force."""
    publication: PublicationId | None = None
    """Where the rule in force asks for somebody else's word: what waits for it."""
    waits_for: str = ""
    """Whose, in words."""
    proposed_before: str = ""
    """Where this very change was proposed already: by whom. Whoever proposes it again adds nothing, and no reason."""


class Publisher:
    """The only way in which an edition comes into force."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        editions: Editions,
        policies: Policies,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._store = store
        self._orders = orders
        self._editions = editions
        self._policies = policies
        self._clock = clock
        self._ids = ids

    async def publish(self, definition: Definition, *, by: str, why: str = "", alone: bool = False) -> Applied:
        """Put `definition` in force, or where that takes more than the word of `by`, propose it.

        Proposing what is proposed already gives that publication. With `alone` nothing is proposed. Raises PolicyError,
        ContractError or WorkspaceError for what is wrong with it, NotAllowed where it takes more than `by` alone, or where
        somebody unknown proposes; everything in force is then as it was.
        """
        formed = self._editions.formed(definition)
        labels = {str(each.agent): each.label for each in formed.releases}
        while True:
            control = (await self._orders.refresh()).control
            current = await self._editions.in_force(control)
            limits = await self._editions.limits(formed.edition)
            after = formed.edition.enacted(control)
            if after == control and not limits:
                return Applied(bundle=formed.bundle.digest, releases=labels, changed=False)
            await self._answered_for(control, formed)
            owners, left = await self._asked(control, current, formed, by)
            if left and alone:
                raise NotAllowed(
                    f"what is in force is changed by more than one person here: this takes {left.words}",
                    next_step="propose it: `interlock apply --as NAME`",
                )
            if left:
                try:
                    return await self._propose(control, current, formed, owners, by, why)
                except Conflict:
                    continue
            ended = await self._others(control, None)
            puts = (after, *await self._editions.fresh(formed), *limits, *ended[0])
            body: dict[str, JsonValue] = {"releases": dict[str, JsonValue](labels)}
            fact = control_fact(after, "applied", body, by, self._clock.now())
            fact = msgspec.structs.replace(fact, private={**fact.private, "why": why} if why else fact.private)
            try:
                await save(self._store, Change(puts=puts, facts=(fact, *ended[1])))
            except Conflict:
                continue
            await self._orders.refresh()
            return Applied(bundle=formed.bundle.digest, releases=labels, changed=True)

    async def accept(self, publication: PublicationId, person: Person, *, note: str = "") -> Publication:
        """Count `person`'s yes. With the last one needed it is in force, in every process, when this returns.

        Raises NotFound, IllegalMove when it is open no more, NotAllowed when the person is unknown, not asked, or has agreed
        already, and StaleView when what is in force is not what it was proposed against: it is superseded then.
        """
        while True:
            found = await self._open(publication)
            control = (await self._orders.refresh()).control
            if (await self._editions.in_force(control)).digest != found.base:
                if await self._end(found, "superseded", person, control):
                    raise StaleView(DIFFERENT, next_step="look at what differs now: `interlock apply --as NAME`")
                continue
            word = self._word(found, person, control, note)
            after = msgspec.structs.replace(found, consents=(*found.consents, word))
            try:
                if missing(control.publishing, after.owners, after.consents):
                    fact = publication_fact(after, "accepted", person, self._clock.now(), control)
                    await save(self._store, Change(puts=(after,), given=(given(control),), facts=(fact,)))
                    return after.saved()
                return await self._swap(after, person, control)
            except Conflict:
                continue

    async def withdraw(self, publication: PublicationId, person: Person) -> Publication:
        """Nobody shall agree to it any more. Whoever proposed it may, and whoever could accept it.

        Raises as `accept` does.
        """
        while True:
            found = await self._open(publication)
            control = (await self._orders.refresh()).control
            if person != found.proposed_by:
                self._may_speak(found, person, control)
            ended = await self._end(found, "withdrawn", person, control)
            if ended is not None:
                return ended

    async def publications(self) -> list[Publication]:
        """Newest first, whatever became of them."""
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

    # -- parts -------------------------------------------------------------------------------------------------

    async def _asked(
        self, control: Control, current: Edition, formed: Formed, by: str
    ) -> tuple[dict[ContractName, str], Missing]:
        """The owners who must agree, and whose word is missing if `by` alone has agreed. An installation in which nothing
        is in force asks nobody: there is nobody yet."""
        rule = control.publishing
        if not control.bundle or (rule.anybody and not rule.owners):
            return {}, Missing(persons=0, roles=(), owners={})
        owners: dict[ContractName, str] = {}
        if rule.owners:
            old, new = await self._editions.side(current), self._editions.side_of(formed)
            owners = owners_of(loosened(old, new), old, new)
        roles = tuple(sorted(control.roles(Person(by))))
        own = (Consent(person=Person(by), roles=roles, consented_at=self._clock.now()),) if roles else ()
        return owners, missing(rule, owners, own)

    async def _answered_for(self, control: Control, formed: Formed) -> None:
        """Return if every agent that would go further than it does has owners who are somebody. Raises WorkspaceError."""
        for agent in formed.agents:
            who = gone(agent.owners, formed.edition.people)
            standing = control.agents.get(agent.name) if who else None
            further = raised(await self._orders.agent(standing.agent) if standing is not None else None, agent)
            if who and further:
                raise WorkspaceError(
                    f"`{agent.name}` would go further than now ({listed(further)}), and {who}",
                    next_step=f"name them in people.yaml, or other owners in the file of `{agent.name}`; "
                    "in shadow an agent needs nobody",
                )

    async def _propose(
        self,
        control: Control,
        current: Edition,
        formed: Formed,
        owners: dict[ContractName, str],
        by: str,
        why: str,
    ) -> Applied:
        roles = roles_of(by, control)
        base, now = current.digest, self._clock.now()
        for known in await self.publications():
            if known.state == "open" and known.base == base and known.edition.digest == formed.edition.digest:
                return msgspec.structs.replace(await self._waiting(known, formed), proposed_before=known.proposed_by)
        old: Side = await self._editions.side(current)
        found = differences(texts_of(current, old), texts_of(formed.edition, self._editions.side_of(formed)))
        word = Consent(person=Person(by), roles=tuple(sorted(roles)), consented_at=now)
        publication = Publication(
            id=PublicationId(self._ids.new()),
            edition=formed.edition,
            base=base,
            replaces=current,
            proposed_by=by,
            why=why,
            proposed_at=now,
            changes=tuple(each.words for each in found),
            owners=owners,
            consents=(word,),
        )
        fact = publication_fact(publication, "proposed", by, now, control)
        puts: tuple[Record, ...] = (publication, *await self._editions.fresh(formed))
        await save(self._store, Change(puts=puts, facts=(fact,)))
        return await self._waiting(publication, formed)

    async def _waiting(self, publication: Publication, formed: Formed) -> Applied:
        return Applied(
            bundle=formed.bundle.digest,
            releases={str(each.agent): each.label for each in formed.releases},
            changed=False,
            publication=publication.id,
            waits_for=(await self.waits_for(publication)).words,
        )

    async def _swap(self, agreed: Publication, person: Person, control: Control) -> Publication:
        """Put it in force. Raises Conflict where anybody was faster, PolicyError where its policies cannot be loaded."""
        edition, now = agreed.edition, self._clock.now()
        self._policies.load(await self._editions.bundle(edition.bundle), edition.engine)
        after = msgspec.structs.replace(agreed, state="published", ended_at=now)
        enacted = edition.enacted(control)
        limits = await self._editions.limits(edition)
        others, said = await self._others(control, after)
        body: dict[str, JsonValue] = {
            "releases": dict[str, JsonValue](await self._editions.labels(edition)),
            "publication": after.id,
        }
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

    async def _others(self, control: Control, published: Publication | None) -> tuple[list[Publication], list[Fact]]:
        """Every other publication that is open, ended: what it was proposed against is in force no more."""
        now = self._clock.now()
        ended = [
            msgspec.structs.replace(each, state="superseded", ended_at=now)
            for each in await self.publications()
            if each.state == "open" and (published is None or each.id != published.id)
        ]
        by = f"publication:{published.id}" if published is not None else "apply"
        return ended, [publication_fact(each, "superseded", by, now, control) for each in ended]

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

    def _word(self, found: Publication, person: Person, control: Control, note: str) -> Consent:
        if found.agreed(person):
            proposed = person == found.proposed_by
            raise NotAllowed(
                f"`{person}` {'proposed this' if proposed else 'has agreed already'}; it takes somebody else",
                next_step=f"it waits for {missing(control.publishing, found.owners, found.consents).words}",
            )
        return self._may_speak(found, person, control, found.consents, note)

    def _may_speak(
        self, found: Publication, person: Person, control: Control, beside: tuple[Consent, ...] = (), note: str = ""
    ) -> Consent:
        """`person`'s word. Raises NotAllowed where it would not count beside those of `beside`."""
        roles = tuple(sorted(roles_of(person, control)))
        word = Consent(person=person, roles=roles, consented_at=self._clock.now(), note=note)
        rule = control.publishing
        if missing(rule, found.owners, beside) == missing(rule, found.owners, (*beside, word)):
            raise NotAllowed(
                f"`{person}` is not asked here",
                next_step=f"it waits for {missing(rule, found.owners, found.consents).words}",
            )
        return word
