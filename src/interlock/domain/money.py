"""Money as people read it: whole minor units and an ISO 4217 currency, with the digits that the currency has.

Source of the digits: ISO 4217 list one (maintained by SIX), as of 2026: two, but for the currencies named here.
"""

import re
from typing import Final

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_TYPED: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,6}))?")
_NONE: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE: Final = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def is_currency(text: str) -> bool:
    """Whether it is written as a currency is: three capitals."""
    return _CURRENCY.fullmatch(text) is not None


def digits_of(currency: str) -> int:
    """How many digits its minor unit has: 2 of EUR, 0 of JPY, 3 of KWD."""
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


def typed(minor: int, currency: str) -> str:
    """As somebody would type it: `1234.50` for 123450 minor units of EUR. `minor_of` reads it back."""
    digits = digits_of(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}{f'.{rest:0{digits}}' if digits else ''}"


def minor_of(text: str, currency: str) -> int:
    """Minor units of an amount that somebody typed in major ones: 123450 for `1234.5` or `1234.50` of EUR.

    Raises ValueError, in words for whoever typed it, for anything that could be read in two ways: a comma may part thousands or
    decimals, so it is neither.
    """
    found = _TYPED.fullmatch(text.strip())
    digits = digits_of(currency)
    wanted = typed(123450 if digits == 2 else 1234, currency)
    if found is None:
        raise ValueError(f"an amount in {currency} is wanted here, such as {wanted}; without commas or spaces")
    sign, whole, rest = found[1], found[2], found[3] or ""
    if len(rest) > digits:
        raise ValueError(f"{currency} has {digits or 'no'} digits after the point, such as {wanted}")
    return int(f"{sign}{whole}{rest:0<{digits}}")


def money(minor: int, currency: str, *, signed: bool = False) -> str:
    """`1,234.50 EUR` for 123450 minor units. What is no currency stays a count of it."""
    if not is_currency(currency):
        return f"{minor:+,} {currency}" if signed else f"{minor:,} {currency}"
    digits = digits_of(currency)
    sign = "-" if minor < 0 else "+" if signed else ""
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{sign}{whole:,}{f'.{rest:0{digits}}' if digits else ''} {currency}"
