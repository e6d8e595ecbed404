"""The standing orders: what is in force right now, as one small record.

Every decision and every dispatch commits only if the control record is still at the revision it was made under. So a
kill, a new policy bundle, a new release or a changed stage takes hold of everything that is not already touching the
world, in every process, by one comparison.
"""

from collections.abc import Collection
from typing import ClassVar, Final, Literal

import msgspec

from interlock.domain.acting import Acting
from interlock.domain.agent_state import AgentState
from interlock.domain.ids import AgentName, BrakeId, ContractName, Digest, Person
from interlock.domain.policy import Engine
from interlock.domain.publishing import Publishing
from interlock.domain.rate import Rate
from interlock.domain.record import Record, Withheld
from interlock.domain.revocation import Revocation, pseudonym
from interlock.domain.routing import Routing

StopScope = Literal["all", "tenant", "agent", "release", "contract", "tag", "instance", "task", "user", "target"]
StopMode = Literal["stop", "pause", "drain"]
"""`stop`: nothing is decided and nothing dispatched. `pause`: nothing is dispatched, and what is proposed is decided and
waits. `drain`: nothing new is proposed, and what was accepted finishes."""

REFUSES: Final[frozenset[StopMode]] = frozenset({"stop", "drain"})
"""The modes in which a proposal is refused."""
HOLDS: Final[frozenset[StopMode]] = frozenset({"stop", "pause"})
"""The modes in which nothing is dispatched."""


class Stop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A brake: what its mode says of its scope holds while it stands, but for undos, which people ask for."""

    scope: StopScope
    name: str = ""
    """Which agent, release digest, contract, tag, instance (the thumbprint of its key), task, tenant or target (a host,
    a module); empty for `all`. Of a
    user the digest of `salt` and the initiator: nobody's name stands in the standing orders."""
    mode: StopMode = "stop"
    salt: str = ""
    """Only of a user: 128 bits of chance, so that the name cannot be guessed from what the log says of the brake."""
    drill: bool = False
    """It was pulled to measure how long stopping takes, and ends at `until_at` should whoever pulled it die."""
    words: BrakeId = BrakeId("")
    """Where its `BrakeWords` are. Empty in what an earlier version wrote, until the store is next opened with its vault."""
    why: str = ""
    """Only of an earlier version, as `by`: words of people do not stand in the standing orders."""
    by: str = ""
    since_at: int
    until_at: int | None = None
    """When it ends by itself (a circuit breaker's pause), or None: a person lifts it."""
    breaker: bool = False
    """Pulled by a circuit breaker. From `until_at` on it is half open: it lets the breaker's one probe through, and holds
    everything else until that closes it."""
    unwinding: bool = False
    """What its scope did is being undone, so what may be in flight is still repeated by its key: it must be known to be
    undone. Nothing new begins."""

    def is_on(self, scope: StopScope, name: str) -> bool:
        """Whether it is on exactly that scope. A user is named as an initiator."""
        if scope != self.scope:
            return False
        return self.name == (pseudonym(self.salt, name) if scope == "user" else name)

    def covers(self, acting: Acting) -> bool:
        """Whether such an action is in its scope."""
        match self.scope:
            case "all" | "tenant":
                return True  # standing orders are one tenant's
            case "agent":
                return self.name == acting.agent
            case "release":
                return self.name == acting.release
            case "contract":
                return self.name == acting.contract
            case "tag":
                return self.name in acting.tags
            case "instance":
                return self.name == acting.instance
            case "task":
                return self.name in acting.tasks
            case "target":
                return self.name == acting.target
            case "user":
                return self.name == pseudonym(self.salt, acting.initiator)


