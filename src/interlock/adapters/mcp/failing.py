"""What became of a request that did not succeed, as far as it can be known: what our own ways say, and what the server said."""

import re
from typing import Final, cast

import mcp_types as types
from mcp.shared.exceptions import MCPError

from interlock.adapters.mcp.streams import CLOSED, Incoming
from interlock.adapters.mcp.told import Ours, ours
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Http, Server, Stdio

_LIMIT: Final = re.compile(r"event exceeded the \d+ byte limit|its answer is longer than \d+ bytes")


class FailedError(Exception):
    """A request did not succeed. `kind`: what we know of it ourselves, or `answered` where the server said so, with its code."""

    def __init__(self, kind: Ours | str, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.kind = kind
        self.why = why
        self.code = code


def failed(error: MCPError, server: Server, incoming: Incoming | None) -> FailedError:
    """What `error` means of a request to `server`, of which `incoming` came."""
    kind = ours(error.error.data)
    if kind is not None:
        return FailedError(kind, error.error.message)
    if _LIMIT.search(error.error.message):
        # In the words of the official transport, or in ours as it repeats them.
        return FailedError("too long", f"its answer is longer than {server.most_bytes} bytes")
    if incoming is not None and incoming.ended:
        return FailedError("lost", incoming.why)
    if isinstance(server.way, Http):
        # Where no answer came, or none that could be read, the official transport says so in codes of the protocol.
        if error.code == types.CONNECTION_CLOSED:
            return FailedError("lost", error.error.message)
        if error.code in (types.PARSE_ERROR, types.INVALID_REQUEST):
            return FailedError("garbage", error.error.message)
    return FailedError("answered", error.error.message, error.code)


def unreachable(server: Server, error: BaseException, incoming: Incoming | None) -> EffectorError:
    """What is told of a connection that could not be begun, or ended so."""
    ended = "" if incoming is None else incoming.why.removeprefix(CLOSED)
    why = ended or _words_of(error)
    return EffectorError(
        f"the server `{server.name}` cannot be spoken to: {' '.join(why.split())[:400]}", next_step=_reached(server)
    )


def _words_of(error: BaseException) -> str:
    """What an error says; of what is no answer of the server's only its kind, for it may repeat anything that came."""
    found: list[BaseException] = [error]
    while found:
        each = found.pop()
        if isinstance(each, MCPError):
            return each.error.message
        if isinstance(each, BaseExceptionGroup):
            found += cast("BaseExceptionGroup[BaseException]", each).exceptions
    return type(error).__name__


def _reached(server: Server) -> str:
    """What to look at where a server cannot be spoken to."""
    lacks = (
        "what it needs of your environment"
        if isinstance(server.way, Stdio)
        else "its address, and headers that it asks for"
    )
    where = f"servers/{server.name}.yaml" + (", under `env`" if isinstance(server.way, Stdio) else "")
    return f"see what it says: `interlock server check {server.name}`; {lacks} is said in {where}"
