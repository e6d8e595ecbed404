"""A use of a model as a program has it: reserved on the way in, settled on the way out."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from interlock.domain.errors import InterlockError, NotAllowed
from interlock.domain.fitting import Amount, checked
from interlock.domain.use import Asked, TokenCount, Use
from interlock.sdk.home import Home

Begin = Callable[[Asked], Awaitable[Use]]
Settle = Callable[[Use, TokenCount | None], Coroutine[Any, Any, Use]]


class ModelUse:
    """`with` or `async with`: reserves what the model may take, and settles what it took.

    Ask the model inside, and say `use.settle(...)` with what its answer says it took. Left without that, by an exception or
    not, all that was reserved counts as used, since whether it was billed nobody knows; `use.nothing()` says it was not.
    """

    def __init__(self, settle: Settle, home: Home, begin: Begin, asked: Asked) -> None:
        self._settle = settle
        self._home = home
        self._begin = begin
        self._asked = asked
        self._use: Use | None = None
        self._used: TokenCount | None = None

    @property
    def id(self) -> str:
        """Its id, by which the log names it. Raises NotAllowed before it was entered."""
        return self._entered().id

    @property
    def cost_micro(self) -> int | None:
        """What it costs in millionths of a US dollar: at most while it is open, what it cost afterwards; None where no price is
        known. Raises NotAllowed before it was entered."""
        return self._entered().cost

    @checked
    def settle(self, *, input_tokens: Amount, output_tokens: Amount, cached_tokens: Amount = 0) -> None:
        """What it took, as the model's answer says. `cached_tokens`, read from its provider's cache, are among the input. The
        last word counts; it is recorded when the block is left. Raises ContractError."""
        self._entered()
        self._used = TokenCount(input=input_tokens, output=output_tokens, cached=cached_tokens)

    def nothing(self) -> None:
        """Nothing was used: the provider refused, or was never reached."""
        self.settle(input_tokens=0, output_tokens=0)

    def __enter__(self) -> Self:
        self._use = self._home.block(self._begun)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._use = self._home.block(self._settle, self._entered(), self._used)
        except InterlockError as failure:
            _beside(error, failure)

    async def __aenter__(self) -> Self:
        beginning = asyncio.ensure_future(self._home.run(self._begun))
        try:
            self._use = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            # The model was not asked, and will not be: what is being reserved for it goes back.
            with contextlib.suppress(InterlockError):
                begun = await beginning
                await self._home.run(self._settle, begun, TokenCount(input=0, output=0))
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        settling = self._home.run(self._settle, self._entered(), self._used)
        try:
            # A cancelled program says what it took all the same.
            self._use = await asyncio.shield(settling)
        except InterlockError as failure:
            _beside(error, failure)

    async def _begun(self) -> Use:
        if self._use is not None:
            raise NotAllowed(
                "this use of a model was begun already", next_step="ask for another: `task.model_use(...)`"
            )
        return await self._begin(self._asked)

    def _entered(self) -> Use:
        if self._use is None:
            raise NotAllowed("this use of a model was not begun", next_step="enter it with `with` or `async with`")
        return self._use


def _beside(error: BaseException | None, failure: InterlockError) -> None:
    """Raise `failure` to settle, or mention it beside the error that is on its way already."""
    if error is None:
        raise failure
    error.add_note(f"what the model took could not be recorded, and counts as all that was reserved: {failure}")
