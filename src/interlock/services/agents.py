"""The agents there are, and whether they may act: suspended, let act again, retired. Each change is a fact in the log.

1. One commit swaps the standing orders: from then on every process refuses, or keeps waiting, what the state says. *A
   crash before it leaves everything as it was.*
2. Of a retired agent, what waits is voided, one by one. *A crash before or between leaves it waiting, and nothing of it
   runs: any worker goes on.*
"""

import contextlib

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.agent_card import Inputs
from interlock.domain.agent_state import MOVES, AgentState, AgentWords, Move, decides, refusal
from interlock.domain.answering import absent
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.control import Control, Standing
from interlock.domain.errors import Conflict, IllegalMove, NotAllowed, NotFound
from interlock.domain.evidence import Phase
from interlock.domain.ids import AgentName, Digest, Person
from interlock.domain.in_force import standing_of
from interlock.domain.names import instead
from interlock.domain.people import must_be_reasoned, roles_of
from interlock.domain.recording import control_fact
from interlock.domain.unwind import OPEN
from interlock.ports.clock import Clock, Ids
from interlock.ports.policies import Policies
from interlock.ports.store import ActionQuery, Store
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.saving import save

PAGE = 100
ALL = 1_000_000
_PHASES: dict[Move, Phase] = {"suspend": "suspended", "activate": "activated", "retire": "ended"}


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """An agent in force, as people ask for it."""

    agent: Agent
    digest: Digest
    release: str
    """Its label."""
    state: AgentState
    absent: dict[str, str]
    """Owners who are nobody any more, by what they answer for."""
    words: AgentWords | None
    """What was said of it last, while that is so or still waits for somebody else."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a move."""

    agent: AgentName
    state: AgentState
    changed: bool
    """False where it was in that state already, or where this is the first of two words."""
    waits_for: str = ""
    """Whose word is still needed, in words."""
    voided: int = 0


