"""What `rights.yaml` says, held against the contracts and the people there are."""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from interlock.adapters.workspace.agent_together import Found, People
from interlock.adapters.workspace.fields import near
from interlock.domain.contract import Contract
from interlock.domain.initiator import USER
from interlock.domain.names import listed
from interlock.domain.rights import ROLE, Lending, Rights


def of_rights(
    rights: Rights, contracts: Mapping[str, Contract], people: People, missing: Callable[[str], bool]
) -> Iterator[Found]:
    """Everything that does not fit. `missing` says of a contract whether there certainly is none."""
    held = tuple(sorted({role for roles in people.values() for role in roles}))
    for who, grant in rights.all():
        kind, _, name = who.partition(":")
        if kind == ROLE and name not in held:
            yield Found(f"nobody holds `{name}`{near(name, held)}", (who,), "warning")
        if kind == USER and name not in people and (meant := near(name, tuple(people))):
            yield Found(f"`{name}` is nobody in people.yaml{meant}", (who,), "warning")
        for tool, constraints in grant.tools.items():
            contract = contracts.get(tool)
            if contract is None:
                if missing(tool):
                    yield Found(f"there is no contract `{tool}`{near(tool, tuple(contracts))}", (who, tool))
            elif constraints:
                yield from (Found(why, (who, tool)) for why in _arguments(contract, frozenset(constraints)))
    lending = Lending(rights, people)
    for person, roles in people.items():
        unsaid = lending.unsaid(person)
        if unsaid:
            where = next(role for role in roles if role in rights.roles)
            said = f"the roles of `{person}` may each lend {listed(unsaid)} with something else"
            yield Found(f"{said}, which cannot be said as one: say what `user:{person}` may lend", (f"{ROLE}:{where}",))


def _arguments(contract: Contract, named: frozenset[str]) -> Iterator[str]:
    """What is wrong with the arguments named: a call has exactly those, its contract's defaults counted in."""
    properties = cast(dict[str, object], contract.input_schema.get("properties", {}))
    for name in sorted(named - properties.keys()):
        yield f"`{contract.name}` takes no `{name}`{near(name, tuple(properties))}"
    required = cast(list[str], contract.input_schema.get("required", []))
    always = {
        *required,
        *(name for name, shape in properties.items() if isinstance(shape, dict) and "default" in shape),
    }
    for name in sorted(always - named):
        yield f"`{contract.name}` takes `{name}` too, and what may be lent names every argument: `{name}: anything`"
