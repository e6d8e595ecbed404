"""The way to an identity provider, made when somebody goes it: it is an optional part of the installation."""

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.domain.errors import EffectorError
from interlock.domain.providing import Named, SignInProvider
from interlock.ports.identity_provider import Round

if TYPE_CHECKING:
    from interlock.adapters.providing.oidc import OidcProvider


class LaterProvider:
    """`OidcProvider`, for those who sign in with one."""

    def __init__(self, provider: SignInProvider, folder: Path) -> None:
        self._definition = provider
        self._folder = folder

    @property
    def called(self) -> str:
        """See `IdentityProvider.called`."""
        return self._definition.called

    async def address(self, way: Round, *, back: str) -> str:
        """See `IdentityProvider.address`."""
        return await self._provider.address(way, back=back)

    async def named(self, way: Round, code: str, *, back: str, issuer: str, now: int) -> Named:
        """See `IdentityProvider.named`."""
        return await self._provider.named(way, code, back=back, issuer=issuer, now=now)

    @cached_property
    def _provider(self) -> "OidcProvider":
        try:
            made: OidcProvider = import_module("interlock.adapters.providing.oidc").OidcProvider(
                self._definition, self._folder
            )
        except ModuleNotFoundError:
            raise EffectorError(
                "nobody can sign in with an identity provider: the libraries for it are not installed",
                next_step="install them: `pip install 'interlock[server,identity]'`",
            ) from None
        return made
