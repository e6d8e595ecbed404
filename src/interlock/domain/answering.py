"""Who answers for an agent: its owners, held against the people there are.

Where a workspace names nobody, nobody can be told from somebody who left, and nothing is said of owners.
"""

from collections.abc import Mapping

from interlock.domain.agent import OFFICES, STAGES, Agent, Office, Owners
from interlock.domain.ids import ContractName, Person

People = Mapping[Person, tuple[str, ...]]


def holders(owner: str, people: People) -> frozenset[Person]:
    """Who `owner`, a person or a role, is."""
    return frozenset(person for person, roles in people.items() if owner and (owner == person or owner in roles))


def absent(owners: Owners, people: People) -> dict[Office, str]:
    """The owners that are named and are nobody: they left, or never were."""
    if not people:
        return {}
    named: dict[Office, str] = {office: owners.of(office) for office in OFFICES if getattr(owners, office)}
    return {office: owner for office, owner in named.items() if not holders(owner, people)}


def gone(owners: Owners, people: People) -> str:
    """The same in words, or nothing: "`ann` (data owner) is nobody any more"."""
    named = [f"`{owner}` ({office} owner)" for office, owner in absent(owners, people).items()]
    return f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} nobody in people.yaml" if named else ""


def raised(was: Agent | None, becomes: Agent) -> tuple[ContractName, ...]:
    """The contracts with which it would go further than before. One that was not in force comes from shadow."""
    return tuple(name for name in becomes.capabilities if _stage(becomes, name) > _stage(was, name))


def _stage(agent: Agent | None, name: ContractName) -> int:
    if agent is None or name not in agent.capabilities:
        return STAGES.index("shadow")
    return STAGES.index(agent.stage_for(name))
