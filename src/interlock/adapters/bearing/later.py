"""The reader of access tokens, made when the first one comes: it is an optional part of the installation."""

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.domain.access_token import Resource
from interlock.domain.dpop import Held
from interlock.domain.errors import EffectorError
from interlock.ports.access_tokens import Signed

if TYPE_CHECKING:
    from interlock.adapters.bearing.access_tokens import JwtAccessTokens


class LaterAccessTokens:
    """`JwtAccessTokens`, whose library most installations never need."""

    def __init__(self, resource: Resource, folder: Path) -> None:
        self._resource = resource
        self._folder = folder

    async def signed(self, token: str, *, now: int) -> Signed:
        """See `AccessTokens.signed`."""
        return await self._tokens.signed(token, now=now)

    def held(self, proof: str) -> Held:
        """See `AccessTokens.held`."""
        return self._tokens.held(proof)

    @cached_property
    def _tokens(self) -> "JwtAccessTokens":
        try:
            module = import_module("interlock.adapters.bearing.access_tokens")
        except ModuleNotFoundError:
            raise EffectorError(
                "access tokens cannot be read: the library for them is not installed",
                next_step="install it: `pip install 'interlock[identity]'`",
            ) from None
        made: JwtAccessTokens = module.JwtAccessTokens(self._resource, self._folder)
        return made
