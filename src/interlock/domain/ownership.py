"""Which grave contracts a change loosens, and who must agree to that.

Told from the definitions alone, so that it never misses one: a policy that permits more, or that no longer forbids as it
did, counts as loosening whatever it is about, whether or not any request would now pass. Evidence from recorded decisions
belongs to the review; what somebody must agree to does not hang on what happened to be recorded.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from interlock.domain.agent import STAGES, Agent
from interlock.domain.baseline import Baseline
from interlock.domain.budget import read
from interlock.domain.contract import Contract
from interlock.domain.errors import WorkspaceError
from interlock.domain.ids import AgentName, ContractName, Digest, Person
from interlock.domain.policy import Policy
from interlock.domain.publishing import Publishing
from interlock.domain.rate import Rate
from interlock.domain.rights import Rights, widened
from interlock.domain.whatif import of_consequence


class Worded(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as people read it, and what it is about."""

    text: str
    policy: Policy
    contracts: frozenset[ContractName]
    """Those its scope takes in."""
    roles: bool = False
    """Whether it looks at which roles people hold."""
    unusual: bool = False
    """Whether it looks at what is unusual."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of two definitions that are held against each other."""

    agents: Mapping[AgentName, Agent]
    contracts: Mapping[ContractName, Contract]
    policies: Mapping[str, Worded]
    people: Mapping[Person, tuple[str, ...]]
    publishing: Publishing
    limits: Mapping[str, Mapping[str, int]] = {}
    """Budgets: scope, unit, limit."""
    rights: Rights | None = None
    baselines: Mapping[AgentName, Baseline] = {}

    def holders(self, owner: str) -> frozenset[Person]:
        """Who `owner`, a person or a role, is."""
        return frozenset(person for person, roles in self.people.items() if owner == person or owner in roles)


def loosened(old: Side, new: Side) -> dict[ContractName, tuple[str, ...]]:
    """By grave contract, what of the change loosens it or may. A contract is grave if it is so on either side.

    Of those that no agent may use of itself, only as the undo of something or not at all, only the contract counts, and
    only where somebody owns it: people ask for undos, but an agent may come to use what was made harmless before.
    """
    usable = {name for side in (old, new) for agent in side.agents.values() for name in agent.capabilities}
    found: dict[ContractName, tuple[str, ...]] = {}
    for name in sorted(old.contracts.keys() | new.contracts.keys()):
        versions = [side.contracts[name] for side in (old, new) if name in side.contracts]
        if not of_consequence(*versions):
            continue
        why = (
            *_contract(name, old, new),
            *_twins(name, old, new),
            *_limits(name, old, new),
            *_rights(name, old, new),
            *_answerable(name, old, new),
        )
        if name in usable:
            why = (*_policies(name, old, new), *_agents(name, old, new), *why)
        elif not old.holders(versions[0].owner):
            continue
        if why:
            found[name] = why
    return found


def owners_of(names: Collection[ContractName], old: Side, new: Side) -> dict[ContractName, str]:
    """Who must agree, by contract: the owner in force, or where that is nobody, the one proposed.

    Raises WorkspaceError where neither is anybody in force: nobody could agree.
    """
    found: dict[ContractName, str] = {}
    for name in names:
        claimed = [side.contracts[name].owner for side in (old, new) if name in side.contracts]
        able = [owner for owner in claimed if owner and old.holders(owner)]
        if not able:
            said = f"its owner `{claimed[0]}` is nobody" if claimed[0] else "it has no owner"
            raise WorkspaceError(
                f"`{name}` would be loosened, which takes its owner, and {said} in force",
                next_step=f"publish an owner of `{name}` first: a person of people.yaml, or a role somebody holds",
            )
        found[name] = able[0]
    return found


def _version(side: Side, agent: AgentName) -> Digest | None:
    baseline = side.baselines.get(agent)
    return None if baseline is None else baseline.digest


def _policies(name: ContractName, old: Side, new: Side) -> Iterator[str]:
    other = _others(old, new)
    learned = sorted(old.baselines.keys() | new.baselines.keys())
    normal = [each for each in learned if _version(old, each) != _version(new, each)]
    for each in sorted(old.policies.keys() | new.policies.keys()):
        was, becomes = old.policies.get(each), new.policies.get(each)
        if was is not None and becomes is not None and was.text == becomes.text:
            # The same words may come to take in more, by a contract that changed its groups: see `_contract`.
            if other and becomes.roles and name in becomes.contracts:
                yield f"policy `{each}` looks at roles, and `{other}` has others"
            if normal and becomes.unusual and name in becomes.contracts:
                yield f"policy `{each}` looks at what is unusual, and the baseline of `{normal[0]}` is another"
            continue
        if was is not None and was.policy.effect == "forbid" and name in was.contracts:
            yield f"policy `{each}` forbids {'otherwise' if becomes is not None else 'no more'}"
        if becomes is not None and becomes.policy.effect == "permit" and name in becomes.contracts:
            yield f"policy `{each}` permits {'otherwise' if was is not None else 'it'}"


