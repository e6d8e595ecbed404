"""Lines on standard input and output, bounded: a message that is too long is refused before it is parsed.

While it lasts file descriptor 0 is empty and 1 is standard error: nothing else in this process, and nothing it begins, can read
what the client says or write between our lines.
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

Incoming: TypeAlias = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing: TypeAlias = MemoryObjectSendStream[SessionMessage]

LONGEST: Final = 4 * 1024 * 1024
"""Bytes of one message."""
_CHUNK: Final = 64 * 1024


@asynccontextmanager
async def standard_streams() -> AsyncGenerator[tuple[Incoming, Outgoing]]:
    """What the client says and what it hears, over this process's own standard streams."""
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    async with streams_over(reading, writing) as streams:
        yield streams


@asynccontextmanager
async def streams_over(reading: int, writing: int) -> AsyncGenerator[tuple[Incoming, Outgoing]]:
    """The same over two file descriptors."""
    to_us, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, from_us = anyio.create_memory_object_stream[SessionMessage](0)
    lines, heard = anyio.create_memory_object_stream[bytes | None](0)
    reader = _Reader(reading, lines, asyncio.get_running_loop())

    refusals = outgoing.clone()

    async def hear() -> None:
        async with to_us, refusals:
            async for line in heard:
                said = _message(line)
                if isinstance(said, SessionMessage):
                    await to_us.send(said)
                else:
                    await refusals.send(SessionMessage(said))

    async def speak() -> None:
        async with from_us:
            async for each in from_us:
                text = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                await anyio.to_thread.run_sync(_write, writing, text.encode() + b"\n", abandon_on_cancel=True)

    async with anyio.create_task_group() as group:
        group.start_soon(hear)
        group.start_soon(speak)
        reader.start()
        try:
            yield incoming, outgoing
        finally:
            group.cancel_scope.cancel()


class _Reader(threading.Thread):
    """Reads lines, and waits until each is taken. A thread, since a file, a pipe and a terminal can all be read by one."""

    def __init__(
        self, reading: int, lines: MemoryObjectSendStream[bytes | None], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(name="interlock stdin", daemon=True)
        self._reading = reading
        self._lines = lines
        self._loop = loop

    def run(self) -> None:
        """Until there is no more, or nobody takes it."""
        held, skipping = bytearray(), False
        while chunk := self._read():
            *whole, rest = chunk.split(b"\n")
            for piece in whole:
                held += piece
                too_long = skipping or len(held) > LONGEST
                if (bytes(held).strip() or too_long) and not self._taken(None if too_long else bytes(held)):
                    return
                held, skipping = bytearray(), False
            held += rest
            if len(held) > LONGEST:
                held, skipping = bytearray(), True
        # What stands behind the last line break is no message: whoever wrote it was cut off.
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._lines.close)

    def _read(self) -> bytes:
        try:
            return os.read(self._reading, _CHUNK)
        except OSError:
            return b""

    def _taken(self, line: bytes | None) -> bool:
        try:
            asyncio.run_coroutine_threadsafe(self._lines.send(line), self._loop).result()
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, asyncio.CancelledError, RuntimeError):
            return False
        return True


def _message(line: bytes | None) -> SessionMessage | types.JSONRPCError:
    if line is None:
        return _problem(types.INVALID_REQUEST, f"a message is at most {LONGEST} bytes")
    try:
        return SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except (ValidationError, ValueError, RecursionError):
        return _problem(types.PARSE_ERROR, "that is no message of JSON-RPC 2.0")


def _problem(code: int, words: str) -> types.JSONRPCError:
    return types.JSONRPCError(jsonrpc="2.0", id=None, error=types.ErrorData(code=code, message=words))


def _write(writing: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(writing, left) :]
