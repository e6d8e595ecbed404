"""Every door, chosen by what a contract's target says."""

from typing import Protocol, assert_never

from interlock.adapters.effectors.answers import targets_of
from interlock.adapters.effectors.python import InProcessEffectors, PythonEffectors
from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, HttpTarget, InProcess, McpTarget, PythonTarget, Target
from interlock.domain.errors import EffectorError
from interlock.ports.effector import Role


class Http(Protocol):
    """`HttpEffectors`, or what makes them when they are first needed: their client is slow to import."""

    def missing(self, target: HttpTarget) -> str:
        """What this process lacks to send to it; empty: nothing."""
        ...

    async def invoke(
        self, contract: Contract, target: HttpTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Send one request."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Mcp(Protocol):
    """`McpEffectors`, or what makes them when they are first needed."""

    def missing(self, target: McpTarget) -> str:
        """What this process lacks to call it; empty: nothing."""
        ...

    async def invoke(
        self, contract: Contract, target: McpTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Call one tool."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class AllEffectors:
    """The port, over the four kinds of target."""

    def __init__(
        self, *, python: PythonEffectors, http: Http, in_process: InProcessEffectors, mcp: Mcp | None = None
    ) -> None:
        self.python = python
        self.http = http
        self.in_process = in_process
        self.mcp = mcp

    def reaches(self, contract: Contract, key: str = "") -> bool:
        """Whether this process can call everything that running `contract`, for the action of that key, may need."""
        return not self.missing(contract, key)

    def missing(self, contract: Contract, key: str = "") -> str:
        """The first thing that this process lacks to run `contract`; empty: nothing."""
        return next((found for target in targets_of(contract) if (found := self._missing(target, key))), "")

    def _missing(self, target: Target, key: str) -> str:
        match target:
            case PythonTarget():
                return self.python.missing(target)
            case HttpTarget():
                return self.http.missing(target)
            case McpTarget():
                return _no_servers(target) if self.mcp is None else self.mcp.missing(target)
            case InProcess():
                return self.in_process.missing(target, key)
            case _:
                assert_never(target)

    async def invoke(
        self, contract: Contract, target: Target, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Call `target` once, as the port promises."""
        match target:
            case PythonTarget():
                return await self.python.invoke(contract, target, role, arguments, call)
            case HttpTarget():
                return await self.http.invoke(contract, target, role, arguments, call)
            case McpTarget():
                if self.mcp is None:
                    raise EffectorError(_no_servers(target))
                return await self.mcp.invoke(contract, target, role, arguments, call)
            case InProcess():
                return await self.in_process.invoke(contract, target, role, arguments, call)
            case _:
                assert_never(target)

    async def close(self) -> None:
        """Let go of connections."""
        await self.http.close()
        if self.mcp is not None:
            await self.mcp.close()


def _no_servers(target: McpTarget) -> str:
    return f"this process knows no servers, so not `{target.server}` either"
