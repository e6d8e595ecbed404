"""The plain part of SQL's spelling: where strings, comments and names end is the same for every reader of it.

A text is refused before it is read if anything in it ends earlier for one program than for another: that is how a
statement is hidden. The test is on the text alone and stricter than it need be, also inside strings.
"""

import re
import unicodedata
from typing import Final

from interlock.domain.parse import SqlDialect
from interlock.domain.parsing import Unreadable

MAX_CHARACTERS: Final = 20_000

_TRAPS: Final = (
    (re.compile(r"\\['\"`]"), "a backslash before a quote, which ends the text for some and not for others"),
    (re.compile(r"(?<![A-Za-z0-9_])[uU]&['\"]"), "an escaped Unicode text"),
    (re.compile(r"\$\w*\$"), "a text between dollar signs, which hides statements"),
    (re.compile(r"/\*[!M/]"), "a comment that some databases execute"),
    (re.compile(r"/\*(?:(?!\*/).)*/\*", re.DOTALL), "a comment inside a comment"),
    (re.compile(r"\{[#%]"), "a template"),
    (re.compile(r"\r(?!\n)"), "a line that ends for some and not for others"),
)
_MYSQL_DASHES: Final = re.compile(r"--(?![ \t\n\r]|\Z)")


def must_be_plain(text: str, dialect: SqlDialect) -> None:
    """Raise Unreadable unless every reader splits `text` alike."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(f"it is longer than {MAX_CHARACTERS} characters")
    if any(not _visible(each) for each in text):
        raise Unreadable("it holds characters that cannot be seen")
    for trap, why in _TRAPS:
        if trap.search(text):
            raise Unreadable(f"it holds {why}")
    if dialect == "mysql" and _MYSQL_DASHES.search(text):
        raise Unreadable("it holds `--` without a space behind it, which is no comment in MySQL")


def _visible(each: str) -> bool:
    if " " <= each <= "~" or each in "\n\t\r":
        return True
    return unicodedata.category(each)[0] not in "CZ"
