"""Names of contracts for programs that take no dots."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from interlock.domain.ids import ContractName
from interlock.domain.tool_name import TICKET, tool_name

NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_-]{0,40}(\.[A-Za-z_][A-Za-z0-9_-]{0,40}){0,3}\Z")


@given(NAMES)
@example("interlock.ticket")
@example("a" * 300)
@example("_._")
def test_every_name_fits(name: str) -> None:
    """Whatever a contract is called, clients can take its name, and it is none of ours."""
    found = tool_name(ContractName(name))
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", found)
    assert not found.lower().startswith("interlock")
    assert found == tool_name(ContractName(name))


@given(NAMES, NAMES)
@example("a.b", "a__b")
@example("a_.b", "a._b")
@example("interlock_ticket", "interlock.ticket")
def test_no_two_contracts_share_a_name(one: str, other: str) -> None:
    """Two contracts have two names, however alike they are."""
    assert (one == other) == (tool_name(ContractName(one)) == tool_name(ContractName(other)))


def test_a_plain_name_is_read_at_a_glance() -> None:
    """`server.tool` is `server__tool`."""
    assert tool_name(ContractName("files.read_file")) == "files__read_file"
    assert tool_name(ContractName("interlock.ticket")) != TICKET
