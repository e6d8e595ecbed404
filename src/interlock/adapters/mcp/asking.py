"""Whoever follows a task: told what servers say for it, asked what they ask back, never waited for longer than it deserves."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import mcp_types as types
from mcp.client.session import ClientRequestContext
from pydantic import BaseModel, ValidationError

from interlock.domain.errors import InterlockError
from interlock.domain.upstream import Server, Wire
from interlock.ports.upstream import Heard

_log = logging.getLogger("interlock.servers")
MOST_NEWS: Final = 256
"""News that wait for one follower; beyond, the oldest are dropped."""

ASKED_IN_NO_CALL: Final = "asked_in_no_call"
"""What a server is told whose question belongs to no call that is known."""

Telling = Callable[[Heard], Awaitable[None]]


class _Follower:
    """One follower, and a task that tells it one thing after the other."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self._waiting: deque[Telling] = deque(maxlen=MOST_NEWS)
        self._changed = asyncio.Event()
        self._pump = asyncio.create_task(self._tell())

    def tell(self, telling: Telling) -> None:
        """Have it told."""
        self._waiting.append(telling)
        self._changed.set()

    def close(self) -> None:
        """Tell it nothing more."""
        self._pump.cancel()

    async def _tell(self) -> None:
        while True:
            while self._waiting:
                try:
                    await self._waiting.popleft()(self.heard)
                except InterlockError:
                    continue  # what a follower cannot take is its own loss
                except Exception as error:  # noqa: BLE001  a follower's defect ends nobody else's news, nor the rest of its own
                    _log.warning("something that a server said did not reach who follows it: %s", told_as(error))
            self._changed.clear()
            await self._changed.wait()


class Asking:
    """Followers by task."""

    def __init__(self) -> None:
        self._followers: dict[str, _Follower] = {}

    def follow(self, task: str, heard: Heard) -> None:
        """`heard` follows `task`, and nobody else does."""
        self.leave(task)
        self._followers[task] = _Follower(heard)

    def follower(self, task: str) -> Heard | None:
        """Who follows `task`."""
        found = self._followers.get(task)
        return None if found is None else found.heard

    def leave(self, task: str) -> None:
        """Nobody follows it."""
        before = self._followers.pop(task, None)
        if before is not None:
            before.close()

    def close(self) -> None:
        """Nobody follows anything."""
        for task in list(self._followers):
            self.leave(task)

    def tell(self, task: str, telling: Telling) -> None:
        """Tell whoever follows `task`; of what concerns no task (`""`) everybody is told."""
        for each, follower in list(self._followers.items()):
            if task in ("", each):
                follower.tell(telling)

    def callbacks(self, server: Server, task: str, within: Callable[[], str]) -> dict[str, Any]:
        """What a session of `task` answers by itself: nothing that its file does not say `ask` of. `within` gives the action in
        whose call something is being asked."""
        if not task:
            return {}
        found: dict[str, Any] = {}
        if server.sampling == "ask":
            sampled = types.CreateMessageResult
            found["sampling_callback"] = self._answering(server, task, within, "sampling/createMessage", sampled)
        if server.elicitation == "ask":
            found["elicitation_callback"] = self._answering(
                server, task, within, "elicitation/create", types.ElicitResult
            )
        if server.roots == "ask":
            found["list_roots_callback"] = self._answering(server, task, within, "roots/list", types.ListRootsResult)
        return found

    async def asked(self, server: Server, task: str, action: str, method: str, params: Wire) -> Wire | None:
        """What whoever follows `task` answers to a question within the call of `action`; None: it is refused."""
        follower = self._followers.get(task) if task else None
        if follower is None or not action or _said(server, method) != "ask":
            return None
        try:
            return await follower.heard.asked(server.name, action, method, params)
        except InterlockError:
            return None

    def _answering(
        self, server: Server, task: str, within: Callable[[], str], method: str, kind: type[BaseModel]
    ) -> Any:
        async def answer(_context: ClientRequestContext, params: BaseModel | None = None) -> Any:
            action = within()
            if not action:
                _log.warning(
                    "`%s` asks `%s` in none of its calls, or nobody knows in which: refused", server.name, method
                )
                why = "it cannot be known in which call that is asked"
                return types.ErrorData(code=types.INVALID_REQUEST, message=why, data={"code": ASKED_IN_NO_CALL})
            said = {} if params is None else params.model_dump(by_alias=True, mode="json", exclude_none=True)
            found = await self.asked(server, task, action, method, said)
            refused = types.ErrorData(code=types.INVALID_REQUEST, message=f"{method} is refused")
            if found is None:
                return refused
            try:
                return kind.model_validate(found)
            except ValidationError:
                return refused

        return answer


def told_as(error: BaseException) -> str:
    """A failure that is none of ours, in one line of a log."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:400]


def _said(server: Server, method: str) -> str:
    match method:
        case "sampling/createMessage":
            return server.sampling
        case "elicitation/create":
            return server.elicitation
        case "roots/list":
            return server.roots
        case _:
            return "deny"
