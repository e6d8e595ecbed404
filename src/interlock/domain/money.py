"""Money as people read it: whole minor units and an ISO 4217 currency, with the digits that the currency has.

Source of the digits: ISO 4217 list one (maintained by SIX), as of 2026: two, but for the currencies named here.
"""

import re
from typing import Final

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
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


def money(minor: int, currency: str, *, signed: bool = False) -> str:
    """`1,234.50 EUR` for 123450 minor units. What is no currency stays a count of it."""
    if not is_currency(currency):
        return f"{minor:+,} {currency}" if signed else f"{minor:,} {currency}"
    digits = 0 if currency in _NONE else 3 if currency in _THREE else 2
    sign = "-" if minor < 0 else "+" if signed else ""
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{sign}{whole:,}{f'.{rest:0{digits}}' if digits else ''} {currency}"
