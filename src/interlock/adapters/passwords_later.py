"""The hashing of passwords, made when the first one is: it is an optional part of the installation."""

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from interlock.domain.errors import EffectorError
from interlock.ports.passwords import Told

if TYPE_CHECKING:
    from interlock.adapters.passwords import Argon2Passwords


class LaterPasswords:
    """`Argon2Passwords`, for those who sign in; the gate and the command line need none."""

    async def kept(self, password: str) -> str:
        """See `Passwords.kept`."""
        return await self._passwords.kept(password)

    async def told(self, password: str, kept: str) -> Told:
        """See `Passwords.told`."""
        return await self._passwords.told(password, kept)

    @cached_property
    def _passwords(self) -> "Argon2Passwords":
        try:
            made: Argon2Passwords = import_module("interlock.adapters.passwords").Argon2Passwords()
        except ModuleNotFoundError:
            raise EffectorError(
                "passwords cannot be checked: the library for them is not installed",
                next_step="install it: `pip install 'interlock[server]'`",
            ) from None
        return made
