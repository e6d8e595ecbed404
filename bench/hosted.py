"""`interlock serve` in a process of its own, as the command runs it, beside whoever measures it.

`python -m bench.hosted OUT ...` is the program with one thing more: told SIGUSR1, it writes down in OUT how many objects of
which kind live in it, for whoever looks for what grows.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

from interlock.cli.app import main

TICKS_S = os.sysconf("SC_CLK_TCK")


class Process:
    """The server's, seen from outside."""

    def __init__(self, pid: int, address: str, counts: Path) -> None:
        self.pid, self.address, self._counts = pid, address, counts

    def cpu(self) -> float:
        """Seconds of CPU it took so far, all threads, to a hundredth."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS_S

    def resident(self) -> tuple[float, float, int]:
        """MiB of memory now: all of it, and what is no file's; and how many threads there are."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        said = {name: value for name, _, value in (line.partition(":") for line in lines)}
        return int(said["VmRSS"].split()[0]) / 1024, int(said["RssAnon"].split()[0]) / 1024, int(said["Threads"])

    async def kinds(self) -> Counter[str]:
        """How many objects of which type live in it."""
        self._counts.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        for _ in range(100):
            await asyncio.sleep(0.1)
            if self._counts.exists():
                return Counter(json.loads(self._counts.read_text()))
        raise RuntimeError("the server did not count")


@asynccontextmanager
async def hosted(folder: Path, *options: str) -> AsyncGenerator[Process]:
    """`interlock serve` over the workspace in `folder`, which is in force, on a port of this machine."""
    counts = folder / "kinds.json"
    command = ("bench.hosted", str(counts), "--workspace", str(folder), "--json", "serve", "--port", "0", *options)
    async with told(folder, *command) as (process, address):
        yield Process(process.pid, address, counts)


@asynccontextmanager
async def told(folder: Path, *command: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """A module in a process of its own, with what it says on standard error in `folder`, and the address it prints as JSON."""
    with (folder / "server.err").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *command, stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    if process.stdout is None:
        raise RuntimeError("there is a pipe")
    try:
        said = await asyncio.wait_for(process.stdout.readuntil(b"}"), 60)
        yield process, str(json.loads(said)["address"])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _count(path: Path) -> None:
    gc.collect()
    found = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(found))
    beside.replace(path)


if __name__ == "__main__":
    out = Path(sys.argv.pop(1))

    def counted(number: int, frame: FrameType | None) -> None:
        """Write it down."""
        del number, frame
        _count(out)

    signal.signal(signal.SIGUSR1, counted)
    main()
