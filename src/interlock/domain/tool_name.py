"""The names under which contracts are offered to programs that take no dots in a tool's name.

`server.tool` is `server__tool`. A name that would be too long, could be read as another contract's or is one of ours ends in a
piece of a digest instead, so that each contract has one name, the same in every process, and no two share one.
"""

from hashlib import sha256
from typing import Final

from interlock.domain.ids import ContractName

LONGEST: Final = 64
TICKET: Final = "interlock_ticket"
"""The tool of the gateway's own, by which a client hears what became of a call that had to wait."""
ANSWER: Final = "interlock_answer"
"""The other one, by which it answers what a reviewer asks about such a call."""
OURS: Final = "interlock"
"""How names of our own begin."""
_PIECE: Final = 8


def tool_name(contract: ContractName) -> str:
    """The name of `contract` for programs: letters, digits, `_` and `-`, at most 64 of them."""
    name = contract.replace(".", "__")
    if len(name) <= LONGEST and name.replace("__", ".") == contract and not name.lower().startswith(OURS):
        return name
    piece = sha256(contract.encode()).hexdigest()[:_PIECE]
    return f"{name[: LONGEST - _PIECE - 1]}-{piece}" if not name.lower().startswith(OURS) else f"x-{name[:48]}-{piece}"
