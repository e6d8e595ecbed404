"""One client over standard input and output: it is whoever started this process, and works in one task until it goes."""

import signal
from typing import Any, Final

import anyio
from mcp.server.lowlevel.server import Server

from interlock.gateway.beside import BesideTools
from interlock.gateway.calls import Calls
from interlock.gateway.context import Context
from interlock.gateway.news import News
from interlock.gateway.server import server_of
from interlock.gateway.stdio import standard_streams
from interlock.gateway.work import Work

GRACE_S: Final = 10.0
"""How long what is under way is waited for at the end. What takes longer is gone on with by a worker."""


async def serve_alone(calls: Calls, beside: BesideTools, news: News, work: Work, version: str) -> None:
    """Serve until the client goes, or somebody ends us. Raises what opening the task raises, before a word was spoken."""
    await work.task()

    async def work_of(ctx: Context) -> Work:
        del ctx
        return work

    server = server_of(calls, beside, news, work_of, version)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_until_told, group.cancel_scope)
            group.start_soon(news.run)
            await _spoken(server)
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await calls.finish(GRACE_S)
            await work.close()


async def _spoken(server: Server[dict[str, Any]]) -> None:
    options = server.create_initialization_options()
    async with standard_streams() as (incoming, outgoing):
        await server.run(incoming, outgoing, options)


async def _until_told(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as told:
        async for _ in told:
            scope.cancel()
            return
