"""What a task is given or forbidden, held against what there is: a name that is misspelt would give or forbid nothing."""

from collections.abc import Iterable, Mapping

from interlock.domain.canonical import pointer
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.grant import Grant
from interlock.domain.ids import ContractName
from interlock.domain.names import instead
from interlock.domain.selector import Selector
from interlock.domain.use import MODEL_USE


def must_be_there(
    *,
    tools: Grant | None,
    data: Selector | None,
    prohibited: Iterable[ContractName],
    contracts: Mapping[ContractName, Contract],
) -> None:
    """Raises ContractError for a tool that is no contract in force, an argument that its tool does not take, and a kind of
    records that nothing in force touches, with the nearest name that there is."""
    names: set[str] = {*contracts, MODEL_USE}
    for name in (*prohibited, *(tools.tools if tools is not None else ())):
        if name not in names:
            raise _unknown("tool", name, names, "tools")
    for name, constraints in tools.tools.items() if tools is not None else ():
        taken = None if name == MODEL_USE else _arguments(contracts[ContractName(name)])
        for argument in constraints:
            if taken is not None and argument not in taken:
                raise _unknown(f"argument of `{name}`", argument, taken, f"tools{pointer(name)}")
    kinds = {kind for contract in contracts.values() for kind in contract.touches}
    for kind in data.records if data is not None else ():
        if kind not in kinds:
            raise _unknown("kind of records", kind, kinds, "data")


def _arguments(contract: Contract) -> set[str] | None:
    """Those that it takes, or None where its schema does not say which."""
    schema = contract.input_schema
    properties = schema.get("properties")
    if schema.get("additionalProperties") is not False or not isinstance(properties, dict):
        return None
    return set(properties)


def _unknown(what: str, name: str, known: set[str], where: str) -> ContractError:
    return ContractError(
        f"there is no {what} `{name}`",
        path=f"/{where}{pointer(name)}",
        next_step=instead(name, known, "say it as the contracts in force do: `interlock show CONTRACT`"),
    )
