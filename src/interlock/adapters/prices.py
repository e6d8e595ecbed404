"""Prices of models by `genai-prices`, an optional part of the installation (`interlock[prices]`).

Loaded by its name when the first use is priced, and only from the list that is installed: it fetches nothing. A model is
named as its provider names it, or as `provider:model` where several have one of that name.
https://github.com/pydantic/genai-prices
"""

from decimal import ROUND_CEILING, Decimal
from typing import Final

from genai_prices import Usage, __version__, calc_price

from interlock.domain.errors import NotFound
from interlock.domain.use import MODEL, Priced, TokenCount

_MICRO: Final = 1_000_000
BY: Final = f"genai-prices {__version__}"


def price(model: str, tokens: TokenCount) -> Priced:
    """What they cost, rounded up to a millionth of a dollar. Raises NotFound."""
    usage = Usage(input_tokens=tokens.input, output_tokens=tokens.output, cache_read_tokens=tokens.cached)
    for name, provider in _readings(model):
        try:
            found = calc_price(usage, model_ref=name, provider_id=provider)
        except LookupError:
            continue
        cost = int((Decimal(found.total_price) * _MICRO).to_integral_value(ROUND_CEILING))
        return Priced(cost=cost, by=BY, model=found.model.id if MODEL.fullmatch(found.model.id) else "")
    raise NotFound(
        f"no price of `{model}` is known ({BY})",
        next_step="name it `provider:model`, as its provider does; say it under `prices` of interlock.yaml; or limit `tokens`",
    )


def _readings(model: str) -> list[tuple[str, str | None]]:
    provider, colon, name = model.partition(":")
    return [(model, None), *([(name, provider)] if colon and name else [])]
