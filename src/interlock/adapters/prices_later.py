"""The prices of models, read when the first use is priced: the list takes longer to read than all else takes to begin."""

from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from typing import cast

import anyio.to_thread

from interlock.domain.errors import NotFound
from interlock.domain.use import Price, Priced, TokenCount


class LaterPrices:
    """`ports.prices.Prices`: an operator's own first, then by `adapters.prices`, whose list is read in a thread, so that
    it holds up nobody else."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        self._own = own

    async def of(self, model: str, tokens: TokenCount) -> Priced:
        """See `Prices`."""
        own = self._own.get(model)
        if own is None:
            return (await self._read())(model, tokens)
        return Priced(cost=own.of(tokens), by=f"interlock.yaml: {own}", model=await self._listed(model, tokens))

    async def _listed(self, model: str, tokens: TokenCount) -> str:
        """One's own price gives a model no other name."""
        try:
            return (await self._read())(model, tokens).model
        except NotFound:
            return ""

    async def _read(self) -> Callable[[str, TokenCount], Priced]:
        price = vars(self).get("_price") or await anyio.to_thread.run_sync(lambda: self._price)
        return cast(Callable[[str, TokenCount], Priced], price)

    @cached_property
    def _price(self) -> Callable[[str, TokenCount], Priced]:
        try:
            made: Callable[[str, TokenCount], Priced] = import_module("interlock.adapters.prices").price
        except ImportError:
            return _none
        return made


def _none(model: str, tokens: TokenCount) -> Priced:
    del tokens
    raise NotFound(
        f"no price of `{model}` is known: prices are not installed",
        next_step="`pip install 'interlock[prices]'`; or say it under `prices` of interlock.yaml; or limit `tokens` instead",
    )
