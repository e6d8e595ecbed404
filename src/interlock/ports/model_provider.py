"""Whoever runs models, asked over the network: what is answered comes as bytes, piece by piece."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from interlock.domain.model_route import Provider


class Answer(Protocol):
    """An answer that has begun."""

    @property
    def status(self) -> int:
        """Of HTTP."""
        ...

    @property
    def kind(self) -> str:
        """Its media type, lower case, without parameters."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Of its headers those that an agent may see, lower case, clean."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """What it says, as it comes. Raises ModelNotAnswered where it breaks off, or nothing comes for too long."""
        ...

    def clean(self, body: bytes) -> bytes:
        """`body` without the secrets that were sent, should the provider repeat them."""
        ...


class ModelProviders(Protocol):
    """Asks them."""

    def ask(
        self, provider: Provider, path: str, body: bytes, *, whose: str, timeout_ms: int
    ) -> AbstractAsyncContextManager[Answer]:
        """Ask, and give the answer once it begins; leaving it lets go of the connection, over which nobody but `whose` asks.
        `timeout_ms` is how long nothing may be said. Raises ModelNotAnswered, with `sent` False where nothing of it left this
        machine, and KeyFileError where the key that the workspace names cannot be read."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...
