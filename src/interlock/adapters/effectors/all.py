"""Every door, chosen by what a contract's target says."""

from typing import Protocol, assert_never

from interlock.adapters.effectors.answers import targets_of
from interlock.adapters.effectors.python import InProcessEffectors, PythonEffectors
from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, HttpTarget, InProcess, PythonTarget, Target
from interlock.ports.effector import Role


class Http(Protocol):
    """`HttpEffectors`, or what makes them when they are first needed: their client is slow to import."""

    def reaches(self, target: HttpTarget) -> bool:
        """Whether this process can send to it."""
        ...

    async def invoke(
        self, contract: Contract, target: HttpTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """Send one request."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class AllEffectors:
    """The port, over the three kinds of target."""

    def __init__(self, *, python: PythonEffectors, http: Http, in_process: InProcessEffectors) -> None:
        self.python = python
        self.http = http
        self.in_process = in_process

    def reaches(self, contract: Contract) -> bool:
        """Whether this process can call everything that running `contract` may need."""
        return all(self._reaches(target) for target in targets_of(contract))

    def _reaches(self, target: Target) -> bool:
        match target:
            case PythonTarget():
                return self.python.reaches(target)
            case HttpTarget():
                return self.http.reaches(target)
            case InProcess():
                return self.in_process.reaches(target)
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
            case InProcess():
                return await self.in_process.invoke(contract, target, role, arguments, call)
            case _:
                assert_never(target)

    async def close(self) -> None:
        """Let go of connections."""
        await self.http.close()
