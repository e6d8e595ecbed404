"""Personal data in a text, by kinds that a contract opts into.

- `email`: RFC 5321 section 4.1.2 without quoted local parts, letters of any script (RFC 6531).
- `phone`: ITU-T E.164 with its `+`, 7 to 15 digits, however they are grouped.
- `iban`: ISO 13616: the length of its country in the SWIFT registry, and mod 97.
- `card`: ISO/IEC 7812: 13 to 19 digits that begin as cards do (2 to 6), with Luhn's check digit.
- `ip`: IPv4 (RFC 791) and IPv6 (RFC 4291) as Python's `ipaddress` reads them.

Names, addresses and birthdays have no shape and are not found: name their fields in the rule. Every repetition is bounded.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from interlock.domain.output import Personal
from interlock.domain.secret import Found, mask

_SHAPES: Final[dict[Personal, str]] = {
    "email": r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])",
    "phone": r"(?<![\w+])\+[1-9](?:[ ().\u00a0-]{0,2}[0-9]){6,14}(?![0-9])",
    "iban": r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ \u00a0]?[A-Z0-9]){11,30}",
    "card": r"(?<![\w.+])[2-6](?:[ -]?[0-9]){12,18}(?![\w])",
    "ip": r"(?<![\w.:])(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}"
    r"(?:[0-9]{0,3}(?:\.[0-9]{1,3}){3})?(?![\w:]))",
}
_IBANS: Final = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18
FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21
LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24
SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
_LENGTHS: Final = {each[:2]: int(each[2:]) for each in _IBANS.split()}
"""SWIFT's IBAN Registry: how long an IBAN of each country is."""


def without_personal(text: str, kinds: tuple[Personal, ...], found: Found) -> str:
    """`text` with a mask in the place of personal data of `kinds`; the same object where there is none."""
    pattern = _pattern(kinds)
    parts: list[str] = []
    done = at = 0
    while (match := pattern.search(text, at)) is not None:
        kind = match.lastgroup or ""
        stop = _CHECKS[kind](match[0])
        if stop == 0:
            # It only looks alike: what comes behind its first character may still be something.
            at = match.start() + 1
            continue
        at = match.start() + stop
        found(kind)
        parts += (text[done : match.start()], mask(kind))
        done = at
    return "".join((*parts, text[done:])) if parts else text


def is_card(number: int) -> bool:
    """Whether a whole number is one of a card."""
    digits = str(number)
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and _luhn(digits)


@lru_cache(maxsize=64)
def _pattern(kinds: tuple[Personal, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{kind}>{_SHAPES[kind]})" for kind in kinds))


def _whole(text: str) -> int:
    return len(text)


def _iban(text: str) -> int:
    """How much of `text` is an IBAN. Words behind one, written in capitals, look like more of it."""
    wanted = _LENGTHS.get(text[:2], 0)
    plain, stop = "", 0
    while len(plain) < wanted and stop < len(text):
        plain += text[stop].strip()
        stop += 1
    if not plain or len(plain) != wanted or text[stop : stop + 1].isalnum():
        return 0
    turned = "".join(str(int(each, 36)) for each in plain[4:] + plain[:4])
    return stop if int(turned) % 97 == 1 else 0


def _card(text: str) -> int:
    digits = "".join(each for each in text if each.isdecimal())
    return len(text) if _luhn(digits) else 0


def _luhn(digits: str) -> bool:
    doubled = (int(each) * 2 for each in digits[-2::-2])
    return (sum(int(each) for each in digits[-1::-2]) + sum(each - 9 * (each > 9) for each in doubled)) % 10 == 0


def _ip(text: str) -> int:
    try:
        IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        return 0
    return len(text) if text != "::" else 0


_CHECKS: Final[dict[str, Callable[[str], int]]] = {
    "email": _whole,
    "phone": _whole,
    "iban": _iban,
    "card": _card,
    "ip": _ip,
}
