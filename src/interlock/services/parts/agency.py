"""The part of the plane about agents: who they are, what they work on, what they use, what stops them."""

from dataclasses import dataclass

from interlock.services.agent_keys import AgentKeys
from interlock.services.agents import Agents
from interlock.services.bearing import Bearing
from interlock.services.beginning import Beginnings
from interlock.services.braking import Braking
from interlock.services.delegating import Delegating
from interlock.services.drill import Drills
from interlock.services.enrolment import Enrolment
from interlock.services.holders import Holders
from interlock.services.instances import Instances
from interlock.services.inviting import Inviting
from interlock.services.means import Means
from interlock.services.parts.groundwork import Groundwork
from interlock.services.revoking import Revoking
from interlock.services.tasks import Tasks
from interlock.services.uses import Uses


@dataclass(frozen=True, kw_only=True)
class Agency:
    """Agents and their instances, tasks, tokens and brakes."""

    agents: Agents
    tasks: Tasks
    uses: Uses
    revoking: Revoking
    braking: Braking
    drills: Drills
    enrolment: Enrolment
    inviting: Inviting
    beginnings: Beginnings
    holders: Holders
    instances: Instances
    delegating: Delegating
    agent_keys: AgentKeys
    bearing: Bearing


def agency(m: Means, g: Groundwork) -> Agency:
    """Put together what is about agents."""
    orders, tasks = g.orders, g.tasks
    inviting = Inviting(store=m.store, orders=orders, clock=m.clock, ids=m.ids)
    braking = Braking(store=m.store, orders=orders, counting=g.counting, clock=m.clock, ids=m.ids, tenant=m.tenant)
    agent_keys = AgentKeys(store=m.store, inviting=inviting, orders=orders, clock=m.clock, ids=m.ids)
    uses = Uses(store=m.store, orders=orders, clock=m.clock, ids=m.ids, door=g.door, prices=m.prices)
    delegating = Delegating(
        store=m.store,
        orders=orders,
        tasks=tasks,
        admission=g.admission,
        issuer=m.issuer,
        clock=m.clock,
        ids=m.ids,
        tenant=m.tenant,
    )
    return Agency(
        agents=Agents(store=m.store, orders=orders, recorder=g.recorder, clock=m.clock, ids=m.ids, policies=m.policies),
        tasks=tasks,
        uses=uses,
        revoking=Revoking(
            store=m.store, orders=orders, tasks=tasks, recorder=g.recorder, braking=braking, clock=m.clock, ids=m.ids
        ),
        braking=braking,
        drills=Drills(store=m.store, orders=orders, braking=braking, counting=g.counting, clock=m.clock),
        enrolment=enrolment(m, g, inviting),
        inviting=inviting,
        beginnings=Beginnings(store=m.store, tasks=tasks, delegating=delegating, clock=m.clock),
        holders=Holders(
            store=m.store,
            orders=orders,
            tasks=tasks,
            uses=uses,
            admission=g.admission,
            issuer=m.issuer,
            clock=m.clock,
        ),
        instances=Instances(m.store, orders),
        delegating=delegating,
        agent_keys=agent_keys,
        bearing=Bearing(
            keys=agent_keys,
            tokens=m.access_tokens,
            resource=m.resource,
            store=m.store,
            orders=orders,
            clock=m.clock,
        ),
    )


def enrolment(m: Means, g: Groundwork, inviting: Inviting) -> Enrolment:
    """How an instance comes to be recognised."""
    return Enrolment(
        issuer=m.issuer,
        orders=g.orders,
        store=m.store,
        inviting=inviting,
        attestor=m.attestor,
        attestation=m.attestation,
        clock=m.clock,
        ids=m.ids,
        tenant=m.tenant,
    )
