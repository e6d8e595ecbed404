"""The door to HTTP, made when the first contract asks for it."""

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, HttpTarget
from interlock.ports.effector import Role

if TYPE_CHECKING:
    from interlock.adapters.effectors.http_call import HttpEffectors


class LaterHttp:
    """`HttpEffectors`, whose client takes as long to import as half of all else: most commands and agents never need it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def missing(self, target: HttpTarget) -> str:
        """See `HttpEffectors`."""
        return self._door.missing(target)

    async def invoke(
        self, contract: Contract, target: HttpTarget, role: Role, arguments: dict[str, JsonValue], call: Call
    ) -> Answer:
        """See `HttpEffectors`."""
        return await self._door.invoke(contract, target, role, arguments, call)

    async def close(self) -> None:
        """See `HttpEffectors`; what was never made has nothing to close."""
        if "_door" in vars(self):
            await self._door.close()

    @cached_property
    def _door(self) -> "HttpEffectors":
        made: HttpEffectors = import_module("interlock.adapters.effectors.http_call").HttpEffectors(self._environ)
        return made
