"""What a program gives to a task, tools and records, as it writes that: read into the words of the gate, or refused."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from interlock.domain.canonical import CanonicalError, encode, pointer
from interlock.domain.constraint import ConstraintError, Exact, OneOf, Wildcard
from interlock.domain.errors import ContractError
from interlock.domain.grant import Grant, GrantError, read_grant
from interlock.domain.record import plain
from interlock.domain.selector import Selector, SelectorError
from interlock.sdk.values import to_plain

MAX_GIVEN_BYTES: Final = 64 * 1024
"""Canonical size of the tools, and of the records, of one task."""
_TOOLS: Final = (
    "give the tools by name, each with its constraints: "
    '{"mail.send": {"to": {"constraint_type": "exact", "value": "a@b"}}}; {} is any arguments'
)
_DATA: Final = 'give the records by kind: {"customer": ["c-17"], "folder": ["/invoices/2026/*"]}'


def given_tools(tools: Mapping[str, Mapping[str, Any]]) -> Grant:
    """The grant that `tools` say: by tool, or a contract's name, and argument what that may be: a constraint, as an object of
    JSON; `...` for anything; a value for that value; a list for one of its values.

    Raises ContractError.
    """
    try:
        said = plain(
            {
                "tools": {
                    str(tool): {name: _constraint(each) for name, each in constraints.items()}
                    for tool, constraints in tools.items()
                }
            }
        )
        encode(said, max_bytes=MAX_GIVEN_BYTES)
        return read_grant(said)
    except (GrantError, ConstraintError, CanonicalError, TypeError, UnicodeEncodeError) as error:
        raise ContractError(f"`tools`: {error}", path="/tools", next_step=_TOOLS) from None


def _constraint(said: object) -> object:
    if said is ...:
        return Wildcard()
    if isinstance(said, dict | msgspec.Struct):
        return cast(object, said)
    value = to_plain(said)
    return OneOf(values=tuple(value)) if isinstance(value, list) else Exact(value=value)


def given_data(data: Mapping[str, Sequence[str | int]]) -> Selector:
    """The selector that `data` says. Raises ContractError."""
    for kind, ids in data.items():
        if isinstance(ids, str):
            raise ContractError(f"`data`: `{kind}` is given a list", path=f"/data{pointer(kind)}", next_step=_DATA)
    try:
        found = Selector(records={kind: tuple(ids) for kind, ids in data.items()})
        encode(plain(found.records), max_bytes=MAX_GIVEN_BYTES)
    except (SelectorError, CanonicalError, TypeError) as error:
        raise ContractError(f"`data`: {error}", path="/data", next_step=_DATA) from None
    return found