class Agents:
    """The registry as people read it, and the only way in which an agent's state changes."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        recorder: Recorder,
        clock: Clock,
        ids: Ids,
        policies: Policies,
    ) -> None:
        self._policies = policies
        self._store = store
        self._orders = orders
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._voided: set[AgentName] = set()

    async def move(self, name: AgentName, move: Move, *, by: Person, why: str) -> Moved:
        """Suspend `name`, let it act again, or retire it. Saying what is so already changes nothing.

        To retire takes two people, one of them the decision owner: the first word waits a week for the other. Raises
        NotFound where no such agent is in force, NotAllowed where `by` may not, IllegalMove for what is retired, and
        ContractError without a reason.
        """
        must_be_reasoned(why)
        while True:
            control = (await self._orders.refresh()).control
            standing = standing_of(name, control)
            agent = await self._orders.agent(standing.agent)
            roles = roles_of(by, control)
            why_not = refusal(move, by, roles, agent.owners)
            if why_not:
                raise NotAllowed(why_not, next_step=f"see who answers for it: `interlock agent show {name}`")
            after = MOVES.get((standing.state, move))
            if after is None:
                if standing.state == "retired" and move != "retire":
                    raise IllegalMove(
                        f"agent `{name}` is retired, which is for good",
                        next_step="begin another, under a name of its own: `interlock agent new NAME`",
                        state=standing.state,
                    )
                voided = await self.void(name) if standing.state == "retired" else 0
                return Moved(agent=name, state=standing.state, changed=False, voided=voided)
            waiting = ""
            if move == "retire":
                waiting = await self._other(name, agent, by, roles, control)
                after = standing.state if waiting else after
            words = AgentWords(
                id=self._ids.new(), agent=name, move=move, state=after, said_at=self._clock.now(), why=why, by=by
            )
            if not await self._swap(control, words, standing, "retiring" if waiting else _PHASES[move]):
                continue
            if waiting:
                return Moved(agent=name, state=after, changed=False, waits_for=waiting)
            voided = await self.void(name) if after == "retired" else 0
            return Moved(agent=name, state=after, changed=True, voided=voided)

    async def void(self, only: AgentName | None = None) -> int:
        """Void what waits of agents that are retired; undos are no work of theirs, and stay. How many were voided.

        Once nothing is left nothing can come: whatever makes an action wait leans on the standing orders.
        """
        control, count = (await self._orders.refresh()).control, 0
        retired = {name for name, each in control.agents.items() if each.state == "retired"}
        retired |= {name for name, state in control.aside.items() if state == "retired"}
        for name in sorted(retired - self._voided if only is None else retired & {only}):
            query = ActionQuery(agent=name, states=tuple(sorted(OPEN)), undos=False, limit=PAGE)
            while waiting := await self._store.actions(query):
                for action in waiting:
                    # A conflict: it moved; it is looked at again.
                    with contextlib.suppress(Conflict):
                        await self._recorder.end(action, "void", "voided", reasons=("its agent is retired",))
                        count += 1
            self._voided.add(name)
        return count

    async def all(self) -> list[Registered]:
        """Every agent in force, by name."""
        control = (await self._orders.refresh()).control
        said = await self._said()
        return [await self._registered(name, control, said) for name in sorted(control.agents)]

    async def get(self, name: AgentName) -> Registered:
        """One of them. Raises NotFound."""
        control = (await self._orders.refresh()).control
        standing_of(name, control)
        return await self._registered(name, control, await self._said())

    async def versions(self, name: AgentName) -> list[Agent]:
        """Every version of `name` that was ever in force or proposed, the one in force first. Raises NotFound."""
        control = (await self._orders.refresh()).control
        current = control.agents.get(name)
        found = [agent for agent in await self._store.all(Agent, limit=ALL) if agent.name == name]
        if not found:
            known = {agent.name for agent in await self._store.all(Agent, limit=ALL)}
            raise NotFound(f"there never was an agent `{name}`", next_step=instead(name, known, "`interlock apply`"))
        return sorted(found, key=lambda agent: (current is None or agent.digest != current.agent, agent.digest))

    async def card(self, name: AgentName) -> Inputs:
        """What the card of `name` is made from. Raises NotFound."""
        orders = await self._orders.refresh()
        standing = standing_of(name, orders.control)
        agent, release = await self._orders.agent(standing.agent), await self._orders.release(standing.release)
        bundle = await self._orders.stored(Bundle, orders.control.bundle)
        worded = sorted(self._policies.worded(bundle).items())
        policies = {
            each: tuple(policy.policy for _, policy in worded if each in policy.contracts)
            for each in agent.capabilities
        }
        return Inputs(
            agent=agent,
            state=standing.state,
            release=release,
            contracts=orders.contracts,
            policies=policies,
            people=orders.control.people,
        )

    # -- parts -------------------------------------------------------------------------------------------------

    async def _other(self, name: AgentName, agent: Agent, by: Person, roles: frozenset[str], control: Control) -> str:
        """Whose word to retire it is missing beside that of `by`, or nothing."""
        newest = (await self._said()).get(name)
        first = newest if newest is not None and newest.waits(self._clock.now()) else None
        mine = decides(by, roles, agent.owners)
        if first is None or first.by == by:
            return "one other person" if mine else _decision_owner(agent)
        # Whoever said it first must be somebody still: a word outlives nobody's leaving.
        theirs = control.roles(Person(first.by))
        if not theirs:
            return "one other person" if mine else _decision_owner(agent)
        return "" if mine or decides(Person(first.by), theirs, agent.owners) else _decision_owner(agent)

    async def _swap(self, control: Control, words: AgentWords, standing: Standing, phase: Phase) -> bool:
        """Write `words`, and the standing orders anew, a first word to retire too: of two at once one is told."""
        moved = msgspec.structs.replace(standing, state=words.state)
        after = msgspec.structs.replace(control, agents={**control.agents, words.agent: moved})
        body: dict[str, JsonValue] = {"agent": words.agent, "version": standing.agent, "state": words.state}
        fact = control_fact(after, phase, body, words.by, words.said_at)
        try:
            await save(self._store, Change(puts=(words, after), facts=(fact,)))
        except Conflict:
            return False
        await self._orders.refresh()
        return True

    async def _registered(self, name: AgentName, control: Control, said: dict[AgentName, AgentWords]) -> Registered:
        standing = control.agents[name]
        agent, words = await self._orders.agent(standing.agent), said.get(name)
        tells = words is not None and (words.state != "active" or words.waits(self._clock.now()))
        return Registered(
            agent=agent,
            digest=standing.agent,
            release=(await self._orders.release(standing.release)).label,
            state=standing.state,
            absent={str(office): owner for office, owner in absent(agent.owners, control.people).items()},
            words=words if tells else None,
        )

    async def _said(self) -> dict[AgentName, AgentWords]:
        """What was said last of each agent."""
        found: dict[AgentName, AgentWords] = {}
        for words in await self._store.all(AgentWords, limit=ALL):
            found.setdefault(words.agent, words)
        return found


def _decision_owner(agent: Agent) -> str:
    return f"its decision owner, `{agent.owners.of('decision')}`" if agent.owners.decision else "a decision owner"
