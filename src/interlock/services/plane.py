"""The services as one bundle: what a surface receives."""

from collections.abc import Callable, Mapping

import msgspec

from interlock.domain.attesting import Attestation
from interlock.domain.channel import Channel
from interlock.domain.ids import Tenant, WorkerId
from interlock.domain.settlement import Timing
from interlock.ports.attestor import Attestor
from interlock.ports.clock import Clock, Ids
from interlock.ports.effector import Effectors
from interlock.ports.explainer import Explainer
from interlock.ports.identity_provider import IdentityProvider
from interlock.ports.index import Index
from interlock.ports.issuer import Issuer
from interlock.ports.log import Log
from interlock.ports.notifier import Notifier
from interlock.ports.parser import Parser
from interlock.ports.passwords import Passwords
from interlock.ports.policies import Policies
from interlock.ports.prices import Prices
from interlock.ports.rollups import Rollups
from interlock.ports.steps import Steps
from interlock.ports.store import Store
from interlock.services.accounts import Accounts
from interlock.services.admission import Admission, Door
from interlock.services.agents import Agents
from interlock.services.anchoring import Anchoring
from interlock.services.api_keys import ApiKeys
from interlock.services.approvals import Approvals
from interlock.services.audit import Audit, Verifying
from interlock.services.baselines import Baselines
from interlock.services.batches import Batches
from interlock.services.beginning import Beginnings
from interlock.services.braking import Braking
from interlock.services.breaker import Breakers
from interlock.services.by_provider import ByProvider
from interlock.services.calling import Calling
from interlock.services.cases import Cases
from interlock.services.compensation import Compensation
from interlock.services.consenting import Consenting
from interlock.services.correcting import Correcting
from interlock.services.counting import Counting
from interlock.services.deciding import Decider
from interlock.services.delegating import Delegating
from interlock.services.dispatch import Dispatch
from interlock.services.dossiers import Dossiers
from interlock.services.drafting import Drafts
from interlock.services.drill import Drills
from interlock.services.editions import Editions
from interlock.services.engines import Engines
from interlock.services.enrolment import Enrolment
from interlock.services.erasing import Erasing
from interlock.services.exceptions import Exceptions
from interlock.services.execution import Execution
from interlock.services.explaining import Explaining
from interlock.services.figures import Figures
from interlock.services.gate import Gate
from interlock.services.glass import Breaking
from interlock.services.holders import Holders
from interlock.services.inbox import Inbox
from interlock.services.inquiring import Inquiring
from interlock.services.instances import Instances
from interlock.services.intents import Intents
from interlock.services.inviting import Inviting
from interlock.services.judging import Judging
from interlock.services.logins import Logins
from interlock.services.losing import Losing
from interlock.services.notifying import Notifying
from interlock.services.orders import StandingOrders
from interlock.services.publishing import Publisher
from interlock.services.recorder import Recorder
from interlock.services.registry import Registry
from interlock.services.reviewing import Reviewing
from interlock.services.revoking import Revoking
from interlock.services.searching import Searching
from interlock.services.sessions import Sessions
from interlock.services.settling import Settling
from interlock.services.signing_in import SigningIn
from interlock.services.tasks import Tasks
from interlock.services.trying import Trying
from interlock.services.undoing import Undoing
from interlock.services.uses import Uses
from interlock.services.waiting import Waiting
from interlock.services.warming import Warming
from interlock.services.welcoming import Welcoming
from interlock.services.whatif import WhatIf


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What the services need, as bootstrap or a test provides it."""

    tenant: Tenant
    worker: WorkerId
    store: Store
    log: Log
    index: Callable[[], Index]
    """Opens what actions are found by; rollups, what figures are read from. Both when they are first needed."""
    rollups: Callable[[], Rollups]
    policies: Policies
    effectors: Effectors
    parser: Parser
    prices: Prices
    passwords: Passwords
    provider: IdentityProvider | None = None
    """Whom people may sign in with."""
    clock: Clock
    ids: Ids
    steps: Steps
    timing: Timing
    issuer: Issuer | None = None
    """Who signs credentials; None where nobody may act: for whoever only looks."""
    attestation: Attestation = Attestation()
    """By what instances are recognised."""
    attestor: Attestor | None = None
    """Who recognises those that are neither local nor bring a bootstrap token."""
    door: Door | None = None
    """In place of the one that lets in whom `issuer` knows."""
    places: tuple[str, ...] = ("",)
    retention: Mapping[str, int] = {}
    """By data class, for how many milliseconds what has something of it is kept."""
    verifying: Verifying | None = None
    """What the log is verified with; None where there are no keys to verify with."""
    explainer: Explainer | None = None
    """What can say in words why a policy is satisfied; None: only its author's sentence is told."""
    channels: tuple[Channel, ...] = ()
    """Ways to people outside."""
    notifiers: Mapping[str, Notifier] = {}
    """What goes each of them, by name."""
    public_url: str = ""
    """Where people open the console; empty: nobody says."""
    anchoring: Anchoring | None = None
    """The log's way to its witnesses; None where it has none."""


