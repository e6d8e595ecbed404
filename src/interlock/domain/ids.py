"""Names for identifiers, so that one cannot be passed where another is meant.

Identifiers are UUIDv7 text unless the comment says otherwise: they sort by the time they were made,
which keeps the store's indexes dense and lets a reader order a listing by eye.
"""

import re
from typing import Final, NewType

Tenant = NewType("Tenant", str)
"""Whose data it is; leads every key of the store. An ordinary word, `default` where there is one."""

ActionId = NewType("ActionId", str)
TaskId = NewType("TaskId", str)
UnwindId = NewType("UnwindId", str)
UseId = NewType("UseId", str)
ErasureId = NewType("ErasureId", str)
HoldId = NewType("HoldId", str)
PublicationId = NewType("PublicationId", str)
StreamId = NewType("StreamId", str)
"""One run of one process: its entries are numbered without a gap."""

AgentName = NewType("AgentName", str)
"""The agent file's `name`, an ordinary word: `pricing`."""

BrakeId = NewType("BrakeId", str)
ContractName = NewType("ContractName", str)
"""Dotted, `pricing.set_price`."""

Person = NewType("Person", str)
"""A person's name in `people.yaml`."""

Digest = NewType("Digest", str)
"""SHA-256 in lower-case hexadecimal, 64 characters."""

WorkerId = NewType("WorkerId", str)
"""Who holds a lease: one running process."""

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(text: str) -> bool:
    """Whether `text` is in the form of identifiers, which says nothing to anybody: what others chose may then stand in the open
    log, and within a key."""
    return _ID.fullmatch(text) is not None
