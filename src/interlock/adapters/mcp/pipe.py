"""A server as a program of ours: its standard input and output as messages, bounded, and its end for certain."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from interlock.adapters.mcp import guard
from interlock.adapters.mcp.environment import environment
from interlock.adapters.mcp.hiding import Hiding
from interlock.adapters.mcp.lines import GarbageError, Lines
from interlock.adapters.mcp.streams import CLOSED, Incoming, Outgoing
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Server, Stdio

CHUNK: Final = 64 * 1024
KEPT_STDERR: Final = 2_048
"""Of what it says for people, the end is kept: it tells why a program ended."""
GRACE_S: Final = 2.0
"""So long a server may take to end by itself; then its whole group is killed."""


@asynccontextmanager
async def pipe(
    server: Server, way: Stdio, folder: Path, environ: Mapping[str, str], hiding: Hiding
) -> AsyncGenerator[tuple[Incoming, Outgoing]]:
    """Begin the program, and end it and all it began. Raises EffectorError where it cannot begin."""
    alive, held = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            guard.__file__,
            str(alive),
            *way.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=CHUNK,
            cwd=folder / way.cwd,
            env=environment(way.env, environ),
            pass_fds=(alive,),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        os.close(held)
        raise EffectorError(f"the server `{server.name}` cannot be begun: {error}") from None
    finally:
        os.close(alive)
    incoming, outgoing = Incoming(hiding), Outgoing(4 * server.most_bytes)
    talk = [
        asyncio.create_task(each)
        for each in (
            _read(process, incoming, server.most_bytes),
            _write(process, outgoing),
            _overhear(process, incoming),
        )
    ]
    try:
        yield incoming, outgoing
    finally:
        incoming.end(CLOSED)
        await _ended(process, held)
        for each in talk:
            each.cancel()
        await asyncio.gather(*talk, return_exceptions=True)


async def _read(process: asyncio.subprocess.Process, incoming: Incoming, most: int) -> None:
    lines = Lines(most)
    assert process.stdout is not None  # noqa: S101  it was asked for
    try:
        while data := await process.stdout.read(CHUNK):
            for message in lines.feed(data):
                await incoming.put(message)
    except GarbageError as error:
        incoming.end(str(error), error.piece)
    except OSError as error:
        incoming.end(f"it cannot be read: {error.strerror}")
    # What it said last of why it ends is worth a moment.
    await asyncio.sleep(0.05)
    if process.returncode == guard.NOT_BEGUN:
        # The guard ends by itself only where it could begin nothing: what is said then is its own word.
        incoming.end(f"its program cannot be begun: {' '.join(incoming.aside.split())}")
    incoming.end("it ended")


async def _write(process: asyncio.subprocess.Process, outgoing: Outgoing) -> None:
    assert process.stdin is not None  # noqa: S101  it was asked for
    with suppress(OSError):
        while (line := await outgoing.next()) is not None:
            process.stdin.write(line)
            await process.stdin.drain()


async def _overhear(process: asyncio.subprocess.Process, incoming: Incoming) -> None:
    assert process.stderr is not None  # noqa: S101  it was asked for
    last, cut = bytearray(), False
    while data := await process.stderr.read(CHUNK):
        last += data
        cut = cut or len(last) > KEPT_STDERR
        del last[:-KEPT_STDERR]
        # Where it was cut in the midst of a line, the end of a secret may stand there.
        whole = bytes(last).partition(b"\n")[2] if cut else bytes(last)
        incoming.aside = whole.decode(errors="replace")


async def _ended(process: asyncio.subprocess.Process, held: int) -> None:
    """Its input is closed, it is asked, and then nobody asks any more."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        with suppress(TimeoutError, ProcessLookupError):
            async with asyncio.timeout(GRACE_S / 2):
                await process.wait()
        with suppress(TimeoutError, ProcessLookupError):
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGTERM)
            async with asyncio.timeout(GRACE_S / 2):
                await process.wait()
    finally:
        # The guard sees this end, and kills what is left of the group; so it does if we die instead.
        os.close(held)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