class ControlPlane(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a surface may ask for."""

    means: Means
    orders: StandingOrders
    decider: Decider
    gate: Gate
    execution: Execution
    approvals: Approvals
    inquiring: Inquiring
    batches: Batches
    correcting: Correcting
    dossiers: Dossiers
    explaining: Explaining | None
    """What accounts for decisions; None where nothing can say in words why a policy is satisfied."""
    trying: Trying | None
    """How what nobody proposed would be decided; None as above."""
    inbox: Inbox
    compensation: Compensation
    registry: Registry
    agents: Agents
    baselines: Baselines
    braking: Braking
    drills: Drills
    publisher: Publisher
    consenting: Consenting
    reviewing: Reviewing
    engines: Engines
    whatif: WhatIf
    tasks: Tasks
    uses: Uses
    revoking: Revoking
    enrolment: Enrolment
    inviting: Inviting
    beginnings: Beginnings
    holders: Holders
    instances: Instances
    delegating: Delegating
    settling: Settling
    notifying: Notifying
    exceptions: Exceptions
    audit: Audit
    erasing: Erasing
    losing: Losing
    searching: Searching
    figures: Figures
    warming: Warming
    signing_in: SigningIn
    by_provider: ByProvider
    sessions: Sessions
    api_keys: ApiKeys
    accounts: Accounts
    breaking: Breaking
    welcoming: Welcoming

    async def close(self) -> None:
        """Let go of what is read from the log, and of the store. Idempotent."""
        await self.searching.close()
        await self.figures.close()
        await self.means.store.close()


def plane(means: Means) -> ControlPlane:
    """Put the services together, in the order in which they need each other."""
    m = means
    orders = StandingOrders(m.store, m.policies)
    engines = Engines(m.store, orders, m.clock)
    decider = Decider(m.effectors, m.store, m.clock, m.tenant, engines, m.parser)
    cases = Cases(m.store, orders)
    breakers = Breakers(m.store, orders, m.clock, m.ids)
    recorder = Recorder(m.store, orders, m.clock, m.steps, breakers)
    calling = Calling(m.effectors)
    counting = Counting(m.store, orders, m.clock, m.timing)
    intents = Intents()
    drafts = Drafts(m.clock, m.ids)
    judging = Judging(
        orders=orders,
        decider=decider,
        effectors=m.effectors,
        clock=m.clock,
        steps=m.steps,
        timing=m.timing,
        worker=m.worker,
    )
    admission = Admission(issuer=m.issuer, tenant=m.tenant, clock=m.clock)
    door = m.door or admission
    gate = Gate(store=m.store, orders=orders, drafts=drafts, judging=judging, steps=m.steps, intents=intents, door=door)
    undoing = Undoing(store=m.store, orders=orders, drafts=drafts, judging=judging, steps=m.steps)
    dispatch = Dispatch(
        orders=orders,
        decider=decider,
        cases=cases,
        calling=calling,
        recorder=recorder,
        clock=m.clock,
        steps=m.steps,
        timing=m.timing,
        worker=m.worker,
        intents=intents,
        log=m.log,
    )
    execution = Execution(
        store=m.store,
        orders=orders,
        dispatch=dispatch,
        calling=calling,
        recorder=recorder,
        breakers=breakers,
        clock=m.clock,
        ids=m.ids,
        steps=m.steps,
        timing=m.timing,
        worker=m.worker,
        intents=intents,
    )
    explaining = (
        Explaining(store=m.store, orders=orders, policies=m.policies, explainer=m.explainer, tenant=m.tenant)
        if m.explainer is not None
        else None
    )
    logins = Logins(m.store, m.clock)
    api_keys = ApiKeys(store=m.store, orders=orders, clock=m.clock, ids=m.ids)
    signing_in = SigningIn(
        logins=logins, orders=orders, passwords=m.passwords, clock=m.clock, ids=m.ids, tenant=m.tenant
    )
    waiting = Waiting(store=m.store, orders=orders, recorder=recorder, clock=m.clock)
    inviting = Inviting(store=m.store, orders=orders, clock=m.clock, ids=m.ids)
    tasks = Tasks(store=m.store, orders=orders, clock=m.clock, ids=m.ids)
    uses = Uses(store=m.store, orders=orders, clock=m.clock, ids=m.ids, door=door, prices=m.prices)
    whatif = WhatIf(m.store, m.policies, m.tenant)
    editions = Editions(m.store, orders, m.policies)
    consenting = Consenting(store=m.store, orders=orders, editions=editions, policies=m.policies, clock=m.clock)
    publisher = Publisher(
        store=m.store, orders=orders, editions=editions, consenting=consenting, clock=m.clock, ids=m.ids
    )
    braking = Braking(store=m.store, orders=orders, counting=counting, clock=m.clock, ids=m.ids, tenant=m.tenant)
    delegating = Delegating(
        store=m.store,
        orders=orders,
        tasks=tasks,
        admission=admission,
        issuer=m.issuer,
        clock=m.clock,
        ids=m.ids,
        tenant=m.tenant,
    )
    searching = Searching(store=m.store, log=m.log, index=m.index)
    figures = Figures(store=m.store, log=m.log, orders=orders, clock=m.clock, rollups=m.rollups)
    approvals = Approvals(
        store=m.store,
        orders=orders,
        decider=decider,
        cases=cases,
        recorder=recorder,
        clock=m.clock,
        ids=m.ids,
        waiting=waiting,
    )
    return ControlPlane(
        means=means,
        orders=orders,
        decider=decider,
        gate=gate,
        execution=execution,
        approvals=approvals,
        batches=Batches(store=m.store, orders=orders, approvals=approvals, clock=m.clock, ids=m.ids),
        correcting=Correcting(store=m.store, orders=orders),
        inquiring=Inquiring(store=m.store, orders=orders, waiting=waiting, recorder=recorder, clock=m.clock, door=door),
        dossiers=Dossiers(
            store=m.store,
            orders=orders,
            policies=m.policies,
            clock=m.clock,
            recorder=recorder,
            figures=figures,
            explaining=explaining,
        ),
        explaining=explaining,
        trying=Trying(orders=orders, decider=decider, explaining=explaining, clock=m.clock, tenant=m.tenant)
        if explaining is not None
        else None,
        inbox=Inbox(store=m.store, orders=orders),
        compensation=Compensation(
            store=m.store,
            orders=orders,
            tasks=tasks,
            undoing=undoing,
            execution=execution,
            recorder=recorder,
            clock=m.clock,
            ids=m.ids,
            steps=m.steps,
            places=m.places,
        ),
        registry=Registry(publisher=publisher),
        braking=braking,
        drills=Drills(store=m.store, orders=orders, braking=braking, counting=counting, clock=m.clock),
        agents=Agents(store=m.store, orders=orders, recorder=recorder, clock=m.clock, ids=m.ids, policies=m.policies),
        baselines=Baselines(store=m.store, orders=orders, editions=editions, publisher=publisher, clock=m.clock),
        publisher=publisher,
        consenting=consenting,
        reviewing=Reviewing(consenting=consenting, orders=orders, editions=editions, whatif=whatif),
        engines=engines,
        whatif=whatif,
        tasks=tasks,
        inviting=inviting,
        instances=Instances(m.store, orders),
        enrolment=Enrolment(
            issuer=m.issuer,
            orders=orders,
            store=m.store,
            inviting=inviting,
            attestor=m.attestor,
            attestation=m.attestation,
            clock=m.clock,
            ids=m.ids,
            tenant=m.tenant,
        ),
        revoking=Revoking(
            store=m.store,
            orders=orders,
            tasks=tasks,
            recorder=recorder,
            braking=braking,
            clock=m.clock,
            ids=m.ids,
        ),
        delegating=delegating,
        beginnings=Beginnings(store=m.store, tasks=tasks, delegating=delegating, clock=m.clock),
        holders=Holders(
            store=m.store,
            orders=orders,
            tasks=tasks,
            uses=uses,
            admission=admission,
            issuer=m.issuer,
            clock=m.clock,
        ),
        uses=uses,
        exceptions=Exceptions(m.store),
        notifying=Notifying(
            store=m.store,
            log=m.log,
            orders=orders,
            clock=m.clock,
            ids=m.ids,
            channels=m.channels,
            notifiers=m.notifiers,
            public_url=m.public_url,
        ),
        settling=Settling(store=m.store, orders=orders, recorder=recorder, clock=m.clock, ids=m.ids),
        erasing=Erasing(store=m.store, orders=orders, clock=m.clock, ids=m.ids, retention=m.retention),
        losing=Losing(store=m.store, log=m.log, orders=orders, clock=m.clock, ids=m.ids, verifying=m.verifying),
        searching=searching,
        figures=figures,
        warming=Warming(store=m.store, searching=searching, figures=figures),
        audit=Audit(store=m.store, log=m.log, verifying=m.verifying),
        signing_in=signing_in,
        by_provider=ByProvider(provider=m.provider, signing_in=signing_in, clock=m.clock, ids=m.ids),
        sessions=Sessions(logins=logins, orders=orders, clock=m.clock),
        api_keys=api_keys,
        breaking=Breaking(logins=logins, orders=orders, clock=m.clock, ids=m.ids),
        accounts=Accounts(logins=logins, keys=api_keys, signing_in=signing_in, orders=orders, clock=m.clock),
        welcoming=Welcoming(logins=logins, orders=orders, signing_in=signing_in, clock=m.clock),
    )
