"""A packet told as one: what its entries say in turn, and nothing that lies beside them without a commitment."""

from typing import Any

import msgspec
import pytest

from interlock.domain.disclosure import Disclosure
from interlock.domain.evidence import Entry
from interlock.domain.telling import tell
from tests.domain.logs import OpenLog


def entries(**private: Any) -> list[Entry]:
    """Two entries of one action."""
    log = OpenLog()
    log.add("a-1", toolArgs={"n": 1}, initiator="user:ana")
    log.add("a-1", **private)
    return log.close().rows


def test_clear_texts_are_put_together_in_order() -> None:
    """A name that was committed to twice has two values, in the order of the log."""
    told = tell(entries(toolArgs={"n": 2}))

    assert told.clear == {"toolArgs": [{"n": 1}, {"n": 2}], "initiator": ["user:ana"]}
    assert [(each.entry, each.phase, each.state) for each in told.moments] == [
        (0, "decided", "held"),
        (1, "approved", "ready"),
    ]
    assert told.withheld == ()


def test_what_is_not_disclosed_is_named() -> None:
    """Of an erased clear text the name is told, and that it is withheld."""
    first, second = entries(toolResult=7)

    told = tell([msgspec.structs.replace(first, disclosures=()), second])

    assert told.clear == {"toolResult": [7]}
    assert set(told.withheld) == {"toolArgs", "initiator"}


@pytest.mark.parametrize(
    "text", [Disclosure(salt=b"s" * 16, name="toolArgs", value={"n": 9}).encoded(), "no disclosure at all", ""]
)
def test_what_opens_no_commitment_says_nothing(text: str) -> None:
    """A text laid beside an entry that does not open its commitment is not told: the true value is withheld."""
    first, second = entries()

    told = tell([msgspec.structs.replace(first, disclosures=(text,)), second])

    assert "toolArgs" not in told.clear
    assert "toolArgs" in told.withheld


@pytest.mark.parametrize("leaf", [b"", b"{}", b"\xff\xfe", b'{"payload":"W10=","payloadType":"x","signatures":[]}'])
def test_an_entry_that_cannot_be_read_is_told_as_that(leaf: bytes) -> None:
    """One entry in pieces does not keep the others from being told."""
    first, second = entries(toolResult=7)

    told = tell([msgspec.structs.replace(first, leaf=leaf), second])

    assert told.moments[0].problem
    assert told.clear == {"toolResult": [7]}