def _others(old: Side, new: Side) -> str:
    """Somebody who holds other roles than before, or nobody."""
    everybody = sorted(old.people.keys() | new.people.keys())
    return next((each for each in everybody if set(old.people.get(each, ())) != set(new.people.get(each, ()))), "")


def _rights(name: ContractName, old: Side, new: Side) -> Iterator[str]:
    """What may be lent of it."""
    yield from widened(old.rights, new.rights, name)
    other = _others(old, new)
    if other and new.rights is not None and any(name in each.tools for each in new.rights.roles.values()):
        yield f"roles may lend it, and `{other}` has others"


def _contract(name: ContractName, old: Side, new: Side) -> Iterator[str]:
    was, becomes = old.contracts.get(name), new.contracts.get(name)
    if was is None or becomes is None:
        return
    # Another risk or effect, even a higher one, takes it out of the groups that policies are about.
    if becomes.risk != was.risk:
        yield f"its risk is {becomes.risk} instead of {was.risk}"
    if becomes.effect != was.effect:
        yield f"its effect is {becomes.effect} instead of {was.effect}"
    if was.irreversible != becomes.irreversible:
        yield f"it is said to be {'irreversible' if becomes.irreversible else 'reversible'}"
    elif not becomes.irreversible and becomes.reversal != was.reversal:
        yield "it is undone otherwise"
    if _known(becomes) != _known(was):
        yield "policies are told something else of it"
    if _called(becomes) != _called(was):
        yield "something else is called"
    if becomes.cost != was.cost:
        yield "it costs something else"
    if was.rate is not None and becomes.rate != was.rate and not _as_rare(was.rate, becomes.rate):
        yield "it may be called more often"


def _as_rare(was: Rate, becomes: Rate | None) -> bool:
    """Whether that lets through no more calls, whenever they are made."""
    return becomes is not None and becomes.calls <= was.calls and becomes.per_ms >= was.per_ms


def _twins(name: ContractName, old: Side, new: Side) -> Iterator[str]:
    """What comes to call the same under another name, past every policy on this one."""
    was = old.contracts.get(name)
    if was is None:
        return
    for other in sorted(new.contracts.keys() - {name}):
        before = old.contracts.get(other)
        if new.contracts[other].target == was.target and (before is None or before.target != was.target):
            yield f"contract `{other}` calls the same"


def _limits(name: ContractName, old: Side, new: Side) -> Iterator[str]:
    """What it may cost in all."""
    contract = old.contracts.get(name)
    unit = contract.cost.unit if contract is not None and contract.cost is not None else ""
    for scope, units in sorted(old.limits.items()):
        for each, was in units.items():
            becomes = new.limits.get(scope, {}).get(each)
            if read(each)[0] == unit and (becomes is None or becomes > was):
                yield f"{'any amount' if becomes is None else becomes} of {each} may be spent in `{scope}` instead of {was}"


def _agents(name: ContractName, old: Side, new: Side) -> Iterator[str]:
    for agent in new.agents.values():
        was, becomes = _stage(agent.name, name, old), _stage(agent.name, name, new)
        alone = was == STAGES.index("bounded") and 0 < becomes < was
        if becomes > max(was, 0) or alone:
            # What a bounded agent is denied because it cannot be undone, in other stages a person may allow.
            yield f"agent `{agent.name}` goes from {STAGES[max(was, 0)]} to {STAGES[becomes]}"
        elif was < 0 <= becomes and not new.contracts[name].acts:
            # What only reads is read in shadow, too.
            yield f"agent `{agent.name}` may read it"


def _answerable(name: ContractName, old: Side, new: Side) -> Iterator[str]:
    """Who answers for it: whoever could take that over could then loosen it."""
    was, becomes = old.contracts.get(name), new.contracts.get(name)
    if was is None or not old.holders(was.owner):
        return
    # What is gone, or nobody's, could come back next time as somebody else's.
    if becomes is None:
        yield "it is taken out"
    elif becomes.owner != was.owner:
        yield f"its owner is `{becomes.owner}` instead of `{was.owner}`"
    if not new.holders(was.owner):
        yield f"nobody is `{was.owner}` any more"
    if new.holders(was.owner) - old.holders(was.owner):
        yield f"somebody else becomes `{was.owner}`"
    if old.publishing.owners and not new.publishing.owners:
        yield "its owner is not asked any more"
    if old.publishing.tests == "required" and new.publishing.tests != "required":
        yield "what the tests of its policies say counts no more"


def _known(contract: Contract) -> tuple[object, ...]:
    """What policies may look at, beside risk, effect, reversibility and cost, and where its facts come from."""
    plain = msgspec.structs.replace(contract, risk="low", effect="read", reversal=None, cost=None)
    return *plain.judged_by, contract.facts


def _called(contract: Contract) -> tuple[object, ...]:
    """Whatever acts or answers for it."""
    return contract.target, contract.two_phase, contract.lookup, contract.postcondition


def _stage(agent: AgentName, name: ContractName, side: Side) -> int:
    """How far an agent goes with a contract, by its place among STAGES; below all of them where it may not use it, or where
    there is none."""
    found = side.agents.get(agent)
    if found is None or name not in found.capabilities or name not in side.contracts:
        return -1
    return STAGES.index(found.stage_for(name))
