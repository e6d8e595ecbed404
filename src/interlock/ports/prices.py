"""What models cost."""

from typing import Protocol

from interlock.domain.use import Priced, TokenCount


class Prices(Protocol):
    """A list of prices, as it was when it was made: nothing is asked of anybody when a use is priced."""

    async def of(self, model: str, tokens: TokenCount) -> Priced:
        """What `tokens` of `model` cost. Raises NotFound where no price is known, saying what can be done."""
        ...
