"""`python -m bench [NAME ...]`: the figures of docs/benchmarks.md, or those named."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import (
    adapters,
    audit,
    budgets,
    crowd,
    endurance,
    gated,
    memory,
    package,
    pages,
    policy,
    relayed,
    remote,
    serving,
    showing,
    stopping,
    through,
    tokens,
    verify,
    waiting,
    whatif,
)

FIGURES: dict[str, Callable[[], Awaitable[None]]] = {
    "gated": gated.run,
    "crowd": crowd.run,
    "budgets": budgets.run,
    "waiting": waiting.run,
    "memory": memory.run,
    "package": package.run,
    "policy": policy.run,
    "whatif": whatif.run,
    "verify": verify.run,
    "showing": showing.run,
    "audit": audit.run,
    "tokens": tokens.run,
    "stopping": stopping.run,
    "pages": pages.run,
    "serving": serving.run,
    "remote": remote.run,
    "endurance": endurance.run,
    "relay": relayed.run,
    "mcp": through.run,
    "adapters": adapters.run,
}


async def main(names: list[str]) -> None:
    """Run each figure; they print as they go."""
    for name in names or list(FIGURES):
        await FIGURES[name]()


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in FIGURES]
    if unknown:
        sys.exit(f"there is no figure `{unknown[0]}`; there are: {', '.join(FIGURES)}")
    asyncio.run(main(sys.argv[1:]))
