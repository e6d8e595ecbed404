"""The reader of others' tokens, made when the first one comes: it is an optional part of the installation."""

from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.domain.attesting import Attestation, Recognised
from interlock.domain.errors import EffectorError
from interlock.domain.ids import AgentName

if TYPE_CHECKING:
    from interlock.adapters.attesting.tokens import Tokens


class LaterTokens:
    """`Tokens`, whose library takes as long to import as half of the gate: most installations never need it."""

    def __init__(self, attestation: Attestation, folder: Path) -> None:
        self._attestation = attestation
        self._folder = folder

    async def recognised(self, evidence: str, agent: AgentName, *, audience: str, now: int) -> Recognised:
        """See `Attestor.recognised`."""
        return await self._tokens.recognised(evidence, agent, audience=audience, now=now)

    @cached_property
    def _tokens(self) -> "Tokens":
        try:
            made: Tokens = import_module("interlock.adapters.attesting.tokens").Tokens(self._attestation, self._folder)
        except ModuleNotFoundError:
            raise EffectorError(
                "tokens of others cannot be read: the library for them is not installed",
                next_step="install it: `pip install 'interlock[identity]'`",
            ) from None
        return made
