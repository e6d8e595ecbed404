"""Bringing another edition into force, or where that takes more people than one, proposing it.

One commit each: the swap of the control record with the budgets and its fact, or a proposal with all its versions and its
fact. What people say to a proposal is `consenting`. The swap holds only if the control record is the one that was looked at.
"""

from collections.abc import Awaitable, Callable

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.answering import gone, raised
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.edition import Edition, relearned
from interlock.domain.errors import Conflict, NotAllowed, WorkspaceError
from interlock.domain.ids import ContractName, Person, PublicationId
from interlock.domain.names import listed
from interlock.domain.ownership import Side, loosened, owners_of
from interlock.domain.people import roles_of
from interlock.domain.publication import Publication, differences, publication_fact
from interlock.domain.publishing import Consent, Missing, missing
from interlock.domain.record import Record
from interlock.domain.recording import control_fact
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.consenting import Consenting
from interlock.services.editions import Definition, Editions, texts_of
from interlock.services.orders import StandingOrders
from interlock.services.saving import save


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


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be in force, ready to be held against what is."""

    edition: Edition
    side: Side
    fresh: tuple[Record, ...]
    """Those of the versions it names that are not stored yet."""
    labels: dict[str, str]
    """Of the release of each agent."""
    agents: tuple[Agent, ...]


Wish = Callable[[Control, Edition], Awaitable[Wanted]]
"""What is wanted, from the standing orders and the edition that they stand for."""


class Publisher:
    """The only way in which an edition comes into force."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        editions: Editions,
        consenting: Consenting,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._store = store
        self._orders = orders
        self._editions = editions
        self._consenting = consenting
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

        async def wanted(control: Control, current: Edition) -> Wanted:
            del control
            # No file says what is normal of an agent: it stays as long as the agent does.
            kept = {name: each for name, each in current.baselines.items() if name in formed.edition.agents}
            return Wanted(
                edition=msgspec.structs.replace(formed.edition, baselines=kept),
                side=msgspec.structs.replace(
                    self._editions.side_of(formed), baselines=await self._editions.baselines(kept)
                ),
                fresh=await self._editions.fresh(formed),
                labels=labels,
                agents=formed.agents,
            )

        return await self.bring(wanted, by=by, why=why, alone=alone)

    async def bring(self, wish: Wish, *, by: str, why: str = "", alone: bool = False) -> Applied:
        """The same of what is wanted in view of what is in force. Raises as `publish` does, and what `wish` does."""
        while True:
            control = (await self._orders.refresh()).control
            current = await self._editions.in_force(control)
            wanted = await wish(control, current)
            limits = await self._editions.limits(wanted.edition)
            after = wanted.edition.enacted(control)
            if after == control and not limits:
                return Applied(bundle=wanted.edition.bundle, releases=wanted.labels, changed=False)
            await self._answered_for(control, wanted)
            owners, left = await self._asked(control, current, wanted, by)
            if left and alone:
                raise NotAllowed(
                    f"what is in force is changed by more than one person here: this takes {left.words}",
                    next_step="propose it: `interlock apply --as NAME`",
                )
            if left:
                try:
                    return await self._propose(control, current, wanted, owners, by, why)
                except Conflict:
                    continue
            ended = await self._consenting.superseded(control, None)
            puts = (after, *wanted.fresh, *limits, *ended[0])
            body: dict[str, JsonValue] = {"releases": dict[str, JsonValue](wanted.labels)}
            body |= relearned(control, wanted.edition)
            fact = control_fact(after, "applied", body, by, self._clock.now())
            fact = msgspec.structs.replace(fact, private={**fact.private, "why": why} if why else fact.private)
            try:
                await save(self._store, Change(puts=puts, facts=(fact, *ended[1])))
            except Conflict:
                continue
            await self._orders.refresh()
            return Applied(bundle=wanted.edition.bundle, releases=wanted.labels, changed=True)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _asked(
        self, control: Control, current: Edition, wanted: Wanted, by: str
    ) -> tuple[dict[ContractName, str], Missing]:
        """The owners who must agree, and whose word is missing if `by` alone has agreed. An installation in which nothing
        is in force asks nobody: there is nobody yet."""
        rule = control.publishing
        if not control.bundle or (rule.anybody and not rule.owners):
            return {}, Missing(persons=0, roles=(), owners={})
        owners: dict[ContractName, str] = {}
        if rule.owners:
            old, new = await self._editions.side(current), wanted.side
            owners = owners_of(loosened(old, new), old, new)
        roles = tuple(sorted(control.roles(Person(by))))
        own = (Consent(person=Person(by), roles=roles, consented_at=self._clock.now()),) if roles else ()
        return owners, missing(rule, owners, own)

    async def _answered_for(self, control: Control, wanted: Wanted) -> None:
        """Return if every agent that would go further than it does has owners who are somebody. Raises WorkspaceError."""
        for agent in wanted.agents:
            who = gone(agent.owners, wanted.edition.people)
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
        wanted: Wanted,
        owners: dict[ContractName, str],
        by: str,
        why: str,
    ) -> Applied:
        roles = roles_of(by, control)
        base, now = current.digest, self._clock.now()
        for known in await self._consenting.publications():
            if known.state == "open" and known.base == base and known.edition.digest == wanted.edition.digest:
                return msgspec.structs.replace(await self._waiting(known, wanted), proposed_before=known.proposed_by)
        old: Side = await self._editions.side(current)
        found = differences(texts_of(current, old), texts_of(wanted.edition, wanted.side))
        word = Consent(person=Person(by), roles=tuple(sorted(roles)), consented_at=now)
        publication = Publication(
            id=PublicationId(self._ids.new()),
            edition=wanted.edition,
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
        puts: tuple[Record, ...] = (publication, *wanted.fresh)
        await save(self._store, Change(puts=puts, facts=(fact,)))
        return await self._waiting(publication, wanted)

    async def _waiting(self, publication: Publication, wanted: Wanted) -> Applied:
        return Applied(
            bundle=wanted.edition.bundle,
            releases=wanted.labels,
            changed=False,
            publication=publication.id,
            waits_for=(await self._consenting.waits_for(publication)).words,
        )
