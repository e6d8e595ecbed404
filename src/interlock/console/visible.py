"""Hostile text made visible: whatever an agent wrote is shown as it is, and nothing of it hides or reorders what is beside it.

Jinja escapes markup. What remains is text that looks like other text: control characters, marks that reverse the direction
of reading (https://trojansource.codes), letters without width, and lone surrogates, which no page could be encoded with.
"""

import unicodedata
from typing import Final

from markupsafe import Markup, escape

_KEPT: Final = frozenset("\n\t")
_HIDING: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that are drawn as nothing, Default_Ignorable_Code_Point of https://www.unicode.org/reports/tr44/ that none of
# the categories above holds, and the empty pattern of Braille: with one in it a name looks like another.
_EMPTY: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


def visible(text: str) -> str:
    """`text` with everything in it that could not be seen written as `⟨U+202E⟩`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if _plain(each) else f"⟨U+{ord(each):04X}⟩" for each in text)


def _plain(letter: str) -> bool:
    if letter in _KEPT:
        return True
    return letter not in _EMPTY and unicodedata.category(letter) not in _HIDING


def sentence(text: str) -> Markup:
    """`text` as a sentence by itself: it begins with a capital and ends with a full stop; code as in `coded`."""
    whole = text[:1].upper() + text[1:]
    return coded(whole if whole.endswith((".", "!", "?", "…")) else f"{whole}.")


def coded(text: str) -> Markup:
    """`text` with what stands in backticks as code: sentences of ours, in which names of others are quoted so."""
    parts = [escape(visible(each)) for each in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(visible(text))
    wrapped = [each if place % 2 == 0 else Markup("<code>{}</code>").format(each) for place, each in enumerate(parts)]
    return Markup("").join(wrapped)