class BrakeWords(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Why a brake was pulled, or something revoked, and by whom: beside the standing orders, which every process reads, so that
    it can be erased."""

    kind: ClassVar[str] = "brake"

    id: BrakeId
    scope: StopScope | Literal["token", "key", "client"]
    """Of a revocation, whose words stand here too, its kind."""
    name: str = ""
    since_at: int
    why: str
    by: str
    who: str = ""
    """Of a brake on a user: the initiator, `user:ana`."""
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id


def words_of(stop: Stop, *, why: str, by: str, who: str = "") -> BrakeWords:
    """The words that stand beside `stop`, which names them."""
    return BrakeWords(id=stop.words, scope=stop.scope, name=stop.name, since_at=stop.since_at, why=why, by=by, who=who)


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which version of an agent is in force, and whether it may act."""

    agent: Digest
    release: Digest
    state: AgentState = "active"
    """No part of what is published: people suspend and retire an agent between one publishing and the next."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Why the library answers instead of compiled policies, in every process, until a person says otherwise."""

    why: str
    by: str
    """`interlock.engine`, or a person."""
    since_at: int
    instead_of: Engine
    """What the workspace asks for."""


class Control(Record, frozen=True, kw_only=True):
    """What is in force. There is one per tenant."""

    kind: ClassVar[str] = "control"

    bundle: Digest = Digest("")
    contracts: dict[ContractName, Digest] = {}
    agents: dict[AgentName, Standing] = {}
    aside: dict[AgentName, AgentState] = {}
    """Agents that were suspended or retired and are in no file any more: whoever brings one back brings that back."""
    people: dict[Person, tuple[str, ...]] = {}
    """Who there is, and the roles each holds."""
    rights: Digest = Digest("")
    """What initiators may lend; without any, whatever the agent may do."""
    budgets: tuple[str, ...] = ()
    """Keys of the budgets that apply to the tenant and to agents."""
    rates: dict[str, Rate] = {}
    """How often may be called within the tenant and by cohorts: `tenant`, `tag:web`. Agents and contracts name their own."""
    baselines: dict[AgentName, Digest] = {}
    """What is normal of an agent, where people put that in force. See `Baseline`."""
    stops: tuple[Stop, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    """What no longer counts of what was granted. Each falls out once nothing that it is about could count in any case."""
    publishing: Publishing = Publishing()
    """How many people it takes to change any of this but the brakes."""
    routing: Routing = Routing()
    """How what waits for people reaches them."""
    engine: Engine = "compiled"
    """What answers for the policies."""
    alarm: Alarm | None = None
    """While there is one, `engine` is the library."""

    @property
    def key(self) -> str:
        """There is only one."""
        return "control"

    def stopped(
        self, acting: Acting, now: int, *, modes: frozenset[StopMode] = HOLDS, settling: bool = False
    ) -> Stop | None:
        """The brake of one of `modes` that holds such an action at `now`, one that stops before one that pauses or drains; or
        None. Brakes of circuit breakers are not asked here. With `settling`, one that holds back even the repeat of what may
        have happened."""
        found: Stop | None = None
        for stop in self.stops:
            if stop.breaker or stop.mode not in modes or (settling and stop.unwinding):
                continue
            if (stop.until_at is None or now < stop.until_at) and stop.covers(acting):
                if stop.mode == "stop":
                    return stop
                found = found or stop
        return found

    def state_of(self, agent: AgentName) -> AgentState:
        """Whether `agent` may act. Of one that nobody suspended or retired nothing is known here but that."""
        found = self.agents.get(agent)
        return self.aside.get(agent, "active") if found is None else found.state

    def left_aside(self, agents: Collection[AgentName]) -> dict[AgentName, AgentState]:
        """What `aside` becomes with `agents` in force."""
        known: dict[AgentName, AgentState] = dict(self.aside)
        known.update({name: each.state for name, each in self.agents.items() if each.state != "active"})
        return {name: state for name, state in sorted(known.items()) if name not in agents}

    def tripped(self, acting: Acting) -> tuple[Stop, ...]:
        """The brakes of circuit breakers on such an action, half open ones among them."""
        return tuple(stop for stop in self.stops if stop.breaker and stop.covers(acting))

    def roles(self, person: Person) -> frozenset[str]:
        """The roles `person` holds; nobody unknown holds any."""
        return frozenset(self.people.get(person, ()))
