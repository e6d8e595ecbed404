"""The standing orders: what is in force right now, as one small record.

Every decision and every dispatch commits only if the control record is still at the revision it was made under. So a
kill, a new policy bundle, a new release or a changed stage takes hold of everything that is not already touching the
world, in every process, by one comparison.
"""

from typing import ClassVar, Literal

import msgspec

from interlock.domain.ids import AgentName, BrakeId, ContractName, Digest, Person
from interlock.domain.policy import Engine
from interlock.domain.publishing import Publishing
from interlock.domain.record import Record, Withheld

StopScope = Literal["all", "agent", "release", "contract"]


class Stop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A brake: nothing in its scope is decided or dispatched while it stands, but for undos, which people ask for."""

    scope: StopScope
    name: str = ""
    """Which agent, release digest or contract; empty for `all`."""
    words: BrakeId = BrakeId("")
    """Where its `BrakeWords` are. Empty in what an earlier version wrote, until the store is next opened with its vault."""
    why: str = ""
    """Only of an earlier version, as `by`: words of people do not stand in the standing orders."""
    by: str = ""
    since_at: int
    until_at: int | None = None
    """When it ends by itself (a circuit breaker's pause), or None: a person lifts it."""
    unwinding: bool = False
    """What its scope did is being undone, so what may be in flight is still repeated by its key: it must be known to be
    undone. Nothing new begins."""


class BrakeWords(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Why a brake was pulled and by whom: beside the standing orders, which every process reads, so that it can be erased."""

    kind: ClassVar[str] = "brake"

    id: BrakeId
    scope: StopScope
    name: str = ""
    since_at: int
    why: str
    by: str
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id


def words_of(stop: Stop, *, why: str, by: str) -> BrakeWords:
    """The words that stand beside `stop`, which names them."""
    return BrakeWords(id=stop.words, scope=stop.scope, name=stop.name, since_at=stop.since_at, why=why, by=by)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of an agent is in force."""

    agent: Digest
    release: Digest


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
    people: dict[Person, tuple[str, ...]] = {}
    """Who there is, and the roles each holds."""
    budgets: tuple[str, ...] = ()
    """Keys of the budgets that apply to the tenant and to agents."""
    stops: tuple[Stop, ...] = ()
    publishing: Publishing = Publishing()
    """How many people it takes to change any of this but the brakes."""
    engine: Engine = "compiled"
    """What answers for the policies."""
    alarm: Alarm | None = None
    """While there is one, `engine` is the library."""

    @property
    def key(self) -> str:
        """There is only one."""
        return "control"

    def stopped(
        self, *, agent: AgentName, release: Digest, contract: ContractName, now: int, settling: bool = False
    ) -> Stop | None:
        """The first brake that holds such an action at `now`, or None. With `settling`, one that holds back even the
        repeat of what may have happened."""
        for stop in self.stops:
            if settling and stop.unwinding:
                continue
            named = {"all": "", "agent": agent, "release": release, "contract": contract}[stop.scope]
            if stop.name == named and (stop.until_at is None or now < stop.until_at):
                return stop
        return None

    def roles(self, person: Person) -> frozenset[str]:
        """The roles `person` holds; nobody unknown holds any."""
        return frozenset(self.people.get(person, ()))
