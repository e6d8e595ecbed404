"""What the services need of the outside, as one value: the ports, the clock and who runs them."""

from collections.abc import Callable, Mapping

import msgspec

from interlock.domain.access_token import Resource
from interlock.domain.attesting import Attestation
from interlock.domain.channel import Channel
from interlock.domain.ids import Tenant, WorkerId
from interlock.domain.settlement import Timing
from interlock.domain.vigilance import Watch
from interlock.ports.access_tokens import AccessTokens
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
from interlock.ports.upstream import Upstreams
from interlock.services.admission import Door
from interlock.services.anchoring import Anchoring
from interlock.services.audit import Verifying


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
    access_tokens: AccessTokens | None = None
    """Who reads access tokens of others, which programs bear to a gateway."""
    resource: Resource = Resource()
    """What such tokens must be made for, and whose count."""
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
    watch: Watch = Watch()
    """Items known to be bad, and how often one is put before people."""
    public_url: str = ""
    """Where people open the console; empty: nobody says."""
    upstreams: Upstreams | None = None
    """The servers of the Model Context Protocol that the workspace names; None where it names none."""
    anchoring: Anchoring | None = None
    """The log's way to its witnesses; None where it has none."""
