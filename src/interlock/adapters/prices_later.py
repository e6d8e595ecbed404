"""The prices of models, read when the first use is priced: the list takes longer to read than all else takes to begin."""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module

import anyio.to_thread

from interlock.domain.errors import NotFound
from interlock.domain.use import Priced, TokenCount


class LaterPrices:
    """`ports.prices.Prices` by `adapters.prices`. It works in a thread, so that reading the list holds up nobody else."""

    async def of(self, model: str, tokens: TokenCount) -> Priced:
        """See `Prices`."""
        return await anyio.to_thread.run_sync(lambda: self._price(model, tokens))

    @cached_property
    def _price(self) -> Callable[[str, TokenCount], Priced]:
        try:
            made: Callable[[str, TokenCount], Priced] = import_module("interlock.adapters.prices").price
        except ImportError:
            return _none
        return made


def _none(model: str, tokens: TokenCount) -> Priced:
    raise NotFound(
        f"no price of `{model}` is known: prices are not installed ({tokens.total} tokens)",
        next_step="install them: `pip install 'interlock[prices]'`; or limit `tokens` instead of money",
    )
