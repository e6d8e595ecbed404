"""Values and words of others as YAML text: whatever they hold, they are read back as themselves, or stand in a comment that ends
with its line."""

import json
import re
from typing import Final

from interlock.domain.canonical import JsonValue

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WORDS_OF_YAML: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan"})
MAX_COMMENT: Final = 100


def plain(word: str) -> str:
    """A name or a text as it is best read: quoted where it has to be."""
    if _PLAIN.fullmatch(word) and word.lower() not in _WORDS_OF_YAML:
        return word
    quoted = json.dumps(word, ensure_ascii=False)
    return "".join(each if each.isprintable() else _escaped(each) for each in quoted)


def flow(value: JsonValue) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return f"[{', '.join(flow(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{plain(name)}: {flow(each)}' for name, each in value.items())}}}"
    return json.dumps(value)


def clean(text: str, most: int = MAX_COMMENT) -> str:
    """Somebody's words on one line, without anything that moves a cursor, ends a comment or turns lines around."""
    words = " ".join("".join(each if each.isprintable() else " " for each in text[: most * 4]).split())
    return words if len(words) <= most else f"{words[: most - 3]}..."


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
