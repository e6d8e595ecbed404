"""How much memory a call of a server that sends too much costs us: run as a program, so that nothing else is counted.

python peak.py HOW FOLDER    prints one line of JSON: what came of the call, and by how many KiB the peak grew.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

from tests.upstream.reaching import hostile, reaching


async def main() -> None:
    """Call once, and look."""
    async with reaching(hostile(sys.argv[1]), Path(sys.argv[2])) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = await server.call(server.contract("act", timeout_ms=20_000), {"text": "x"})
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"kind": type(answer).__name__, "why": getattr(answer, "why", ""), "grown": grown}))


asyncio.run(main())
