"""The door to providers of models, made when the first is asked: its client takes long to read."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import cast

from interlock.domain.model_route import Provider
from interlock.ports.model_provider import Answer, ModelProviders


class LaterProviders:
    """`ports.model_provider.ModelProviders`, by `adapters.model_providers`."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ

    def ask(
        self, provider: Provider, path: str, body: bytes, *, whose: str, timeout_ms: int
    ) -> AbstractAsyncContextManager[Answer]:
        """See `ModelProviders`."""
        return self._door.ask(provider, path, body, whose=whose, timeout_ms=timeout_ms)

    async def close(self) -> None:
        """See `ModelProviders`; what was never made has nothing to close."""
        if "_door" in vars(self):
            await self._door.close()

    @cached_property
    def _door(self) -> ModelProviders:
        made = import_module("interlock.adapters.model_providers").HttpProviders(self._folder, self._environ)
        return cast(ModelProviders, made)
