"""What a brake holds back, in words."""

from interlock.cli.output import counted
from interlock.domain.brakes import HeldBack


def held_back(found: HeldBack) -> str:
    """What a brake holds back, in words."""
    counts = (
        (found.in_flight, "in flight, which end as they end"),
        (found.waiting, "cleared"),
        (found.asking, "waiting for people"),
        (found.between, "reserved in two phases"),
        (found.unsettled, "that may have happened"),
    )
    said = [f"{count} {what}" for count, what in counts if count]
    if found.tasks:
        said.append(counted(found.tasks, "open tasks"))
    return (", ".join(said) or "nothing") + (", or more" if found.more else "")
